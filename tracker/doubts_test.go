package tracker_test

import (
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// A model that is asked about every frame and finds nothing in a few of them has looked once: the object is uncertain, and stays. One that
// finds nothing for as long as an object may go unseen makes it hidden.
func TestDoubtTakesTimeNotAnswers(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 18, line(60, 60, 1, 0), red}}}
	for _, c := range []struct {
		blind int // frames
		want  seg.State
	}{{6, seg.Tracking}, {30, seg.Occluded}} {
		w := newWalk(t, s, tracker.Options{})
		w.every, w.late = 1, 0
		var worst seg.State
		for n := range 60 {
			w.blind = n > 20 && n <= 20+c.blind
			w.frame(n)
			o, _ := w.tr.Object(w.ids[0])
			if w.blind && (o.State == seg.Occluded || o.State == seg.Lost) {
				worst = seg.Occluded
			}
		}
		if c.want == seg.Occluded != (worst == seg.Occluded) {
			t.Errorf("blind for %d frames: hidden %v", c.blind, worst == seg.Occluded)
		}
	}
}
