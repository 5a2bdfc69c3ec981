package tracker

import (
	"testing"

	"github.com/segedge/segedge/frame"
)

// rest is a flow in which nothing moves, and counts the points that it was asked about.
type rest struct{ points int }

func (r *rest) Step(_, _ *Gray, pts []Pixel, dst []Vector) error {
	r.points = len(pts)
	for i := range dst {
		dst[i] = Vector{OK: true}
	}
	return nil
}

// A machine that misses frames measures at fewer points, never at less than the least share of them, and at all again once it keeps up.
func TestMissedFramesCostPoints(t *testing.T) {
	r := &rest{}
	tr := New(Options{Points: 900}, r)
	f := frame.New(384, 216)
	step := func(gap uint64) int {
		f.Seq += gap
		if err := tr.Step(f); err != nil {
			t.Fatal(err)
		}
		return r.points
	}
	step(1)
	all := step(1)
	if once := step(2); once >= all || float64(once) < 0.6*float64(all) {
		t.Errorf("%d of %d points after one gap", once, all)
	}
	for range 50 {
		step(3)
	}
	if least := step(2); float64(least) > 1.1*shedLeast*900 || float64(least) < 0.25*900 {
		t.Errorf("%d points where every other frame is missed, of %d", least, all)
	}
	for range 250 {
		step(1)
	}
	if again := step(1); again != all {
		t.Errorf("%d points once no frame is missed, %d at first", again, all)
	}
}
