package tracker_test

import (
	"errors"
	"image"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// settled is a walk over two discs until both are known well, on frame n−1.
func settled(t *testing.T, n int) *walk {
	t.Helper()
	w := newWalk(t, smallScene(), tracker.Options{})
	for i := range n {
		w.frame(i)
	}
	w.waiting = nil
	return w
}

func (w *walk) state(i int) seg.State {
	o, _ := w.tr.Object(w.ids[i])
	return o.State
}

func mark(l seg.Label, p seg.Point) seg.Prompt {
	return seg.Prompt{Clicks: []seg.Click{{Point: p, Label: l}}}
}

// A refinement that the model cannot take leaves the object as it was: nothing waits for it, it is never asked again, nothing is there to
// undo.
func TestARefusedRefinementIsTakenBack(t *testing.T) {
	w := settled(t, 9)
	id, now := w.ids[0], w.tr.Newest()
	for _, p := range []seg.Point{{X: 0.9, Y: 0.9}, {X: 0.8, Y: 0.9}} {
		if err := w.tr.Refine(id, mark(seg.Negative, p), now); err != nil {
			t.Fatal(err)
		}
	}
	w.tr.Answer(now, []tracker.Answer{{ID: id, Err: errors.New("a family that takes no negative points")}})
	if w.tr.WantKeyframe() { // the newest frame was answered
		t.Error("what was refused still waits for an answer")
	}
	for _, q := range w.tr.Query(now, []seg.ID{id}, nil) {
		for _, c := range q.Prompt.Clicks {
			if c.Label == seg.Negative {
				t.Errorf("the model is asked again about %v", c)
			}
		}
	}
	if err := w.tr.Undo(id); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("undo: %v", err)
	}
	if o, _ := w.tr.Object(id); o.State != seg.Tracking || o.Prompt != "point" {
		t.Errorf("it is %v, prompted with %q", o.State, o.Prompt)
	}
}

// What is refused before the first answer leaves the first prompt waiting.
func TestARefusedRefinementLeavesTheFirstPromptWaiting(t *testing.T) {
	s := smallScene()
	w := newWalk(t, s, tracker.Options{})
	w.blind, w.every = true, 1000
	w.frame(0)
	id := w.tr.Add("late", point(0.25, 0.5), 1)
	if err := w.tr.Refine(id, mark(seg.Negative, seg.Point{X: 0.9, Y: 0.9}), 1); err != nil {
		t.Fatal(err)
	}
	w.tr.Answer(1, []tracker.Answer{{ID: id, Err: errors.New("no negative points")}})
	q := w.tr.Query(1, []seg.ID{id}, nil)
	if len(q) != 1 || len(q[0].Prompt.Clicks) != 1 {
		t.Fatalf("asked: %+v", q)
	}
	w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
	if o, _ := w.tr.Object(id); o.State != seg.Tracking {
		t.Errorf("it is %v", o.State)
	}
}

// Undo after refinements to a wrong thing: the first thing is followed on. That its look comes back: TestUndoTakesBackAllThatWasLearnt.
func TestAfterUndoTheFirstThingIsFollowed(t *testing.T) {
	w := settled(t, 13)
	id, now := w.ids[0], w.tr.Newest()
	c := w.s.truth(1, 12).Centroid()
	for range 3 { // to the other disc, which is learnt well
		if err := w.tr.Refine(id, mark(seg.Positive, c), now); err != nil {
			t.Fatal(err)
		}
		w.tr.Answer(now, []tracker.Answer{{ID: id, Prediction: w.s.answer(id, 1, 12)}})
	}
	for range 3 {
		if err := w.tr.Undo(id); err != nil {
			t.Fatal(err)
		}
	}
	for n := 13; n < 31; n++ {
		w.frame(n)
		if iou := w.iou(0, n); iou < 0.75 {
			t.Fatalf("frame %d: %v, IoU %.3f", n, w.state(0), iou)
		}
	}
}

// A person may click on something that fills the picture; what was asked for so large may stay so.
func TestAPersonMayAskForWhatFillsThePicture(t *testing.T) {
	s := &scene{w: 160, h: 90, ground: newTexture(1), discs: []disc{{newTexture(2), 9, line(40, 45, 0.5, 0), red}}}
	w := newWalk(t, s, tracker.Options{})
	w.every = 1000
	w.frame(0)
	all := func() seg.Prediction {
		m := seg.NewMask(s.w, s.h, image.Rect(0, 0, s.w, s.h))
		for i := range m.Bits {
			m.Bits[i] = 1
		}
		return seg.Prediction{Candidates: []seg.Candidate{{Logits: seg.LogitsOf(m, 80, 45, seg.Point{X: 1, Y: 1}, 6), PredictedIoU: 0.9}}}
	}
	id := w.tr.Add("ground", point(0.8, 0.2), 1)
	w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: all()}})
	for n := 1; n < 40; n++ {
		w.frame(n)
		w.tr.Answer(uint64(n+1), []tracker.Answer{{ID: id, Prediction: all()}})
	}
	if o, ok := w.tr.Object(id); !ok || o.State != seg.Tracking || o.Mask.Area() < 0.9 {
		t.Errorf("%v: %v", ok, o.State)
	}
	// Nobody asked for the disc to fill the picture.
	w.tr.Answer(40, []tracker.Answer{{ID: w.ids[0], Prediction: all()}})
	if o, _ := w.tr.Object(w.ids[0]); o.Mask.Area() > 0.5 {
		t.Errorf("the disc has become %.2f of the picture", o.Mask.Area())
	}
}

// A mask that a person gave waits for its answer while the picture takes another shape: it is answered on the new one.
func TestAGivenMaskOutlivesAnotherAspect(t *testing.T) {
	s := smallScene()
	w := newWalk(t, s, tracker.Options{})
	w.every = 1000
	w.frame(0)
	m := s.truth(0, 0)
	id := w.tr.Add("given", seg.Prompt{Mask: seg.LogitsOf(m, 80, 45, seg.Point{X: 1, Y: 1}, 6)}, 1)
	other := &scene{w: 160, h: 40, ground: s.ground, discs: s.discs}
	for n := 1; n < 4; n++ {
		if err := w.tr.Step(other.render(n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range w.tr.Query(4, nil, nil) {
		w.tr.See(4, other.features(3))
		w.tr.Answer(4, []tracker.Answer{{ID: q.ID, Prompt: q.Prompt, Prediction: other.answer(q.ID, 0, 3)}})
	}
	o, ok := w.tr.Object(id)
	if ok && o.Mask != nil && (o.Mask.W != 160 || o.Mask.H != 40) {
		t.Errorf("its mask is on a grid of %dx%d", o.Mask.W, o.Mask.H)
	}
}

// Objects of every kind live through one change of the picture's shape after another.
func TestShapeChangesWithObjectsAlive(t *testing.T) {
	w := settled(t, 9)
	if err := w.tr.Refine(w.ids[1], mark(seg.Positive, seg.Point{X: 0.6, Y: 0.5}), w.tr.Newest()); err != nil {
		t.Fatal(err)
	}
	for n := 9; n < 60; n++ {
		s := &scene{w: 60 + 50*(n/6%3), h: 160 - 60*(n/6%3), ground: w.s.ground, discs: w.s.discs}
		if err := w.tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		seq := uint64(n + 1)
		w.tr.See(seq, s.features(n))
		var as []tracker.Answer
		for i, q := range w.tr.Query(seq, nil, nil) {
			if err := q.Prompt.Validate(); err != nil {
				t.Errorf("frame %d: asked %v", n, err)
			}
			as = append(as, tracker.Answer{ID: q.ID, Prompt: q.Prompt, Prediction: s.answer(q.ID, i%2, n)})
		}
		w.tr.Answer(seq, as)
		for _, o := range w.tr.Objects(nil) {
			if o.Mask != nil && (o.Mask.W != s.w || o.Mask.H != s.h) {
				t.Fatalf("frame %d: a mask on a grid of %dx%d", n, o.Mask.W, o.Mask.H)
			}
		}
	}
}

// other are the features of a model of another family: more channels, other numbers, another grid.
func other(f *frame.Frame) []seg.Features {
	in := cellMeans(f)[0]
	out := seg.Features{W: in.W, H: in.H, C: 2 * in.C, Extent: in.Extent}
	for range 2 {
		for _, v := range in.Data {
			out.Data = append(out.Data, 1-v)
		}
	}
	return []seg.Features{out}
}

// Another model's features are other numbers, and as many as it has: objects live on, and are followed by those that follow.
func TestObjectsLiveOnUnderAnotherModel(t *testing.T) {
	for _, told := range []bool{true, false} { // a model under another name, and one that only its features tell from the last
		w := settled(t, 13)
		models := [](func(*frame.Frame) []seg.Features){other, cellMeans, func(f *frame.Frame) []seg.Features { return cellMeans(f)[:0] }}
		for n := 13; n < 70; n++ {
			k := n / 8 % 3
			if told {
				w.tr.UseModel(string(rune('a' + k)))
			}
			f := w.s.render(n)
			if err := w.tr.Step(f); err != nil {
				t.Fatal(err)
			}
			if n%3 == 0 {
				w.tr.See(f.Seq, models[k](f))
				var as []tracker.Answer
				for _, q := range w.tr.Query(f.Seq, nil, nil) {
					as = append(as, tracker.Answer{ID: q.ID, Prompt: q.Prompt, Prediction: w.s.reply(q, n)})
				}
				w.tr.Answer(f.Seq, as)
			}
			if n < 40 && (w.iou(0, n) < 0.7 || w.iou(1, n) < 0.7) {
				t.Fatalf("told %v, frame %d: %v with IoU %.3f, %v with %.3f", told, n, w.state(0), w.iou(0, n), w.state(1), w.iou(1, n))
			}
		}
	}
}

// The other answers to a click go, and it is said, when the object has moved on, or after a while.
func TestAnOfferExpiresVisibly(t *testing.T) {
	for _, c := range []struct {
		what  string
		speed float64
		by    int // the frame by which it has gone
	}{{"moved on", 2, 30}, {"stayed", 0, 330}} {
		s := &scene{w: 160, h: 90, ground: newTexture(1), discs: []disc{
			{newTexture(2), 14, line(30, 45, c.speed, 0), red}, {newTexture(3), 9, line(130, 45, 0, 0), blue},
		}}
		w := newWalk(t, s, tracker.Options{UpdateEvery: 1000})
		w.every = 1000
		if err := w.tr.Step(s.render(0)); err != nil {
			t.Fatal(err)
		}
		id := w.tr.Add("it", point(30.0/160, 0.5), 1)
		p := s.answer(id, 0, 0)
		p.Candidates, p.Ambiguous = append(p.Candidates, s.answer(id, 1, 0).Candidates...), true
		w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: p}})
		w.tr.Changes(nil)
		gone := 0
		for n := 1; n <= c.by && gone == 0; n++ {
			if err := w.tr.Step(s.render(n)); err != nil {
				t.Fatal(err)
			}
			if n%3 == 0 {
				w.tr.Answer(uint64(n+1), []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, n)}})
			}
			for _, ch := range w.tr.Changes(nil) {
				if ch.Type == seg.ObjectUpdated && len(ch.Before.Candidates) == 1 && len(ch.After.Candidates) == 0 {
					gone = n
				}
			}
		}
		if o, _ := w.tr.Object(id); gone == 0 || gone < c.by/3 || len(o.Candidates) > 0 {
			t.Errorf("%s: said in frame %d; %d candidates left", c.what, gone, len(o.Candidates))
		}
	}
}

// What was pointed at and has left the picture cannot be pointed at any more.
func TestAPointThatLeftThePictureIsNotCarried(t *testing.T) {
	s := &scene{w: 160, h: 90, ground: newTexture(1), pan: line(0, 0, -6, 0)}
	tr := newWalk(t, s, tracker.Options{}).tr
	for n := range 20 {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
	}
	if p, trust, err := tr.Carry(point(0.2, 0.5), 1, 20); err != nil || trust != 0 || !p.Clicks[0].In01() {
		t.Errorf("carried to %v with trust %.2f, %v", p.Clicks, trust, err)
	}
	if p, trust, err := tr.Carry(point(0.9, 0.5), 1, 6); err != nil || trust < 0.5 || p.Clicks[0].X > 0.75 {
		t.Errorf("one that stays: %v with trust %.2f, %v", p.Clicks, trust, err)
	}
	id := tr.Add("gone", point(0.2, 0.5), 1)
	if q := tr.Query(20, []seg.ID{id}, nil); len(q) != 0 {
		t.Errorf("the model is asked about what has gone: %+v", q)
	}
}
