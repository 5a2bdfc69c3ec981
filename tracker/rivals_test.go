package tracker_test

import (
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// One of two look-alikes leaves the picture and comes back. The other, which stood beside it all the time, is never taken for it, though
// nothing else in the picture looks like it while it is away.
func TestWhatStoodBesideItIsNotTakenForIt(t *testing.T) {
	for _, away := range []int{30, 120} { // frames: within what is remembered of the picture, and longer
		leaves := func(n int) (float64, float64) { // out on the right by frame 35, in again from frame 35+away
			return 170 + 120*float64(min(n, 50))/50 - 120*float64(max(0, min(n-35-away, 50)))/50, 60
		}
		s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{
			{newTexture(2), 18, leaves, red},
			{newTexture(4), 18, line(50, 80, 0.05, 0), red},
		}}
		w := newWalk(t, s, tracker.Options{})
		w.alone = true
		for n := range 110 + away {
			w.frame(n)
			if o, ok := w.tr.Object(w.ids[0]); ok && o.State.Visible() && o.Mask != nil {
				if c := o.Mask.Centroid(); c.X < 0.4 && n < 60+away {
					t.Fatalf("away for %d frames: in frame %d the other one is taken for it; lost at %d", away, n, w.first(seg.ObjectLost, 0))
				}
			}
		}
		if w.first(seg.ObjectLost, 0) < 0 || w.first(seg.ObjectRecovered, 0) < 0 || w.iou(0, 109+away) < 0.7 {
			t.Errorf("away for %d frames: %v, IoU %.2f at the end", away, w.types(0), w.iou(0, 109+away))
		}
	}
}
