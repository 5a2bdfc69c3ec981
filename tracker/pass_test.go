package tracker

import (
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/tracker/motion"
	"image"
	"math"
	"testing"
)

// square is a patch of a square on a grid of 60×40 cells, all sure.
func square(x, y, side int) *patch {
	p := &patch{w: 60, h: 40, rect: image.Rect(x, y, x+side, y+side), data: make([]int8, side*side)}
	for i := range p.data {
		p.data[i] = 48
	}
	return p
}

func TestFewVectorsAreHeldToTheSpeed(t *testing.T) {
	for _, c := range []struct {
		n             int
		inliers, want float64 // share of the way from the speed, 2 pixels a frame, to the fit, 10
	}{{0, 0, 0}, {3, 0, 0}, {4, 1, 0.5}, {4, 0.5, 1. / 3}, {16, 1, 0.8}} {
		tr := newTrack(square(10, 10, 8), 1)
		tr.drift, tr.steady = [2]float64{2, 0}, steadyAfter
		tr.seen = motion.Fit{Affine: motion.Shift(10, 0), Pairs: c.n, Inliers: c.inliers}
		trust := tr.coast(&motion.Entry{Scene: motion.Fit{Affine: motion.Identity}})
		if math.Abs(trust-c.want) > 1e-9 {
			t.Errorf("%d vectors, %.1f of them inliers, weigh %.3f, want %.3f", c.n, c.inliers, trust, c.want)
		}
		x0, y0 := tr.center()
		x, y := tr.seen.At(x0, y0)
		if want := 2 + 8*c.want; math.Abs(x-x0-want) > 1e-9 || y != y0 {
			t.Errorf("%d vectors, %.1f of them inliers, move it by %.2f, %.2f, want %.2f", c.n, c.inliers, x-x0, y-y0, want)
		}
	}
}

func TestAPlaceShowsWhereNothingNearHidesIt(t *testing.T) {
	own, other := newTrack(square(5, 5, 30), 1), newTrack(square(25, 5, 30), 1)
	way := []track{*other}
	for _, c := range []struct {
		x    float64
		want bool
	}{{2, false}, {10, true}, {25 - wayMargin - 2, true}, {25 - wayMargin + 1, false}, {30, false}} {
		if got := own.shows(c.x, 15, way); got != c.want {
			t.Errorf("at %.0f: %v, want %v", c.x, got, c.want)
		}
	}
	if !own.shows(30, 15, nil) {
		t.Error("with nothing in the way it shows everywhere on it")
	}
}

func TestWhatAnotherHidesIsBelievedAsItWas(t *testing.T) {
	own, other := newTrack(square(5, 5, 20), 1), newTrack(square(15, 5, 20), 1)
	at := func(u *unary, x, y int) float32 { return u.u[(y-u.r.Min.Y)*u.r.Dx()+x-u.r.Min.X] }
	var u unary
	u.reset(60, 40, image.Rect(0, 0, 60, 40))
	for i := range u.u {
		u.u[i] = -1
	}
	u.leave(other, own)
	for _, c := range []struct {
		x    int
		want float32
		what string
	}{{10, -1, "where the other is not"}, {20, 6, "where it hides the object"}, {30, patchOut / patchScale, "where it hides what was no part of it"}} {
		if got := at(&u, c.x, 10); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	u.reset(60, 40, image.Rect(0, 0, 60, 40))
	u.exclude(other, own, 4)
	if a, b := at(&u, 20, 10), at(&u, 30, 10); a != 0 || b != -4 {
		t.Errorf("an object in front loses %v of itself and %v of what is behind, want 0 and -4", a, b)
	}
	u.reset(60, 40, image.Rect(0, 0, 60, 40))
	u.exclude(other, nil, 4)
	if a, b := at(&u, 20, 10), at(&u, 30, 10); a != -4 || b != -4 {
		t.Errorf("of two of which neither is in front one loses %v and %v to the other, want -4", a, b)
	}
}

func TestAKeyframeIsPaidForInParts(t *testing.T) {
	tr := New(Options{}, &rest{})
	show := func(seq uint64) {
		f := frame.New(60, 40)
		f.Seq = seq
		if err := tr.Step(f); err != nil {
			t.Fatal(err)
		}
	}
	show(10)
	tr.policy.purse = 10
	for _, c := range []struct{ now, seq, left uint64 }{{12, 10, 8}, {15, 10, 5}, {16, 9, 5}, {17, 16, 4}, {17, 16, 4}} {
		if c.now > tr.Newest() {
			show(c.now)
		}
		tr.pay(c.seq)
		if tr.policy.purse != float64(c.left) {
			t.Errorf("after an answer about %d at %d the purse holds %v, want %d", c.seq, c.now, tr.policy.purse, c.left)
		}
	}
}
