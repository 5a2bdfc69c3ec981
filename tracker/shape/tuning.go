package shape

// Tuning is every number of this package that was chosen, in cells of the grid.
type Tuning struct {
	Margin       int // kept of a patch around its positive cells
	PromptGrid   int // cells of a mask prompt's longer side at most
	PromptMargin int // around the object in a mask prompt
}

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning { return Tuning{Margin: 6, PromptGrid: 96, PromptMargin: 8} }
