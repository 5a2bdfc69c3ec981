package lk

// Tuning is every number of this package that was chosen. Lengths are pixels of the level.
type Tuning struct {
	Radius     int     // half the window's side on the finest level: a window of 2·Radius+1, at most 9
	Coarse     int     // the same on the levels above, at most 9
	Levels     int     // of the pyramid at most
	LeastSide  int     // of a level that is worth searching
	Iterations int     // a level at most
	StillStep2 float64 // squared length of a step after which no other is taken
	MaxFB      float64 // forward-backward error up to which a vector is OK
	MinTexture float64 // least eigenvalue of the window's structure tensor, per pixel, in grey steps squared (Shi and Tomasi, CVPR 1994)
}

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning {
	return Tuning{Radius: 6, Coarse: 5, Levels: 4, LeastSide: 24, Iterations: 10, StillStep2: 0.0009, MaxFB: 1.5, MinTexture: 0.8}
}
