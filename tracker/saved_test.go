package tracker_test

import (
	"bytes"
	"encoding/gob"
	"errors"
	"image"
	"slices"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/shape"
)

// kept is what a walk has saved, once through an encoding.
func kept(t *testing.T, w *walk) []tracker.Saved {
	t.Helper()
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(w.tr.Save(nil)); err != nil {
		t.Fatal(err)
	}
	var out []tracker.Saved
	if err := gob.NewDecoder(&buf).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// again is a new walk over a scene, with what was saved restored in it.
func again(t *testing.T, s *scene, saved []tracker.Saved, ids []seg.ID) *walk {
	t.Helper()
	w := newWalk(t, s, tracker.Options{})
	w.tr.Restore(saved)
	w.ids = ids
	return w
}

// on shows a frame of a walk whose objects are not new.
func (w *walk) on(n int) {
	w.Helper()
	f := w.s.render(n)
	f.Captured = time.Unix(0, 0).Add(time.Duration(n) * w.tick)
	if err := w.tr.Step(f); err != nil {
		w.Fatal(err)
	}
	if w.waiting == nil && n%w.every == 0 {
		w.ask(n)
	}
	if w.waiting != nil && n >= w.due {
		w.tr.Answer(uint64(w.asked+1), w.waiting)
		w.waiting = nil
	}
	w.changes = w.tr.Changes(w.changes)
}

// When an object was made, and when it was last seen, is known over restarts; what is saved of one that rests stays the same for a while.
func TestTimesOutliveARestart(t *testing.T) {
	w := newWalk(t, smallScene(), tracker.Options{})
	w.tick = 40 * time.Millisecond
	for n := range 13 {
		w.frame(n)
	}
	at := func(n int) time.Time { return time.Unix(0, 0).Add(time.Duration(n) * w.tick) }
	was, _ := w.tr.Object(w.ids[0])
	if !was.Made.Equal(at(0)) || !was.Seen.Equal(at(12)) {
		t.Fatalf("made %v, seen %v", was.Made, was.Seen)
	}
	saved := kept(t, w)
	if !saved[0].Made.Equal(at(0)) || !saved[0].Seen.Equal(at(0)) {
		t.Errorf("saved as made %v, seen %v", saved[0].Made, saved[0].Seen)
	}
	b := again(t, w.s, saved, w.ids)
	b.tick = w.tick
	if o, _ := b.tr.Object(b.ids[0]); !o.Made.Equal(at(0)) || !o.Seen.Equal(at(0)) {
		t.Errorf("restored as made %v, seen %v", o.Made, o.Seen)
	}
	for n := 13; n < 31; n++ {
		b.on(n)
	}
	if o, _ := b.tr.Object(b.ids[0]); o.State != seg.Tracking || !o.Made.Equal(at(0)) || !o.Seen.Equal(at(30)) {
		t.Errorf("%v: made %v, seen %v", o.State, o.Made, o.Seen)
	}
}

// Objects that are where they were are recovered after a restart, under their ids and names, and followed on.
func TestSavedObjectsComeBack(t *testing.T) {
	w := settled(t, 13)
	if err := w.tr.Rename(w.ids[0], "ball"); err != nil {
		t.Fatal(err)
	}
	b := again(t, w.s, kept(t, w), w.ids)
	for _, o := range b.tr.Objects(nil) {
		if o.State != seg.Lost || o.Mask != nil {
			t.Errorf("before the first frame object %d is %v", o.ID, o.State)
		}
	}
	for n := 13; n < 31; n++ {
		b.on(n)
	}
	for i := range b.ids {
		if got := b.types(i); !slices.Equal(got, []seg.EventType{seg.ObjectRecovered}) {
			t.Errorf("disc %d: %v", i, got)
		}
	}
	if o, _ := b.tr.Object(b.ids[0]); o.Name != "ball" || o.Prompt != "point" || b.iou(0, 30) < 0.75 {
		t.Errorf("%q, prompted with %q, IoU %.2f", o.Name, o.Prompt, b.iou(0, 30))
	}
	if id := b.tr.Add("new", point(0.9, 0.9), b.tr.Newest()); id <= b.ids[1] {
		t.Errorf("a new object is called %d, as an older one was", id)
	}
	if c := b.changes[0]; c.Before == nil || c.Before.State != seg.Tracking {
		t.Errorf("before: %+v", c.Before)
	}
}

// What was said before a restart can be taken back after it: the object is looked for as it was then, and found.
func TestUndoOutlivesARestart(t *testing.T) {
	w := settled(t, 13)
	id, now := w.ids[0], w.tr.Newest()
	for range 3 { // to the other disc, which is learnt well
		if err := w.tr.Refine(id, mark(seg.Positive, w.s.truth(1, 12).Centroid()), now); err != nil {
			t.Fatal(err)
		}
		w.tr.Answer(now, []tracker.Answer{{ID: id, Prediction: w.s.answer(id, 1, 12)}})
	}
	for range 2 { // to what it was after the first
		if err := w.tr.Undo(id); err != nil {
			t.Fatal(err)
		}
	}
	b := again(t, w.s, kept(t, w), w.ids)
	for n := 13; n < 31; n++ {
		b.on(n)
	}
	if err := b.tr.Undo(id); err != nil {
		t.Fatal(err)
	}
	if o, _ := b.tr.Object(id); o.State != seg.Lost {
		t.Errorf("what is looked for is %v", o.State)
	}
	for n := 31; n < 60; n++ {
		b.on(n)
	}
	if o, _ := b.tr.Object(id); o.State != seg.Tracking || b.iou(0, 59) < 0.7 {
		t.Errorf("%v, IoU %.2f with what it was before", o.State, b.iou(0, 59))
	}
	if err := b.tr.Undo(id); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("once too often: %v", err)
	}
}

// One that has moved while nobody looked is found by its look; one that is gone is lost a second after the model's first answer, and said
// once.
func TestSavedObjectsThatMovedOrWent(t *testing.T) {
	w := settled(t, 13)
	later := &scene{w: w.s.w, h: w.s.h, ground: w.s.ground, discs: []disc{w.s.discs[0]}}
	later.discs[0].at = line(95, 30, 0, 0)
	b := again(t, later, kept(t, w), w.ids)
	lostAt := 0
	for n := range 80 {
		b.on(n)
		if lostAt == 0 && slices.Contains(b.types(1), seg.ObjectLost) {
			lostAt = n
		}
	}
	if got := b.types(1); !slices.Equal(got, []seg.EventType{seg.ObjectLost}) || lostAt < 28 || lostAt > 45 {
		t.Errorf("the one that is gone: %v, in frame %d", got, lostAt)
	}
	if got := b.types(0); !slices.Contains(got, seg.ObjectRecovered) || b.iou(0, 79) < 0.7 {
		t.Errorf("the one that moved: %v, IoU %.2f", got, b.iou(0, 79))
	}
}

// The picture may have another shape after a restart, the model another name; and what was saved may be anything.
func TestRestoreTakesWhatItCan(t *testing.T) {
	w := settled(t, 13)
	saved := kept(t, w)
	wide := &scene{w: 200, h: 60, ground: w.s.ground, discs: w.s.discs}
	b := again(t, wide, saved, w.ids)
	b.tr.UseModel("another")
	for n := 13; n < 20; n++ {
		b.on(n)
	}
	for name, spoil := range map[string]func(*tracker.Saved){
		"no id":            func(s *tracker.Saved) { s.ID = 0 },
		"twice":            func(s *tracker.Saved) { s.ID = saved[1].ID },
		"no mask":          func(s *tracker.Saved) { s.Mask = shape.Saved{} },
		"a mask elsewhere": func(s *tracker.Saved) { s.Mask.Rect = s.Mask.Rect.Add(image.Pt(1000, 0)) },
		"half a mask":      func(s *tracker.Saved) { s.Mask.Steps = s.Mask.Steps[:5] },
		"half a look":      func(s *tracker.Saved) { s.Look.Models[0].Scales[0].Late[1] = nil },
		"half the colours": func(s *tracker.Saved) { s.Look.Colours[3] = s.Look.Colours[3][:7] },
		"no size":          func(s *tracker.Saved) { s.Area = 0 },
	} {
		bad := kept(t, w)
		spoil(&bad[0])
		c := again(t, w.s, bad, w.ids)
		if n := len(c.tr.Objects(nil)); n != 1 {
			t.Errorf("%s: %d objects are restored", name, n)
		}
		for n := 13; n < 20; n++ {
			c.on(n)
		}
	}
}
