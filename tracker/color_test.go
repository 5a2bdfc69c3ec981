package tracker_test

import (
	"image/color"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// A new object's colour is chosen once, by its own mean colour and those of who is there, and stays: over corrections, a removal and a restart.
func TestTheColourIsChosenOnceAndStays(t *testing.T) {
	type choice struct {
		own  color.RGBA
		near []color.RGBA
	}
	choices := map[seg.ID]choice{}
	options := tracker.Options{Color: func(id seg.ID, own color.RGBA, near []color.RGBA) color.RGBA {
		if _, twice := choices[id]; twice {
			t.Errorf("object %d's colour is chosen twice", id)
		}
		choices[id] = choice{own, near}
		return color.RGBA{uint8(id), 0, 0, 255}
	}}
	s := smallScene()
	w := newWalk(t, s, options)
	for n := range 13 {
		w.frame(n)
	}
	w.waiting = nil
	for i, id := range w.ids {
		got, look := choices[id].own, s.discs[i].look // blue, green, red
		for c, v := range [3]uint8{got.B, got.G, got.R} {
			if d := float64(v) - look[c]; d < -25 || d > 25 {
				t.Errorf("disc %d of colour %v is taken for %v", i, look, got)
				break
			}
		}
	}
	if a, b := choices[w.ids[0]].near, choices[w.ids[1]].near; len(a)+len(b) != 1 {
		t.Errorf("neighbours: %v and %v, want the later to see the earlier", a, b)
	}
	painted := func(tr *tracker.Tracker, when string) {
		t.Helper()
		objects := tr.Objects(nil)
		for _, o := range objects {
			if o.Color != (color.RGBA{uint8(o.ID), 0, 0, 255}) {
				t.Errorf("%s: object %d is painted in %v", when, o.ID, o.Color)
			}
		}
		if len(objects) != 2 {
			t.Errorf("%s: %d objects", when, len(objects))
		}
	}
	painted(w.tr, "at first")
	w.tr.Clear()
	w.bringBack(w.ids...)
	painted(w.tr, "brought back")
	again := newWalk(t, s, options)
	again.tr.Restore(kept(t, w))
	again.ids = w.ids
	again.goOn(13, 20)
	painted(again.tr, "after a restart")
}
