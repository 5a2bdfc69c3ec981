package tracker_test

import (
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// cutTo shows another picture for some frames, from the present one's last on, and has the model say of disc i of it that it is the first
// object.
func (w *walk) cutTo(s *scene, from, n, i int) {
	w.Helper()
	w.tr.Flush()
	w.shown(s, from, n, i)
}

// shown is cutTo where nobody said that the picture is another.
func (w *walk) shown(s *scene, from, n, i int) {
	w.Helper()
	w.s, w.every = s, 1000
	for k := from; k < from+n; k++ {
		w.frame(k)
		w.tr.See(uint64(k+1), s.features(k))
		w.tr.Answer(uint64(k+1), []tracker.Answer{{ID: w.ids[0], Prediction: s.answer(w.ids[0], i, k)}})
	}
}

// After a cut to another place something that looks like the object stands elsewhere, or where it was but is larger. It is not the object,
// however often it is found; the object is found when its own picture is back.
func TestATwinInAnotherPlaceIsNoObject(t *testing.T) {
	for name, twin := range map[string]disc{"elsewhere": {r: 14, at: line(40, 70, 0, 0)}, "larger": {r: 20, at: line(80, 45, 0, 0)}} {
		w := settled(t, 40)
		home := *w.s
		twin.tex, twin.look = home.discs[0].tex, red
		other := &scene{w: home.w, h: home.h, ground: newTexture(7), discs: []disc{{newTexture(8), 200, line(80, 45, 0, 0), [3]float64{200, 60, 30}}, twin}}
		w.cutTo(other, 40, 20, 1)
		if s := w.state(0); s != seg.Lost {
			t.Errorf("%s: its twin in another place is taken for it: it is %v", name, s)
		}
		w.cutTo(&home, 60, 4, 0)
		if s := w.state(0); s != seg.Tracking {
			t.Errorf("%s: its picture is back, and it is %v", name, s)
		}
	}
}

// After a restart nothing in another place is an object either; it is found when its own picture is back, now or after one more restart. What
// was saved without its place may be found anywhere.
func TestATwinInAnotherPlaceIsNoObjectAfterARestart(t *testing.T) {
	w := settled(t, 40)
	home := *w.s
	twin := disc{home.discs[0].tex, 14, line(80, 45, 0, 0), red}
	other := &scene{w: home.w, h: home.h, ground: newTexture(7), discs: []disc{{newTexture(8), 200, line(80, 45, 0, 0), [3]float64{200, 60, 30}}, twin}}
	saved := kept(t, w)
	for restarts := range 2 {
		b := again(t, other, saved, w.ids)
		b.shown(other, 40, 20, 1)
		if s := b.state(0); s != seg.Lost {
			t.Errorf("after %d more restarts its twin in another place is taken for it: it is %v", restarts, s)
		}
		saved = kept(t, b)
		b.cutTo(&home, 60, 4, 0)
		if s := b.state(0); s != seg.Tracking {
			t.Errorf("after %d more restarts its picture is back, and it is %v", restarts, s)
		}
	}
	for i := range saved {
		saved[i].Place = tracker.SavedPlace{Colours: saved[i].Place.Colours[:7]}
	}
	b := again(t, other, saved, w.ids)
	b.shown(other, 40, 4, 1)
	if s := b.state(0); s != seg.Tracking {
		t.Errorf("its twin where nothing is known of its place: it is %v", s)
	}
}

// A camera that was knocked, or zooms all at once, shows the same place in another view: there the object is found at another place, and much
// larger.
func TestAnotherViewOfTheSamePlaceHasTheObject(t *testing.T) {
	for name, r := range map[string]float64{"moved": 14, "nearer": 24} {
		w := settled(t, 40)
		view := *w.s
		view.discs = []disc{{w.s.discs[0].tex, r, line(70, 30, 0, 0), red}, w.s.discs[1]}
		w.cutTo(&view, 40, 4, 0)
		if s := w.state(0); s != seg.Tracking {
			t.Errorf("%s: it is %v", name, s)
		}
	}
}
