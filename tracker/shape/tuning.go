package shape

// Tuning is every number of this package that was chosen, in cells of the grid.
// In brackets: what J&F changes, in points, with the number a fifth lower and a fifth higher (docs/sensitivity.md; a point is noise).
type Tuning struct {
	Margin int // kept of a patch around its positive cells, and shown around an object in a mask prompt [−0.4 −2.7]
}

// Bounds, not tuned: they hold time and memory, and no score tells which is better.
const (
	promptGrid  = 96     // cells of a mask prompt's longer side at most
	samples     = 400    // places of a mask that are looked at to tell a share of it, at most about
	shareStep   = 3      // rows and columns of which one is looked at for a share of a track: it is compared with coarse limits only
	overlapStep = 2      // and for a share of a mask
	leastChance = 0.0008 // so far from 0 and 1 a chance is held: ±7.1 logits, a little over what a mask's steps can say
)

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning { return Tuning{Margin: 6} }
