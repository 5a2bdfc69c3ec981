package seg

// Tap is a place between two neighbouring cells of an axis, F of the way from I to J: what a bilinear reading takes.
type Tap struct {
	I, J int
	F    float32
}

// TapAt is the place v, in cells from the centre of the first, on an axis of n cells, held within it.
func TapAt(v float64, n int) Tap {
	v = min(max(v, 0), float64(n-1))
	i := int(v)
	return Tap{i, min(i+1, n-1), float32(v - float64(i))}
}

// Of reads an axis at the place.
func (t Tap) Of(axis []float32) float32 {
	a := axis[t.I]
	return a + (axis[t.J]-a)*t.F
}
