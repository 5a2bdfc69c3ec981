package tracker

import (
	"math"
	"testing"

	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// streaming is an entry whose vectors lie on a grid of 4 pixels over 60×40; those that move names have that motion, the others rest.
func streaming(seq uint64, move func(x, y float64) (dx, dy float64)) *motion.Entry {
	e := still(60, 40, 0, 0, 0)
	e.Seq, e.Spacing = seq, 4
	for y := 2; y < 40; y += 4 {
		for x := 2; x < 60; x += 4 {
			dx, dy := move(float64(x), float64(y))
			e.Points = append(e.Points, motion.Pixel{X: float32(x), Y: float32(y)})
			e.Vectors = append(e.Vectors, motion.Vector{D: motion.Pixel{X: float32(dx), Y: float32(dy)}, OK: true})
		}
	}
	return e
}

func TestATrackFollowsTheVectorsOnItsPatch(t *testing.T) {
	on := func(x, y float64) (float64, float64) {
		if x >= 18 && x < 42 && y >= 8 && y < 32 {
			return 3, 1
		}
		return 0, 0
	}
	for _, c := range []struct {
		what    string
		forward bool
		hiders  []shape.Track
		pairs   int
		dx, dy  float64
	}{
		{"all of it", true, nil, 25, 3, 1},
		{"the way back", false, nil, 25, -3, -1},
		{"half of it hidden", true, []shape.Track{newTrack(square(36, 10, 20), 1).Track}, 10, 3, 1},
		{"all of it hidden", true, []shape.Track{newTrack(square(15, 5, 30), 1).Track}, 0, 0, 0},
	} {
		f := fitter{tuning: tuned}
		x := 20
		if !c.forward {
			x = 23 // where the vectors end
		}
		m := newTrack(square(x, 10, 20), 1)
		pairs := f.follow(m, streaming(2, on), c.forward, c.hiders, nil)
		if math.Abs(float64(len(pairs)-c.pairs)) > 6 {
			t.Errorf("%s: %d vectors, want about %d", c.what, len(pairs), c.pairs)
		}
		u, v := m.last.At(30, 20)
		if math.Hypot(u-30-c.dx, v-20-c.dy) > 0.1 {
			t.Errorf("%s: it moves by %.2f, %.2f, want %.0f, %.0f", c.what, u-30, v-20, c.dx, c.dy)
		}
		if (m.last.Inliers > 0) != (c.pairs > 0) {
			t.Errorf("%s: %.2f of the vectors are explained", c.what, m.last.Inliers)
		}
	}
}

func TestAPlaceShowsWhereNothingNearHidesIt(t *testing.T) {
	own, other := newTrack(square(5, 5, 30), 1), newTrack(square(25, 5, 30), 1)
	hiders := []shape.Track{other.Track}
	for _, c := range []struct {
		x    float64
		want bool
	}{{2, false}, {10, true}, {25 - tuned.HideMargin - 2, true}, {25 - tuned.HideMargin + 1, false}, {30, false}} {
		if got := tuned.shows(&own.Track, c.x, 15, hiders); got != c.want {
			t.Errorf("at %.0f: %v, want %v", c.x, got, c.want)
		}
	}
	if !tuned.shows(&own.Track, 30, 15, nil) {
		t.Error("with nothing in the way it shows everywhere on it")
	}
}

// Where an object is small, or a sliver of it shows, it gets points of its own, closer than the grid's; where much shows, or nothing, none.
func TestWhatHasFewPointsGetsCloserOnes(t *testing.T) {
	f := fitter{tuning: tuned}
	for _, c := range []struct {
		what        string
		own, cover  *shape.Patch
		spacing, n  int
		least, most int
	}{
		{"a sliver", square(10, 10, 20), square(22, 10, 20), 8, 16, 4, 20},
		{"hidden", square(10, 10, 20), square(10, 10, 20), 8, 16, 0, 0},
		{"enough for a fine grid", square(10, 10, 20), square(50, 30, 5), 4, 16, 0, 0},
		{"a small one alone", square(10, 10, 9), nil, 11, 16, 6, 16},
		{"a small one among many", square(10, 10, 9), nil, 11, 4, 4, 8},
		{"a large one alone", square(4, 4, 40), nil, 8, 16, 0, 0},
	} {
		own := newTrack(c.own, 1)
		var hiders []shape.Track
		if c.cover != nil {
			hiders = append(hiders, newTrack(c.cover, 1).Track)
		}
		pts := f.closerPoints(nil, &own.Track, hiders, c.spacing, c.n)
		if len(pts) < c.least || len(pts) > c.most {
			t.Errorf("%s: %d points, want %d to %d", c.what, len(pts), c.least, c.most)
		}
		for _, p := range pts {
			if own.Value(float64(p.X), float64(p.Y)) <= 0 {
				t.Errorf("%s: a point at %v", c.what, p)
			}
		}
	}
}

func TestPartsNeedVectorsAndAFreshMask(t *testing.T) {
	var pairs []motion.Pair
	for y := 12.0; y < 28; y += 4 {
		for x := 12.0; x < 28; x += 4 {
			d := 0.0
			if x > 20 {
				d = 3
			}
			pairs = append(pairs, motion.Pair{X: x, Y: y, U: x + d, V: y, W: 4})
		}
	}
	m := newTrack(square(10, 10, 20), 1)
	m.last = motion.Fit{Affine: motion.Identity, Inliers: 1}
	for _, c := range []struct {
		what  string
		f     fitter
		seq   uint64
		pairs int
		want  bool
	}{
		{"enough vectors on a fresh mask", fitter{tuning: tuned}, 5, len(pairs), true},
		{"an old mask", fitter{tuning: tuned}, uint64(tuned.Fresh) + 2, len(pairs), false},
		{"a handful of vectors", fitter{tuning: tuned}, 5, tuned.Motion.BendPairs - 1, false},
		{"parts that are not told apart", fitter{tuning: tuned, rigid: true}, 5, len(pairs), false},
	} {
		e := still(60, 40, 0, 0, 0)
		e.Seq, e.Spacing = c.seq, 5
		if got := c.f.parts(m, e, pairs[:c.pairs]); (got != nil) != c.want {
			t.Errorf("%s: bent %v, want %v", c.what, got != nil, c.want)
		}
	}
	m.last.Inliers = 0
	f := fitter{tuning: tuned}
	e := still(60, 40, 0, 0, 0)
	e.Seq, e.Spacing = 5, 5
	if f.parts(m, e, pairs) != nil {
		t.Error("a fit that explains nothing bends")
	}
}
