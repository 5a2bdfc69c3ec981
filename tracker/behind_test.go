package tracker_test

import (
	"math"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// behind lets a disc run behind one that rests and that nobody follows. It returns how far the middle of what is shown was from the disc's
// at most, pixels, the IoU at the end, and what happened.
func behind(t *testing.T, look [3]float64, o tracker.Options) (away, last float64, happened []seg.EventType) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{
		{newTexture(2), 20, line(30, 60, 4, 0), look},
		{newTexture(7), 24, line(120, 66, 0, 0), white},
	}}
	w := newWalk(t, s, o)
	for n := range 46 {
		w.frame(n)
		if n == 0 {
			if _, err := w.tr.Remove(w.ids[1]); err != nil {
				t.Fatal(err)
			}
		}
		if o, ok := w.tr.Object(w.ids[0]); ok && o.State.Visible() {
			x, _ := s.discs[0].at(n)
			away = max(away, math.Abs(o.Mask.Centroid().X*float64(s.w)-x))
		}
		last = w.iou(0, n)
	}
	return away, last, w.types(0)
}

// What stands in front of a moving object, and is no object itself, does not keep its mask: that goes on at the object's speed, is called
// hidden, and is found again.
func TestAPostDoesNotKeepTheMask(t *testing.T) {
	away, last, happened := behind(t, red, tracker.Options{})
	kept, _, _ := behind(t, red, tracker.Options{Without: tracker.CueCover})
	t.Logf("at most %.1f pixels away; %.1f where nothing tells a post from the object", away, kept)
	if away > 16 || kept < 2*away {
		t.Errorf("it was shown %.1f pixels away; %.1f where nothing tells a post from the object", away, kept)
	}
	if last < 0.9 {
		t.Errorf("IoU %.3f when it shows again", last)
	}
	if want := []seg.EventType{seg.ObjectNew, seg.ObjectOccluded, seg.ObjectRecovered}; !slices.Equal(happened, want) {
		t.Errorf("events %v, want %v", happened, want)
	}
}

// Nor where its colours are those of the scene, and tell nothing.
func TestAPostDoesNotKeepTheMaskOfWhatLooksLikeTheGround(t *testing.T) {
	away, last, happened := behind(t, [3]float64{90, 110, 100}, tracker.Options{})
	t.Logf("at most %.1f pixels away, IoU %.2f at the end, %v", away, last, happened)
	if away > 16 || last < 0.8 {
		t.Errorf("it was shown %.1f pixels away; IoU %.2f when it shows again; %v", away, last, happened)
	}
}
