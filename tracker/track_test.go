package tracker

import (
	"image"
	"math"
	"testing"

	"github.com/segedge/segedge/tracker/motion"
)

// tuned is what the product is shipped with.
var tuned = func() *Tuning {
	k := Defaults()
	return &k
}()

// halves is a grid of pairs over a square of 60 pixels, of which the right half moves by right and the left one not at all.
func halves(right float64) (ps []motion.Pair) {
	for y := 2.0; y < 60; y += 5 {
		for x := 2.0; x < 60; x += 5 {
			d := 0.0
			if x > 30 {
				d = right
			}
			ps = append(ps, motion.Pair{X: x, Y: y, U: x + d, V: y, W: 4})
		}
	}
	return ps
}

// A mask whose halves move apart is carried as they move, step after step, and a motion without a mesh takes the bent mask along.
func TestPartsMoveTheirOwnWay(t *testing.T) {
	p := &patch{w: 120, h: 80, rect: image.Rect(0, 0, 60, 60), data: make([]int8, 3600)}
	for y := 10; y < 50; y++ {
		for x := 10; x < 50; x++ {
			p.data[60*y+x] = 48
		}
	}
	tr := newTrack(p, 1)
	var l motion.Local
	ps := halves(3)
	for seq := uint64(2); seq <= 3; seq++ {
		m := l.Fit(&tuned.Motion, ps, motion.Shift(1.5, 0), image.Rect(-16, -16, 90, 76), 8)
		tr.advance(tuned, motion.Shift(1.5, 0), m, seq, 8)
		for i := range ps {
			ps[i].X, ps[i].U = ps[i].U, 2*ps[i].U-ps[i].X
		}
	}
	box := func() image.Rectangle {
		mask, _ := tr.mask(nil)
		return mask.Rect
	}
	near := func(a, b int) bool { return max(a-b, b-a) <= 1 }
	if r := box(); !near(r.Min.X, 10) || !near(r.Max.X, 56) || !near(r.Min.Y, 10) || !near(r.Max.Y, 50) {
		t.Errorf("it covers %v, want about (10,10)-(56,50)", r)
	}
	tr.advance(tuned, motion.Shift(20, 5), nil, 4, 8)
	if r := box(); !near(r.Min.X, 30) || !near(r.Max.X, 76) || !near(r.Min.Y, 15) || !near(r.Max.Y, 55) {
		t.Errorf("moved on, it covers %v, want about (30,15)-(76,55)", r)
	}
	for y := 16; y < 54; y += 4 { // row by row and place by place are the same warp
		row := make([]float32, 60)
		tr.sample(image.Rect(25, y, 85, y+1), row)
		for i, v := range row {
			if w := tr.value(float64(25+i), float64(y)); v != patchOut && math.Abs(float64(v-w)) > 12 {
				t.Fatalf("at %d, %d: %.1f in a row, %.1f by itself", 25+i, y, v, w)
			}
		}
	}
}

// What a track keeps is bounded: the newest waypoints' meshes, over the same memory; a copy for undo keeps the present one.
func TestATrackKeepsFewMeshes(t *testing.T) {
	tr := newTrack(square(10, 10, 20), 1)
	var l motion.Local
	for seq := uint64(2); seq < 50; seq++ {
		m := l.Fit(&tuned.Motion, halves(1), motion.Identity, image.Rect(0, 0, 60, 40), 8)
		tr.advance(tuned, motion.Identity, m, seq, 40)
	}
	count := func(t *track) (n int) {
		for _, w := range t.trail {
			if !w.back.Mesh.Empty() {
				n++
			}
		}
		return n
	}
	if n := count(tr); n != meshTrail || len(tr.trail) != 40 {
		t.Errorf("%d of %d waypoints have a mesh, want %d of 40", n, len(tr.trail), meshTrail)
	}
	m := l.Fit(&tuned.Motion, halves(1), motion.Identity, image.Rect(0, 0, 60, 40), 8)
	if allocs := testing.AllocsPerRun(20, func() { tr.advance(tuned, motion.Identity, m, 50, 40) }); allocs > 0 {
		t.Errorf("a step allocates %.0f times", allocs)
	}
	c := tr.clone()
	if n := count(c); n != 1 {
		t.Errorf("a copy keeps %d meshes, want 1", n)
	}
}

func TestLocalMotionNeedsVectorsAndAFreshMask(t *testing.T) {
	tr := New(Options{}, nil)
	e := &motion.Entry{Seq: 5, Gray: motion.Gray{W: 60, H: 40}, Spacing: 5}
	p := newTrack(square(10, 10, 20), 1)
	p.seen = motion.Fit{Affine: motion.Identity, Inliers: 1}
	pairs := halves(3)
	if tr.localMotion(p, e, pairs) == nil {
		t.Error("enough vectors on a fresh mask do not bend it")
	}
	e.Seq = 1 + localFor + 1
	if tr.localMotion(p, e, pairs) != nil {
		t.Error("an old mask is bent")
	}
	e.Seq, pairs = 5, pairs[:tuned.Motion.BendPairs-1]
	if tr.localMotion(p, e, pairs) != nil {
		t.Error("a handful of vectors bends it")
	}
}
