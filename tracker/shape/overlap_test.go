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
	tr := track(square(10, 10, 20))
	for _, most := range []int{1000, 100, 10} {
		n := 0
		cells := tr.Each(most, func(x, y int) {
			n++
			if x < 10 || y < 10 || x >= 30 || y >= 30 {
				t.Fatalf("%d, %d is not on it", x, y)
			}
		})
		if n > most || math.Abs(float64(n*cells)-400) > 150 {
			t.Errorf("of %d at most: %d places for %d cells each, want 400 in all", most, n, cells)
		}
	}
}
