package tracker_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

func smallScene() *scene {
	return &scene{w: 160, h: 90, ground: newTexture(1), discs: []disc{
		{newTexture(2), 14, line(40, 45, 1, 0), red}, {newTexture(3), 14, line(110, 45, -0.5, 0.1), blue},
	}}
}

func TestCommandsNameWhatIsMissing(t *testing.T) {
	w := newWalk(t, smallScene(), tracker.Options{})
	w.frame(0)
	id := w.ids[0]
	for name, err := range map[string]error{
		"choose": w.tr.Choose(99, 0), "undo": w.tr.Undo(99), "confirm": w.tr.Confirm(99), "reject": w.tr.Reject(99),
		"rename": w.tr.Rename(99, "x"), "remove": second(w.tr.Remove(99)), "refine": w.tr.Refine(99, point(0.5, 0.5), 1),
	} {
		if !errors.Is(err, tracker.ErrNoObject) {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
	if err := w.tr.Choose(id, 0); !errors.Is(err, tracker.ErrNoCandidate) {
		t.Errorf("choose without candidates: %v", err)
	}
	if err := w.tr.Undo(id); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("undo of nothing: %v", err)
	}
}

func TestAmbiguityIsReportedChosenAndUndone(t *testing.T) {
	s := smallScene()
	tr := tracker.New(tracker.Options{GridWidth: 160}, lk.New(lk.Options{}))
	if err := tr.Step(s.render(0)); err != nil {
		t.Fatal(err)
	}
	id := tr.Add("it", point(0.25, 0.5), 1)
	p := s.answer(id, 0, 0)
	p.Candidates = append(p.Candidates, s.answer(id, 1, 0).Candidates...)
	p.Ambiguous = true
	tr.Answer(1, []tracker.Answer{{ID: id, Prediction: p}})
	step := func(n int) seg.Object {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		o, _ := tr.Object(id)
		return o
	}
	for n := 1; n < 7; n++ {
		step(n)
	}
	before, _ := tr.Object(id)
	tr.Answer(5, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 4)}}) // a routine keyframe: the offer stands
	if o, _ := tr.Object(id); len(o.Candidates) != 1 || o.Candidates[0].Mask.IoU(before.Candidates[0].Mask) < 0.9 {
		t.Fatalf("%d candidates after a routine keyframe", len(o.Candidates))
	}
	o := step(7)
	if len(o.Candidates) != 1 || o.Mask.IoU(s.truth(0, 7)) < 0.7 {
		t.Fatalf("%d candidates, IoU %.3f", len(o.Candidates), o.Mask.IoU(s.truth(0, 7)))
	}
	if err := tr.Choose(id, 0); err != nil {
		t.Fatal(err)
	}
	if o, _ = tr.Object(id); o.Candidates != nil || o.Mask.Contains(s.truth(0, 7).Centroid()) {
		t.Error("chosen, but the mask stays")
	}
	if err := tr.Step(s.render(8)); err != nil {
		t.Fatal(err)
	}
	if err := tr.Undo(id); err != nil {
		t.Fatal(err)
	}
	if o, _ = tr.Object(id); o.Mask.IoU(s.truth(0, 8)) < 0.7 || len(o.Candidates) != 1 {
		t.Errorf("undone: IoU %.3f, %d candidates", o.Mask.IoU(s.truth(0, 8)), len(o.Candidates))
	}
	var types []seg.EventType
	for _, c := range tr.Changes(nil) {
		types = append(types, c.Type)
	}
	if !slices.Equal(types[:2], []seg.EventType{seg.ObjectNew, seg.ObjectAmbiguous}) {
		t.Errorf("events %v", types)
	}
}

// TestWhatWasNotChosenIsForgotten: of an object that one of several boxes may mean, a further click asks without the box of what was not meant.
func TestWhatWasNotChosenIsForgotten(t *testing.T) {
	s := smallScene()
	tr := tracker.New(tracker.Options{GridWidth: 160}, lk.New(lk.Options{}))
	if err := tr.Step(s.render(0)); err != nil {
		t.Fatal(err)
	}
	first, second := s.truth(0, 0).Box(), s.truth(1, 0).Box()
	id := tr.Add("it", seg.Prompt{Box: &first, Others: []seg.Box{second}}, 1)
	p := s.answer(id, 0, 0)
	p.Candidates = append(p.Candidates, s.answer(id, 1, 0).Candidates...)
	p.Ambiguous = true
	if q := tr.Query(1, []seg.ID{id}, nil); len(q) != 1 || q[0].Prompt.Box == nil || len(q[0].Prompt.Others) != 1 {
		t.Fatalf("asked %+v: want both boxes", q)
	}
	tr.Answer(1, []tracker.Answer{{ID: id, Prediction: p}})
	if err := tr.Choose(id, 0); err != nil {
		t.Fatal(err)
	}
	middle := s.truth(1, 0).Center()
	if err := tr.Refine(id, point(middle.X, middle.Y), 1); err != nil {
		t.Fatal(err)
	}
	if q := tr.Query(1, []seg.ID{id}, nil); len(q) != 1 || q[0].Prompt.Box != nil || len(q[0].Prompt.Others) != 0 || len(q[0].Prompt.Clicks) != 1 {
		t.Errorf("asked %+v: want the click and no box", q)
	}
}

func TestLifeByCommand(t *testing.T) {
	w := newWalk(t, smallScene(), tracker.Options{UpdateEvery: -1})
	for n := range 6 {
		w.frame(n)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.tr.Rename(w.ids[0], "ball"))
	if o, _ := w.tr.Object(w.ids[0]); o.Name != "ball" {
		t.Errorf("name %q", o.Name)
	}
	must(w.tr.Confirm(w.ids[0]))
	must(w.tr.Reject(w.ids[0]))
	if o, _ := w.tr.Object(w.ids[0]); o.State != seg.Lost || o.Mask != nil {
		t.Errorf("rejected, yet %v with mask %v", o.State, o.Mask)
	}
	must(second(w.tr.Remove(w.ids[0])))
	if _, ok := w.tr.Object(w.ids[0]); ok {
		t.Error("removed, yet there")
	}
	w.tr.Clear()
	if len(w.tr.Objects(nil)) != 0 {
		t.Error("cleared, yet there")
	}
	w.changes = w.tr.Changes(w.changes)
	for i := range w.ids {
		if got := w.types(i); got[len(got)-1] != seg.ObjectEnded {
			t.Errorf("disc %d ends with %v", i, got)
		}
	}
	for _, c := range w.changes {
		if c.Type == seg.ObjectEnded && c.Details["removed"] != true {
			t.Errorf("object %d ended by command, which is not said: %v", c.After.ID, c.Details)
		}
	}
}

func TestFlushKeepsIdsAndFindsAgain(t *testing.T) {
	w := newWalk(t, smallScene(), tracker.Options{})
	for n := range 9 {
		w.frame(n)
	}
	big := frame.New(320, 180)
	big.Seq = 10
	if err := w.tr.Step(big); err != nil {
		t.Fatal(err)
	}
	if w.tr.Oldest() != 10 || w.tr.Newest() != 10 {
		t.Errorf("another size keeps the history %d–%d", w.tr.Oldest(), w.tr.Newest())
	}
	for _, o := range w.tr.Objects(nil) {
		if o.State != seg.Lost || o.Mask != nil {
			t.Errorf("object %d is %v after a flush", o.ID, o.State)
		}
	}
	w.waiting = nil
	for n := 10; n < 24; n++ {
		w.frame(n)
	}
	if iou := w.iou(0, 23); iou < 0.7 {
		t.Errorf("IoU %.3f: not found again after the flush; %v", iou, w.types(0))
	}
}

func TestGapsAndOrder(t *testing.T) {
	s := smallScene()
	tr := tracker.New(tracker.Options{GridWidth: 160}, lk.New(lk.Options{}))
	if err := tr.Step(s.render(0)); err != nil {
		t.Fatal(err)
	}
	id := tr.Add("it", point(0.25, 0.5), 1)
	for _, n := range []int{1, 2, 5, 6, 9, 12} { // frames 3, 4, 7, 8 … were dropped
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
	}
	tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
	if o, ok := tr.Object(id); !ok || o.Mask.IoU(s.truth(0, 12)) < 0.7 || o.MaskAge != 12 {
		t.Errorf("%+v over gaps", o)
	}
	if err := tr.Step(s.render(12)); !errors.Is(err, tracker.ErrOrder) {
		t.Errorf("the same frame again: %v", err)
	}
	tr.Answer(4, []tracker.Answer{{ID: id, Prediction: s.answer(id, 1, 3)}}) // of a frame that never was
	if o, _ := tr.Object(id); o.Mask.IoU(s.truth(0, 12)) < 0.7 {
		t.Error("an answer for a dropped frame was believed")
	}
}

func TestCarryGoesBothWays(t *testing.T) {
	s := smallScene()
	tr := tracker.New(tracker.Options{GridWidth: 160}, lk.New(lk.Options{}))
	for n := range 16 {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
	}
	c := s.truth(0, 0).Centroid()
	box := s.truth(0, 0).Box()
	p := point(c.X, c.Y)
	p.Box = &box
	there, trust, err := tr.Carry(p, 1, 16)
	if err != nil || trust < 0.5 {
		t.Fatalf("trust %.2f, %v", trust, err)
	}
	want := s.truth(0, 15)
	if d := there.Clicks[0].Sub(want.Centroid()); d.X*d.X+d.Y*d.Y > 0.0005 {
		t.Errorf("the click is at %v, the disc at %v", there.Clicks[0].Point, want.Centroid())
	}
	if iou := there.Box.IoU(want.Box()); iou < 0.6 {
		t.Errorf("box IoU %.3f", iou)
	}
	back, _, err := tr.Carry(there, 16, 1)
	if d := back.Clicks[0].Sub(c); err != nil || d.X*d.X+d.Y*d.Y > 0.0005 {
		t.Errorf("back at %v instead of %v, %v", back.Clicks[0].Point, c, err)
	}
	if p.Clicks[0].Point != c {
		t.Error("the prompt given was changed")
	}
	if _, _, err := tr.Carry(p, 0, 16); !errors.Is(err, tracker.ErrForgotten) {
		t.Errorf("from before the history: %v", err)
	}
}

// Whatever comes in whatever order, the tracker stays sound: bounded, valid masks, no id twice.
func TestRandomCommandsNeverBreakIt(t *testing.T) {
	s := smallScene()
	frames, features := make([]*frame.Frame, 12), make([][]seg.Features, 12)
	for n := range frames {
		frames[n] = s.render(n)
		features[n] = cellMeans(frames[n])
	}
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		tr := tracker.New(tracker.Options{GridWidth: 160, Points: 150, MaxObjects: 8, ForgetAfter: 1}, lk.New(lk.Options{Workers: 1}))
		seq := uint64(0)
		ids := []seg.ID{1}
		id := func() seg.ID { return ids[r.IntN(len(ids))] }
		at := func() uint64 { return seq - min(seq, r.Uint64N(80)) }
		for range 400 {
			switch r.IntN(14) {
			case 0, 1, 2, 3:
				seq += 1 + r.Uint64N(3)
				f := frames[r.IntN(len(frames))]
				f.Seq = seq
				if err := tr.Step(f); err != nil {
					t.Fatal(err)
				}
			case 4:
				if n := tr.Add("x", point(r.Float64(), r.Float64()), at()); n != 0 {
					ids = append(ids, n)
				}
			case 5:
				_ = tr.Refine(id(), point(r.Float64(), r.Float64()), at())
			case 6, 7:
				k := at()
				qs := tr.Query(k, nil, nil)
				var as []tracker.Answer
				for _, q := range qs {
					a := tracker.Answer{ID: q.ID, Prompt: q.Prompt, Prediction: s.answer(q.ID, r.IntN(2), r.IntN(12))}
					if r.IntN(4) == 0 {
						a.Prediction, a.Err = seg.Prediction{}, errors.New("no")
					}
					as = append(as, a)
				}
				tr.Answer(k, as)
			case 8:
				_ = tr.Choose(id(), r.IntN(2))
				_ = tr.Undo(id())
			case 9:
				_ = tr.Reject(id())
				_ = tr.Confirm(id())
			case 10:
				tr.See(at(), features[r.IntN(12)])
			case 11:
				_, _, _ = tr.Carry(point(r.Float64(), r.Float64()), at(), at())
				tr.WantKeyframe()
			case 12:
				if r.IntN(8) == 0 {
					tr.Flush()
				}
				_, _ = tr.Remove(id())
				if r.IntN(3) == 0 {
					tr.Clear()
				}
			case 13:
				_, _ = tr.UndoRemoval()
				_, _ = tr.UndoRemoval(id(), id())
				_ = tr.Rename(id(), "y")
			}
			sound(t, tr)
		}
	}
}

func sound(t *testing.T, tr *tracker.Tracker) {
	t.Helper()
	last := seg.ID(0)
	objects := tr.Objects(nil)
	if len(objects) > 8 {
		t.Fatalf("%d objects", len(objects))
	}
	for _, o := range objects {
		if o.ID <= last {
			t.Fatalf("object %d after %d", o.ID, last)
		}
		last = o.ID
		if m := o.Mask; m != nil && (len(m.Bits) != m.Rect.Dx()*m.Rect.Dy() || m.Area() > 0.9) {
			t.Fatalf("object %d has a mask of %v, area %.2f", o.ID, m.Rect, m.Area())
		}
		if o.State.Visible() && o.Mask == nil {
			t.Fatalf("object %d is %v without a mask", o.ID, o.State)
		}
	}
	tr.Changes(nil)
}
