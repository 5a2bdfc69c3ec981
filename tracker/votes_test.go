package tracker

import (
	"image"
	"testing"

	"github.com/segedge/segedge/tracker/motion"
)

// Vectors vote for the motion that explains them: for the object on it, against it beside it, and for nobody where the two agree.
func TestVotesTellMotionsApart(t *testing.T) {
	on := func(x, _ float64) (float64, float64) {
		if x >= 20 && x < 40 {
			return 3, 0
		}
		return 0, 0
	}
	var v votes
	l := v.cast(tuned, streaming(2, on), motion.Shift(3, 0))
	at := func(x, y int) float32 { return l.Data[y/4*l.W+x/4] }
	if in, out := at(30, 20), at(50, 20); in < 2 || out > -2 {
		t.Errorf("on the object %.2f, beside it %.2f", in, out)
	}
	in, out := contrast(l, &newTrack(square(20, 5, 20), 2).Track, image.Rect(0, 0, 60, 40))
	if in < 1 || out > -1 {
		t.Errorf("inside %.2f, outside %.2f", in, out)
	}
	for _, x := range v.cast(tuned, streaming(2, on), motion.Identity).Data {
		if x != 0 {
			t.Fatalf("a motion that is the scene's own gets a vote of %.2f", x)
		}
	}
	if v.cast(tuned, still(60, 40, 0, 0, 0), motion.Identity) != nil {
		t.Error("without vectors somebody votes")
	}
}
