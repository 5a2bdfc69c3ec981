package seg

// Features is what a model's encoder saw in a frame: C values for each cell of a grid of W×H, that covers the normalised rectangle
// of Origin and Extent as Logits does. They tell objects apart better than colours do. Read-only; whoever hands it out says for
// how long it may be read.
type Features struct {
	W, H, C int
	Origin  Point
	Extent  Point
	Data    []float32 // channel by channel, each row by row, len C·W·H
}

// Valid reports whether the sizes agree.
func (f *Features) Valid() bool {
	return f.W > 0 && f.H > 0 && f.C > 0 && len(f.Data) == f.W*f.H*f.C && f.Extent.X > 0 && f.Extent.Y > 0
}
