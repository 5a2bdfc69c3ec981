package eval

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// blobs is a mask of a few random discs, some over the border, on a grid of w×h.
func blobs(r *rand.Rand, w, h int) *seg.Mask {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for range r.IntN(4) {
		x, y, radius := r.Float64()*float64(w), r.Float64()*float64(h), 1+r.Float64()*float64(h)/3
		for i := range m.Bits {
			if math.Hypot(float64(i%w)-x, float64(i/w)-y) < radius {
				m.Bits[i] = 1
			}
		}
	}
	return m.Trim()
}

// plainOutline is DAVIS's _seg2bmap, word by word.
func plainOutline(m *seg.Mask) []cell {
	at := func(x, y int) uint8 { return m.At(min(x, m.W-1), min(y, m.H-1)) }
	var out []cell
	for y := range m.H {
		for x := range m.W {
			v, right, below, corner := at(x, y), at(x+1, y), at(x, y+1), at(x+1, y+1)
			if x == m.W-1 { // the last column looks down only, the last row to the right only, the last cell nowhere
				right, corner = v, v
			}
			if y == m.H-1 {
				below, corner = v, v
			}
			if v != right || v != below || v != corner {
				out = append(out, cell{int32(x), int32(y)})
			}
		}
	}
	return out
}

// plainBoundary is F with the distance to every cell of the other outline.
func plainBoundary(got, truth *seg.Mask) float64 {
	radius := math.Ceil(BoundaryWidth * math.Hypot(float64(got.W), float64(got.H)))
	a, b := plainOutline(got), plainOutline(truth)
	found := func(of, in []cell) float64 {
		n := 0.0
		for _, p := range of {
			for _, q := range in {
				if math.Hypot(float64(p.x-q.x), float64(p.y-q.y)) <= radius {
					n++
					break
				}
			}
		}
		return n / float64(len(of))
	}
	switch {
	case len(a) == 0 && len(b) == 0:
		return 1
	case len(a) == 0 || len(b) == 0:
		return 0
	}
	precision, recall := found(a, b), found(b, a)
	if precision+recall == 0 {
		return 0
	}
	return 2 * precision * recall / (precision + recall)
}

// TestBoundaryIsThePlainOne compares the fast measure with its definition on random masks, empty and cut off ones among them.
func TestBoundaryIsThePlainOne(t *testing.T) {
	testkit.Long(t)
	r := rand.New(rand.NewPCG(7, 11))
	for i := range 60 {
		w, h := 20+r.IntN(90), 20+r.IntN(60)
		a, b := blobs(r, w, h), blobs(r, w, h)
		if got, want := len(outlineOf(a)), len(plainOutline(a)); got != want {
			t.Fatalf("case %d: an outline of %d cells, want %d", i, got, want)
		}
		if got, want := Boundary(a, b), plainBoundary(a, b); math.Abs(got-want) > 1e-12 {
			t.Fatalf("case %d of %dx%d: F %v, want %v", i, w, h, got, want)
		}
		if Boundary(a, b) != Boundary(b, a) || Region(a, b) != Region(b, a) {
			t.Fatalf("case %d: got and truth cannot be swapped", i)
		}
		if Boundary(a, a) != 1 || Region(a, a) != 1 {
			t.Fatalf("case %d: a mask is not itself", i)
		}
	}
}

// TestBoundaryFallsWithTheShift moves a block away from the truth.
func TestBoundaryFallsWithTheShift(t *testing.T) {
	testkit.Long(t)
	truth, last := square(400, 300, image.Rect(100, 100, 200, 180)), 1.0
	for dx := range 12 {
		f := Boundary(square(400, 300, image.Rect(100+dx, 100, 200+dx, 180)), truth)
		if f > last+1e-12 {
			t.Errorf("shifted by %d cells F rises from %v to %v", dx, last, f)
		}
		if dx <= 4 && f != 1 { // ceil(0.008·500)
			t.Errorf("shifted by %d of 4 cells F is %v", dx, f)
		}
		last = f
	}
	if last > 0.7 {
		t.Errorf("shifted by 11 cells F is still %v", last)
	}
}
