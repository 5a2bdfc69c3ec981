package seg

import (
	"image"
	"math"
	"testing"
)

func TestMaskMeasures(t *testing.T) {
	for _, c := range []struct {
		name     string
		m        *Mask
		count    int
		box      Box
		centroid Point
	}{
		{"empty", draw("....", "...."), 0, Box{}, Point{0.5, 0.5}},
		{"nothing stored", &Mask{W: 4, H: 2}, 0, Box{}, Point{0.5, 0.5}},
		{"one cell", draw("....", "..#."), 1, Box{0.5, 0.5, 0.75, 1}, Point{0.625, 0.75}},
		{"two corners", draw("#...", "...#"), 2, Box{0, 0, 1, 1}, Point{0.5, 0.5}},
		{"full", draw("##", "##"), 4, Box{0, 0, 1, 1}, Point{0.5, 0.5}},
	} {
		if got := c.m.Count(); got != c.count {
			t.Errorf("%s: count %d, want %d", c.name, got, c.count)
		}
		if got, want := c.m.Area(), float64(c.count)/float64(c.m.W*c.m.H); got != want {
			t.Errorf("%s: area %v, want %v", c.name, got, want)
		}
		if got := c.m.Box(); got != c.box {
			t.Errorf("%s: box %v, want %v", c.name, got, c.box)
		}
		if got := c.m.Centroid(); got != c.centroid {
			t.Errorf("%s: centroid %v, want %v", c.name, got, c.centroid)
		}
		same(t, c.name+" trimmed", c.m.Trim(), c.m)
	}
	if (&Mask{}).Area() != 0 {
		t.Error("a mask without a grid has no area")
	}
}

func TestMaskAtAndContains(t *testing.T) {
	m := draw("....", ".##.", ".#..").Trim()
	if m.At(1, 1) != 1 || m.At(2, 2) != 0 || m.At(0, 0) != 0 || m.At(-1, 1) != 0 || m.At(1, 99) != 0 {
		t.Error("At")
	}
	if m.Row(0) != nil || m.Row(3) != nil || len(m.Row(2)) != 2 {
		t.Error("Row gives the stored rows only")
	}
	for p, want := range map[Point]bool{
		{0.3, 0.5}: true, {0.25, 0.34}: true, {0, 0}: false, {1, 1}: false, {-0.1, 0.5}: false, {math.NaN(), 0.5}: false,
	} {
		if got := m.Contains(p); got != want {
			t.Errorf("contains %v: %v", p, got)
		}
	}
	if !draw("##", "##").Contains(Point{1, 1}) {
		t.Error("the bottom right corner belongs to the last cell")
	}
}

func TestMaskIoU(t *testing.T) {
	a, b := draw("##..", "##.."), draw(".##.", ".##.")
	for name, c := range map[string]struct {
		a, b *Mask
		want float64
	}{
		"half":            {a, b, 2.0 / 6},
		"trimmed":         {a.Trim(), b.Trim(), 2.0 / 6},
		"itself":          {a, a, 1},
		"apart":           {draw("#..."), draw("..##"), 0},
		"both empty":      {draw("...."), &Mask{W: 4, H: 1}, 1},
		"one empty":       {a, &Mask{W: 4, H: 2}, 0},
		"different grids": {a, draw("##"), 0},
	} {
		if got := c.a.IoU(c.b); got != c.want || c.b.IoU(c.a) != got {
			t.Errorf("%s: %v, want %v both ways", name, got, c.want)
		}
	}
}

// TestResizeTakesTheCellUnderTheCentre compares with the definition, cell by cell.
func TestResizeTakesTheCellUnderTheCentre(t *testing.T) {
	r := seeded()
	for range 200 {
		m := noise(r, 1+r.IntN(12), 1+r.IntN(12), r.Float64())
		w, h := 1+r.IntN(20), 1+r.IntN(20)
		want := NewMask(w, h, image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				want.Row(y)[x] = m.At(int((float64(x)+0.5)*float64(m.W)/float64(w)), int((float64(y)+0.5)*float64(m.H)/float64(h)))
			}
		}
		same(t, "resized", m.Resize(w, h), want)
		if t.Failed() {
			t.Fatalf("from\n%s", text(m))
		}
	}
	if m := draw("##").Resize(0, 3); !m.Rect.Empty() {
		t.Error("a grid without cells has no mask")
	}
}
