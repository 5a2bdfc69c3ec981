package zones

// Tuning is every number of this package that was chosen, by what a person sees who walks a line: no score counts that, so they are bounds,
// not tuned, and `make sensitivity` does not turn them.
type Tuning struct {
	SettleFrames int     // frames in a row that a border must stay crossed
	Clearance    float64 // from a line, in picture widths, from which on an object's side counts
}

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning { return Tuning{SettleFrames: 3, Clearance: 0.004} }
