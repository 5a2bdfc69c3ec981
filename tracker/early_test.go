package tracker_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// An object that is renamed before its first answer is new all the same when that comes, under its new name, and nothing is told of it
// before.
func TestANameBeforeTheFirstAnswer(t *testing.T) {
	s := smallScene()
	w := newWalk(t, s, tracker.Options{UpdateEvery: -1})
	w.blind, w.every = true, 1000
	w.frame(0)
	id := w.tr.Add("late", point(0.25, 0.5), 1)
	if err := w.tr.Rename(id, "mug"); err != nil {
		t.Fatal(err)
	}
	if told := w.tr.Changes(nil); slices.ContainsFunc(told, func(c seg.Change) bool { return c.After.ID == id }) {
		t.Errorf("told of an object that has no answer yet: %v", told)
	}
	w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
	told := w.tr.Changes(nil)
	if len(told) != 1 || told[0].Type != seg.ObjectNew || told[0].Before != nil || told[0].After.Name != "mug" {
		t.Errorf("told %+v, want object.new of mug", told)
	}
}

// Two clicks were answered as one, and the second is taken back. What the first alone would have been is asked as long as it can be carried
// to the present; later there is nothing to go back to, and the object stays what it is.
func TestUndoOfWhatWasAnsweredAsOne(t *testing.T) {
	w, id := answeredAsOne(t)
	w.frame(1)
	if err := w.tr.Undo(id); err != nil {
		t.Fatal(err)
	}
	if q := w.tr.Query(2, []seg.ID{id}, nil); len(q) != 1 || len(q[0].Prompt.Clicks) != 1 || q[0].Prompt.Mask != nil {
		t.Errorf("asked %+v, want the first click alone", q)
	}
	w, id = answeredAsOne(t)
	for n := 1; n < 20; n++ {
		w.frame(n)
	}
	before, _ := w.tr.Object(id)
	if err := w.tr.Undo(id); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("undo of what nobody remembers: %v", err)
	}
	if o, ok := w.tr.Object(id); !ok || o.State != before.State {
		t.Errorf("it was %v and is %v", before.State, o.State)
	}
}

// While the first click alone waits to be asked again the picture goes: it can never be asked, and the object ends, which is told.
func TestWhatCannotBeAskedAgainEnds(t *testing.T) {
	w, id := answeredAsOne(t)
	w.frame(1)
	if err := w.tr.Undo(id); err != nil {
		t.Fatal(err)
	}
	w.tr.Flush()
	w.frame(2)
	w.frame(3)
	if _, ok := w.tr.Object(id); ok {
		t.Error("it is tentative for ever")
	}
	if !slices.ContainsFunc(w.changes, func(c seg.Change) bool { return c.Type == seg.ObjectEnded && c.After.ID == id }) {
		t.Error("its end is not told")
	}
}

// answeredAsOne is a walk that remembers eight frames, and an object that two clicks made before the model could answer the first.
func answeredAsOne(t *testing.T) (*walk, seg.ID) {
	t.Helper()
	s := smallScene()
	w := newWalk(t, s, tracker.Options{History: 8})
	w.blind, w.every = true, 1000
	w.frame(0)
	at := s.truth(0, 0).Centroid()
	id := w.tr.Add("twice", point(at.X, at.Y), 1)
	if err := w.tr.Refine(id, mark(seg.Positive, at), 1); err != nil {
		t.Fatal(err)
	}
	w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
	return w, id
}

// What a person said of an object and was not answered ends with the picture: the next answer to a routine question is no answer to it, and
// is believed only of what looks like the object.
func TestWhatWasSaidEndsWithThePicture(t *testing.T) {
	w := settled(t, 9)
	id := w.ids[0]
	if err := w.tr.Refine(id, mark(seg.Positive, seg.Point{X: 0.9, Y: 0.9}), w.tr.Newest()); err != nil {
		t.Fatal(err)
	}
	w.tr.Flush()
	w.every = 1000
	w.frame(9)
	w.tr.See(10, w.s.features(9))
	w.tr.Answer(10, []tracker.Answer{{ID: id, Prediction: w.s.answer(id, 1, 9)}}) // the other disc
	if o, _ := w.tr.Object(id); o.State != seg.Lost {
		t.Errorf("the other disc is taken for it: it is %v", o.State)
	}
}
