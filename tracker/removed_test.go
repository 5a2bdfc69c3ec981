package tracker_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// second is the error of what also returns something.
func second[V any](_ V, err error) error { return err }

// goOn shows frames in which disc 0's object may be another than the walk made.
func (w *walk) goOn(from, to int) {
	w.Helper()
	for n := from; n < to; n++ {
		w.on(n)
	}
}

func (w *walk) bringBack(want ...seg.ID) {
	w.Helper()
	got, err := w.tr.UndoRemoval()
	if err != nil || !slices.Equal(got, want) {
		w.Fatalf("brought back %v, %v; want %v", got, err, want)
	}
}

// An object that was removed a moment ago is followed on under its number and name as if nothing had been, with what can be taken back of it.
func TestARemovalIsUndone(t *testing.T) {
	w := settled(t, 13)
	id, now := w.ids[0], w.tr.Newest()
	if err := w.tr.Rename(id, "ball"); err != nil {
		t.Fatal(err)
	}
	if err := w.tr.Refine(id, mark(seg.Positive, w.s.truth(0, 12).Centroid()), now); err != nil {
		t.Fatal(err)
	}
	w.tr.Answer(now, []tracker.Answer{{ID: id, Prediction: w.s.answer(id, 0, 12)}})
	if _, err := w.tr.Remove(id); err != nil {
		t.Fatal(err)
	}
	w.changes = w.tr.Changes(w.changes)
	w.goOn(13, 16)
	w.bringBack(id)
	o, ok := w.tr.Object(id)
	if !ok || o.State != seg.Tracking || o.Name != "ball" || w.iou(0, 15) < 0.75 {
		t.Errorf("%v %q, IoU %.2f", o.State, o.Name, w.iou(0, 15))
	}
	w.changes = w.tr.Changes(w.changes)
	if last := w.changes[len(w.changes)-1]; last.Type != seg.ObjectRecovered || last.Before.State != seg.Ended || last.Details["undone"] != true {
		t.Errorf("told as %+v", last)
	}
	w.goOn(16, 30)
	if w.iou(0, 29) < 0.75 {
		t.Errorf("IoU %.2f afterwards", w.iou(0, 29))
	}
	if err := w.tr.Undo(id); err != nil {
		t.Errorf("the correction before the removal: %v", err)
	}
	if _, err := w.tr.UndoRemoval(); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("once too often: %v", err)
	}
}

// What was removed longer ago than the history reaches is looked for, first where it was, and found.
func TestALateUndoOfARemovalLooksForWhatWas(t *testing.T) {
	for name, between := range map[string]func(*walk){"later": func(*walk) {}, "after the source was opened anew": func(w *walk) { w.tr.Flush() }} {
		w := settled(t, 13)
		still := &scene{w: w.s.w, h: w.s.h, ground: w.s.ground, discs: slices.Clone(w.s.discs)}
		for i := range still.discs { // they stay where they were
			x, y := w.s.discs[i].at(12)
			still.discs[i].at = line(x, y, 0, 0)
		}
		w.s = still
		gone := w.tr.Clear()
		if len(gone) != 2 || len(w.tr.Objects(nil)) != 0 {
			t.Fatalf("%s: cleared %v", name, gone)
		}
		w.waiting = nil
		w.goOn(13, 100)
		between(w)
		w.goOn(100, 102)
		w.bringBack(w.ids...)
		if o, _ := w.tr.Object(w.ids[0]); o.State != seg.Lost {
			t.Errorf("%s: what is looked for is %v", name, o.State)
		}
		w.goOn(102, 130)
		for i := range w.ids {
			if w.state(i) != seg.Tracking || w.iou(i, 129) < 0.7 {
				t.Errorf("%s: disc %d is %v, IoU %.2f", name, i, w.state(i), w.iou(i, 129))
			}
		}
	}
}

// Several are removed together, and come back together or one by one; what was removed by itself has a step of its own.
func TestRemovalsAreSteps(t *testing.T) {
	w := settled(t, 13)
	a, b := w.ids[0], w.ids[1]
	if gone, err := w.tr.Remove(a, 99, a); err != nil || !slices.Equal(gone, []seg.ID{a}) {
		t.Fatalf("removed %v, %v", gone, err)
	}
	if gone, err := w.tr.Remove(b); err != nil || !slices.Equal(gone, []seg.ID{b}) {
		t.Fatalf("removed %v, %v", gone, err)
	}
	if !w.tr.Removed(a) || w.tr.Removed(99) {
		t.Error("what is kept is not known")
	}
	w.bringBack(b)
	w.bringBack(a)
	if objects := w.tr.Objects(nil); len(objects) != 2 || objects[0].ID != a || objects[1].ID != b {
		t.Errorf("%+v", objects)
	}
	w.tr.Clear()
	if got, err := w.tr.UndoRemoval(b, 99); err != nil || !slices.Equal(got, []seg.ID{b}) {
		t.Errorf("brought back %v, %v", got, err)
	}
	w.bringBack(a)
	w.tr.Clear()
	w.tr.ForgetRemoved()
	if _, err := w.tr.UndoRemoval(a); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("forgotten: %v", err)
	}
}

// What is kept is bounded: eight removals, as many objects as may live, for five minutes. A prompt that came to nothing is none of them.
func TestRemovalsAreBounded(t *testing.T) {
	w := settled(t, 13)
	a, b := w.ids[0], w.ids[1]
	now := w.tr.Newest()
	var many []seg.ID
	for range 9 {
		id := w.tr.Add("", point(0.5, 0.5), now)
		w.tr.Answer(now, []tracker.Answer{{ID: id, Prediction: w.s.answer(id, 0, 12)}})
		if _, err := w.tr.Remove(id); err != nil {
			t.Fatal(err)
		}
		many = append(many, id)
	}
	for i := 8; i > 0; i-- {
		w.bringBack(many[i])
	}
	if _, err := w.tr.UndoRemoval(); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("the ninth: %v", err)
	}
	w.tr.Withdraw(b)
	if _, err := w.tr.UndoRemoval(); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("a withdrawn object: %v", err)
	}
	if _, err := w.tr.Remove(a); err != nil {
		t.Fatal(err)
	}
	f := w.s.render(13)
	f.Seq += 299 * 30
	if err := w.tr.Step(f); err != nil {
		t.Fatal(err)
	}
	if !w.tr.Removed(a) {
		t.Error("forgotten before its time")
	}
	f.Seq += 2 * 30
	if err := w.tr.Step(f); err != nil {
		t.Fatal(err)
	}
	if w.tr.Removed(a) {
		t.Error("kept for too long")
	}
}

// With no room for all of them none is brought back, which says so; and the oldest removals go where they have more objects than may live.
func TestRemovalsNeedRoom(t *testing.T) {
	w := newWalk(t, smallScene(), tracker.Options{MaxObjects: 2})
	for i := range 13 {
		w.frame(i)
	}
	w.waiting = nil
	w.tr.Clear()
	now := w.tr.Newest()
	id := w.tr.Add("", point(w.s.truth(0, 12).Centroid().X, w.s.truth(0, 12).Centroid().Y), now)
	w.tr.Answer(now, []tracker.Answer{{ID: id, Prediction: w.s.answer(id, 0, 12)}})
	if _, err := w.tr.UndoRemoval(); !errors.Is(err, tracker.ErrNoRoom) || len(w.tr.Objects(nil)) != 1 {
		t.Errorf("brought back into a full house: %v", err)
	}
	if got, err := w.tr.UndoRemoval(w.ids[1]); err != nil || len(got) != 1 {
		t.Errorf("one has room: %v, %v", got, err)
	}
	w.tr.Clear()
	if w.tr.Removed(w.ids[0]) || !w.tr.Removed(id) || !w.tr.Removed(w.ids[1]) {
		t.Error("the older removal had to go, and the newer to stay")
	}
}

// What was removed is kept over a restart, as steps.
func TestRemovalsOutliveARestart(t *testing.T) {
	w := settled(t, 13)
	if err := w.tr.Rename(w.ids[0], "ball"); err != nil {
		t.Fatal(err)
	}
	for _, id := range w.ids {
		if _, err := w.tr.Remove(id); err != nil {
			t.Fatal(err)
		}
	}
	b := newWalk(t, w.s, tracker.Options{})
	b.tr.Restore(w.tr.Save(nil), w.tr.SaveRemoved()...)
	b.ids = w.ids
	if id := b.tr.Add("new", point(0.9, 0.9), 0); id <= w.ids[1] {
		t.Errorf("a new object is called %d, as an older one was", id)
	}
	b.tr.Clear()
	b.goOn(13, 16)
	b.bringBack(w.ids[1])
	b.bringBack(w.ids[0])
	b.goOn(16, 40)
	for i := range b.ids {
		if b.state(i) != seg.Tracking || b.iou(i, 39) < 0.7 {
			t.Errorf("disc %d is %v, IoU %.2f", i, b.state(i), b.iou(i, 39))
		}
	}
	if o, _ := b.tr.Object(b.ids[0]); o.Name != "ball" {
		t.Errorf("it is called %q", o.Name)
	}
}
