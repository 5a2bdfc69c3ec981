package seg

import (
	"image"
	"math"
	"slices"
	"testing"
)

// area is the signed area of a ring in cells, positive clockwise on the screen.
func area(ring []Point, w, h int) float64 {
	sum := 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += p.X*q.Y - q.X*p.Y
	}
	return sum / 2 * float64(w*h)
}

// fill paints rings by the even-odd rule.
func fill(rings [][]Point, w, h int) *Mask {
	m := NewMask(w, h, image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			px, py := (float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)
			for _, ring := range rings {
				for i, a := range ring {
					b := ring[(i+1)%len(ring)]
					if (a.Y > py) != (b.Y > py) && px < a.X+(py-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
						m.Row(y)[x] ^= 1
					}
				}
			}
		}
	}
	return m
}

func TestPolygonsOfASquareWithAHole(t *testing.T) {
	m := draw(
		"....",
		".###",
		".#.#",
		".###").Trim()
	got := m.Polygons(0)
	want := [][]Point{
		{{1, 0.25}, {1, 1}, {0.25, 1}, {0.25, 0.25}},
		{{0.5, 0.75}, {0.75, 0.75}, {0.75, 0.5}, {0.5, 0.5}},
	}
	if len(got) != 2 || !slices.Equal(got[0], want[0]) || math.Abs(area(got[1], 4, 4)+1) > 1e-9 || len(got[1]) != 4 {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPolygonsAreExactWithoutSimplification(t *testing.T) {
	r := seeded()
	for range 200 {
		m := noise(r, 1+r.IntN(16), 1+r.IntN(16), r.Float64())
		rings := m.Polygons(0)
		sum := 0.0
		for _, ring := range rings {
			sum += area(ring, m.W, m.H)
		}
		if math.Abs(sum-float64(m.Count())) > 1e-6 {
			t.Fatalf("area %v, %d cells in\n%s", sum, m.Count(), text(m))
		}
		same(t, "filled", fill(rings, m.W, m.H).Trim(), m)
		if t.Failed() {
			t.FailNow()
		}
	}
}

func TestPolygonsSimplified(t *testing.T) {
	m := disc(854, 480, Point{0.5, 0.5}, 0.2, 0.35)
	exact, plain := m.Polygons(0), m.Polygons(1)
	if len(plain) != 1 || len(plain[0])*8 > len(exact[0]) {
		t.Fatalf("%d corners of %d are left", len(plain[0]), len(exact[0]))
	}
	if iou := fill(plain, 854, 480).IoU(m); iou < 0.98 {
		t.Errorf("IoU %v with the mask", iou)
	}
	for _, p := range plain[0] {
		if !p.In01() {
			t.Errorf("%v lies outside the picture", p)
		}
	}
	if got := draw("....", ".#..", "....").Polygons(3); len(got) != 0 {
		t.Errorf("a cell smaller than epsilon leaves no ring: %v", got)
	}
	if got := (&Mask{W: 3, H: 3}).Polygons(1); got != nil {
		t.Errorf("an empty mask has no polygons: %v", got)
	}
}
