package tracker_test

import (
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// Of what stands still little is told: that it is still there, every half minute. What moves is told of as often as may be.
func TestWhatStandsStillIsHardlyTold(t *testing.T) {
	for name, c := range map[string]struct {
		vx          float64
		least, most int
	}{"still": {0, 1, 2}, "moving": {0.2, 20, 40}} {
		s := &scene{w: 160, h: 90, ground: newTexture(1), discs: []disc{{newTexture(2), 14, line(40, 45, c.vx, 0), red}}}
		w := newWalk(t, s, tracker.Options{FPS: 10})
		w.tick = 100 * time.Millisecond
		for n := range 400 {
			w.frame(n)
		}
		told := 0
		for _, change := range w.changes {
			if change.Type == seg.ObjectUpdated {
				told++
			}
		}
		if told < c.least || told > c.most {
			t.Errorf("%s: told %d times in 40 s, want %d to %d", name, told, c.least, c.most)
		}
	}
}
