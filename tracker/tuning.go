package tracker

import "github.com/segedge/segedge/tracker/motion"

// Tuning is every number of the tracker that was chosen, so that each can be changed by itself and its worth be measured. Lengths are pixels of
// the reduced picture unless a comment says otherwise.
type Tuning struct {
	Motion motion.Tuning

	UsualFPS float64 // rate of cameras that have not shown theirs yet, frames a second
	RateGain float64 // weight of a new frame in the rate
	LeastGap float64 // seconds between two frames below which they tell no rate
	MostGap  float64 // and above which
}

// Defaults are the numbers that the product is shipped with.
func Defaults() Tuning {
	return Tuning{
		Motion:   motion.Defaults(),
		UsualFPS: 30, RateGain: 0.05, LeastGap: 0.002, MostGap: 1,
	}
}
