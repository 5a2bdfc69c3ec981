package shape

import (
	"image"
	"math"
	"testing"
)

func TestSharesAndCuts(t *testing.T) {
	a, b := track(square(10, 10, 18)), track(square(19, 10, 18))
	if s := a.ShareUnder(b); math.Abs(s-0.5) > 0.1 {
		t.Errorf("half of it is covered, by %.2f", s)
	}
	if s := a.ShareUnder(track(square(40, 10, 18))); s != 0 {
		t.Errorf("what is apart covers %.2f", s)
	}
	if s := track(&Patch{W: 60, H: 40}).ShareUnder(a); s != 0 {
		t.Errorf("of nothing %.2f is covered", s)
	}
	var out Readout
	if s := b.Cover(out.Mask(a)); math.Abs(s-0.5) > 0.1 {
		t.Errorf("half of its mask is covered, by %.2f", s)
	}
	left := b.CutFrom(out.Mask(a))
	if left.Rect != image.Rect(10, 10, 19, 28) {
		t.Errorf("what is left is %v", left.Rect)
	}
	if all := a.CutFrom(out.Mask(a)); all.Count() != 0 {
		t.Errorf("%d cells are left of what is covered whole", all.Count())
	}
}

func TestPlacesOnATrackAreSpreadEvenly(t *testing.T) {
	for _, side := range []int{5, 20, 36} {
		tr := track(square(2, 2, side))
		n := 0
		cells := tr.Each(func(x, y int) {
			n++
			if x < 2 || y < 2 || x >= 2+side || y >= 2+side {
				t.Fatalf("%d, %d is not on it", x, y)
			}
		})
		if area := float64(side * side); n > samples || math.Abs(float64(n*cells)-area) > 0.2*area {
			t.Errorf("of %.0f cells %d places that stand for %d each", area, n, cells)
		}
	}
}
