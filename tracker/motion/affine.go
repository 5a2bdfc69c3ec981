package motion

import "math"

// Pair is a point (X, Y) in one frame and the same point (U, V) in the next one, with the weight W that it deserves.
type Pair struct{ X, Y, U, V, W float64 }

// Affine maps (x, y) to (A·x + B·y + C, D·x + E·y + F).
type Affine struct{ A, B, C, D, E, F float64 }

// Identity moves nothing.
var Identity = Affine{A: 1, E: 1}

// Shift moves every place by (dx, dy).
func Shift(dx, dy float64) Affine { return Affine{A: 1, C: dx, E: 1, F: dy} }

// At is where (x, y) goes.
func (a Affine) At(x, y float64) (u, v float64) {
	return a.A*x + a.B*y + a.C, a.D*x + a.E*y + a.F
}

// After is the map that applies first and then a.
func (a Affine) After(first Affine) Affine {
	n := first
	return Affine{
		a.A*n.A + a.B*n.D, a.A*n.B + a.B*n.E, a.A*n.C + a.B*n.F + a.C,
		a.D*n.A + a.E*n.D, a.D*n.B + a.E*n.E, a.D*n.C + a.E*n.F + a.F,
	}
}

// Inverse is the way back; the identity for a map that has none.
func (a Affine) Inverse() Affine {
	det := a.A*a.E - a.B*a.D
	if math.Abs(det) < 1e-6 {
		return Identity
	}
	i := Affine{A: a.E / det, B: -a.B / det, D: -a.D / det, E: a.A / det}
	i.C, i.F = -(i.A*a.C + i.B*a.F), -(i.D*a.C + i.E*a.F)
	return i
}

// Scale is the factor by which the map changes lengths.
func (a Affine) Scale() float64 { return math.Sqrt(math.Abs(a.A*a.E - a.B*a.D)) }

// Miss2 is the squared distance by which the map misses a pair.
func (a Affine) Miss2(p Pair) float64 {
	u, v := a.At(p.X, p.Y)
	return (u-p.U)*(u-p.U) + (v-p.V)*(v-p.V)
}
