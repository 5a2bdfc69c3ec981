package lk

// Tuning is every number of this package that was chosen. Lengths are pixels of the level.
// In brackets: what J&F changes, in points, with the number a fifth lower and a fifth higher (docs/sensitivity.md; a point is noise).
type Tuning struct {
	Radius     int     // half the window's side on the finest level: a window of 2·Radius+1, at most 9 [−3.5 −5.2]
	Coarse     int     // the same on the levels above, at most 9 [−0.6 −2.8]
	LeastSide  int     // of a level that is worth searching [0 −2.9]
	Iterations int     // a level at most [−1.6 −2.2]
	StillStep2 float64 // squared length of a step after which no other is taken [0 0]
	MaxFB      float64 // forward-backward error up to which a vector is OK [−0.3 −0.1]
	MinTexture float64 // least eigenvalue of the window's structure tensor, per pixel, grey steps squared (Shi and Tomasi, CVPR 1994) [0 +0.3]
}

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning {
	return Tuning{Radius: 6, Coarse: 5, LeastSide: 24, Iterations: 10, StillStep2: 0.0009, MaxFB: 1.5, MinTexture: 0.8}
}
