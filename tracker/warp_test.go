package tracker

import (
	"image"
	"math"
	"testing"
)

// halves is a grid of pairs over a square of 60 pixels, of which the right half moves by right and the left one not at all.
func halves(right float64) (ps []pair) {
	for y := 2.0; y < 60; y += 5 {
		for x := 2.0; x < 60; x += 5 {
			d := 0.0
			if x > 30 {
				d = right
			}
			ps = append(ps, pair{x, y, x + d, y, 4})
		}
	}
	return ps
}

func TestAMeshHoldsWhatTheAffineMotionLeaves(t *testing.T) {
	var m mesh
	m.local(halves(4), affine{a: 1, c: 2, e: 1}, image.Rect(0, 0, 64, 60), 8, nil)
	for _, c := range []struct{ x, y, want float64 }{{10, 30, 2}, {20, 10, 2}, {48, 30, -2}, {56, 50, -2}} {
		dx, dy := m.at(c.x, c.y)
		if math.Abs(dx-c.want) > 0.3 || math.Abs(dy) > 0.01 {
			t.Errorf("at %.0f, %.0f it is off by %.2f, %.2f, want %.0f, 0", c.x, c.y, dx, dy, c.want)
		}
	}
	if math.Abs(m.reach-2) > 0.1 {
		t.Errorf("it reaches %.2f pixels, want 2", m.reach)
	}
	m.local(halves(4*mostLocal), affine{a: 1, e: 1}, image.Rect(0, 0, 64, 60), 8, nil)
	if m.reach > 0.01 {
		t.Errorf("vectors that are no part of the object bend it by %.2f pixels", m.reach)
	}
	m.local(nil, identity, image.Rect(0, 0, 64, 60), 8, nil)
	if m.reach != 0 {
		t.Errorf("nothing bends it by %.2f pixels", m.reach)
	}
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
	var m mesh
	ps := halves(3)
	for seq := uint64(2); seq <= 3; seq++ {
		m.local(ps, affine{a: 1, c: 1.5, e: 1}, image.Rect(-16, -16, 90, 76), 8, nil)
		tr.advance(affine{a: 1, c: 1.5, e: 1}, &m, seq, 8)
		for i := range ps {
			ps[i].x, ps[i].u = ps[i].u, 2*ps[i].u-ps[i].x
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
	tr.advance(affine{a: 1, c: 20, e: 1, f: 5}, nil, 4, 8)
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

func TestAWarpThenAnAffineMap(t *testing.T) {
	var m mesh
	m.local(halves(4), affine{a: 1, c: 2, e: 1}, image.Rect(0, 0, 64, 60), 8, nil)
	w := warp{affine{1.1, 0.1, 3, -0.1, 0.9, -2}, m}
	a := affine{0.8, -0.2, 5, 0.3, 1.2, 1}
	both := w.before(a)
	for _, c := range [][2]float64{{5, 5}, {30, 31}, {55, 40}} {
		u, v := w.at(c[0], c[1])
		u, v = a.at(u, v)
		if x, y := both.at(c[0], c[1]); math.Abs(x-u) > 1e-4 || math.Abs(y-v) > 1e-4 {
			t.Errorf("%v leads to %.3f, %.3f, want %.3f, %.3f", c, x, y, u, v)
		}
	}
}

// What a track keeps is bounded: the newest waypoints' meshes, over the same memory; a copy for undo keeps the present one.
func TestATrackKeepsFewMeshes(t *testing.T) {
	tr := newTrack(square(10, 10, 20), 1)
	var m mesh
	for seq := uint64(2); seq < 50; seq++ {
		m.local(halves(1), identity, image.Rect(0, 0, 60, 40), 8, nil)
		tr.advance(identity, &m, seq, 40)
	}
	count := func(t *track) (n int) {
		for _, w := range t.trail {
			if w.back.mesh.w > 0 {
				n++
			}
		}
		return n
	}
	if n := count(tr); n != meshTrail || len(tr.trail) != 40 {
		t.Errorf("%d of %d waypoints have a mesh, want %d of 40", n, len(tr.trail), meshTrail)
	}
	if allocs := testing.AllocsPerRun(20, func() { tr.advance(identity, &m, 50, 40) }); allocs > 0 {
		t.Errorf("a step allocates %.0f times", allocs)
	}
	c := tr.clone()
	if n := count(c); n != 1 {
		t.Errorf("a copy keeps %d meshes, want 1", n)
	}
	tr.back.mesh.d[0].x += 100
	if c.back.mesh.d[0].x == tr.back.mesh.d[0].x {
		t.Error("the copy shares its mesh")
	}
}

func TestLocalMotionNeedsVectorsAndAFreshMask(t *testing.T) {
	tr := New(Options{}, nil)
	e := &entry{seq: 5, gray: Gray{W: 60, H: 40}, step: 5}
	p := newTrack(square(10, 10, 20), 1)
	p.seen = fitted{m: identity, inliers: 1}
	tr.pairs = halves(3)
	if tr.localMotion(p, e) == nil {
		t.Error("enough vectors on a fresh mask do not bend it")
	}
	e.seq = 1 + localFor + 1
	if tr.localMotion(p, e) != nil {
		t.Error("an old mask is bent")
	}
	e.seq, tr.pairs = 5, tr.pairs[:leastBend-1]
	if tr.localMotion(p, e) != nil {
		t.Error("a handful of vectors bends it")
	}
}
