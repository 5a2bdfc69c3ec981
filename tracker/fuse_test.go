package tracker

import (
	"math"
	"testing"

	"github.com/segedge/segedge/tracker/motion"
)

// A warped mask counts by what its motion explains; one that was carried by the scene's motion, for want of its own, counts least, and still
// says where the object was.
func TestABadlyCarriedMaskSaysLess(t *testing.T) {
	for _, c := range []struct{ inliers, share float64 }{{1, 1}, {0.5, 0.5}, {0.21, 0.21}, {0.1, tuned.LeastInliers}, {0, tuned.LeastInliers}} {
		m := &track{last: motion.Fit{Inliers: c.inliers}}
		if got := tuned.trustInPrior(m); math.Abs(got-c.share*tuned.PriorWeight) > 1e-12 {
			t.Errorf("with %v of it explained a mask weighs %v, want %v of %v", c.inliers, got, c.share, tuned.PriorWeight)
		}
	}
}
