package motion

import (
	"image"
	"math"
	"testing"
)

// halves is a grid of pairs over a square of 60 pixels, of which the right half moves by right and the left one not at all.
func halves(right float64) (ps []Pair) {
	for y := 2.0; y < 60; y += 5 {
		for x := 2.0; x < 60; x += 5 {
			d := 0.0
			if x > 30 {
				d = right
			}
			ps = append(ps, Pair{x, y, x + d, y, 4})
		}
	}
	return ps
}

func TestAMeshHoldsWhatTheAffineMotionLeaves(t *testing.T) {
	var l Local
	r := image.Rect(0, 0, 64, 60)
	m := l.Fit(tuned, halves(4), Shift(2, 0), r, 8)
	for _, c := range []struct{ x, y, want float64 }{{10, 30, 2}, {20, 10, 2}, {48, 30, -2}, {56, 50, -2}} {
		dx, dy := m.At(c.x, c.y)
		if math.Abs(dx-c.want) > 0.3 || math.Abs(dy) > 0.01 {
			t.Errorf("at %.0f, %.0f it is off by %.2f, %.2f, want %.0f, 0", c.x, c.y, dx, dy, c.want)
		}
	}
	if math.Abs(m.Reach()-2) > 0.1 {
		t.Errorf("it reaches %.2f pixels, want 2", m.Reach())
	}
	if m = l.Fit(tuned, halves(4*float64(tuned.MeshStep)), Identity, r, 8); m.Reach() > 0.01 {
		t.Errorf("vectors that are no part of the object bend it by %.2f pixels", m.Reach())
	}
	if m = l.Fit(tuned, nil, Identity, r, 8); m.Reach() != 0 || m.Empty() {
		t.Errorf("nothing bends it by %.2f pixels", m.Reach())
	}
}

// Along a row, offsets are linear from each node's column to the next, also left of the picture's edge.
func TestOffsetsAreLinearBetweenColumnsOfNodes(t *testing.T) {
	var l Local
	m := l.Fit(tuned, halves(4), Shift(2, 0), image.Rect(-20, -20, 80, 80), 12)
	for x := -20; x < 70; {
		next := m.Next(x)
		if next <= x || next > x+tuned.MeshStep || next%tuned.MeshStep != 0 {
			t.Fatalf("after %d the next column of nodes is at %d", x, next)
		}
		a, _ := m.At(float64(x), 17)
		b, _ := m.At(float64(next), 17)
		mid, _ := m.At(float64(x+next)/2, 17)
		if math.Abs(mid-(a+b)/2) > 1e-5 {
			t.Errorf("between %d and %d: %v, %v, %v", x, next, a, mid, b)
		}
		x = next
	}
}

func TestTheZeroMeshBendsNothing(t *testing.T) {
	var none Mesh
	if dx, dy := none.At(3, 4); dx != 0 || dy != 0 || !none.Empty() {
		t.Error("the zero mesh bends something")
	}
}

func TestAFitKeepsItsMemory(t *testing.T) {
	var l Local
	ps := halves(3)
	fit := func() { l.Fit(tuned, ps, Shift(1.5, 0), image.Rect(0, 0, 64, 60), 8) }
	fit()
	if n := testing.AllocsPerRun(20, fit); n > 0 {
		t.Errorf("a fit allocates %.0f times", n)
	}
}

func TestAWarpThenAnAffineMap(t *testing.T) {
	var l Local
	w := Warp{Affine{1.1, 0.1, 3, -0.1, 0.9, -2}, *l.Fit(tuned, halves(4), Shift(2, 0), image.Rect(0, 0, 64, 60), 8)}
	a := Affine{0.8, -0.2, 5, 0.3, 1.2, 1}
	both := w.Then(a)
	for _, c := range [][2]float64{{5, 5}, {30, 31}, {55, 40}} {
		u, v := w.At(c[0], c[1])
		u, v = a.At(u, v)
		if x, y := both.At(c[0], c[1]); math.Abs(x-u) > 1e-4 || math.Abs(y-v) > 1e-4 {
			t.Errorf("%v leads to %.3f, %.3f, want %.3f, %.3f", c, x, y, u, v)
		}
	}
}

// A warp that is led on over a step puts each place where its way back leads through the step and then through the warp.
func TestAWarpIsLedOn(t *testing.T) {
	var l Local
	r := image.Rect(0, 0, 72, 72)
	bent := l.Fit(tuned, halves(4), Shift(2, 0), r, 8)
	w := Still
	w = w.Stepped(tuned, Shift(2, 0), bent, r, Mesh{})
	for _, c := range []struct{ x, y, want float64 }{{10, 30, 10}, {50, 30, 46}} {
		if x, y := w.At(c.x, c.y); math.Abs(x-c.want) > 0.4 || math.Abs(y-c.y) > 0.01 {
			t.Errorf("%.0f, %.0f was at %.2f, %.2f, want %.0f, %.0f", c.x, c.y, x, y, c.want, c.y)
		}
	}
	further := w.Stepped(tuned, Shift(7, -3), nil, r.Add(image.Pt(7, -3)), Mesh{})
	for _, c := range [][2]float64{{24, 24}, {40, 32}} { // nodes of both
		u, v := w.At(c[0]-7, c[1]+3)
		if x, y := further.At(c[0], c[1]); math.Hypot(x-u, y-v) > 0.05 {
			t.Errorf("a shift leads from %v to %.2f, %.2f, want %.2f, %.2f", c, x, y, u, v)
		}
	}
	if s := Still; !func() bool { n := s.Stepped(tuned, Shift(1, 1), nil, r, Mesh{}); return n.Mesh.Empty() }() {
		t.Error("a step that bends nothing makes a mesh")
	}
}

func TestACloneHasAMeshOfItsOwn(t *testing.T) {
	var l Local
	w := Warp{Identity, *l.Fit(tuned, halves(4), Shift(2, 0), image.Rect(0, 0, 64, 60), 8)}
	c := w.Clone()
	w.Mesh.nodes[0].x += 100
	if c.Mesh.nodes[0] == w.Mesh.nodes[0] {
		t.Error("the copy shares its mesh")
	}
}
