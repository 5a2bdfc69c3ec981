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

// What a person has drawn need not be anything to a model: while it moves as it should and has its colours, nothing that the model says makes it
// doubtful. A thing that a model has found is doubted when the model finds it no more.
func TestWhatAPersonHasDrawnNeedsNoModel(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 18, line(60, 60, 1, 0), red}}}
	for _, drawn := range []bool{true, false} {
		w := newWalk(t, s, tracker.Options{})
		w.every, w.late = 1, 0
		if err := w.tr.Step(s.render(0)); err != nil {
			t.Fatal(err)
		}
		m := s.truth(0, 0)
		prompt := point(m.Centroid().X, m.Centroid().Y)
		if drawn {
			prompt = seg.Prompt{Mask: seg.LogitsOf(m, 120, 68, seg.Point{X: 1, Y: 1}, 6)}
		}
		id := w.tr.Add("it", prompt, 1)
		w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
		w.ids[0], w.blind = id, true
		for n := 1; n < 60; n++ {
			w.frame(n)
		}
		o, _ := w.tr.Object(id)
		if got := o.State == seg.Tracking && w.iou(0, 59) > 0.5; got != drawn {
			t.Errorf("drawn %v: it is %v, IoU %.2f", drawn, o.State, w.iou(0, 59))
		}
	}
}

// An answer that comes when its frame is forgotten says nothing of the present, for or against: the object stays what it is, and is asked again.
func TestAnswersThatComeTooLateAreNone(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 18, line(60, 60, 0, 0), red}}}
	w := newWalk(t, s, tracker.Options{})
	w.every, w.late = 1, 70 // frames, of which 64 are remembered
	for n := range 220 {
		w.frame(n)
		if o, ok := w.tr.Object(w.ids[0]); n > 0 && (!ok || o.State != seg.Tracking) {
			t.Fatalf("frame %d: it is %v", n, o.State)
		}
	}
	if q := w.tr.Query(w.tr.Newest(), nil, nil); len(q) != 1 {
		t.Errorf("the model is asked %d questions", len(q))
	}
}

// A person's prompt whose answer comes too late still waits: it has not been refused.
func TestAPromptAnsweredTooLateStillWaits(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 18, line(60, 60, 0, 0), red}}}
	tr, _ := follow(t, s, tracker.Options{})
	id := tr.Add("late", point(0.25, 0.44), 1)
	for n := 1; n < 70; n++ {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		tr.Query(tr.Newest(), []seg.ID{id}, nil) // carries the prompt along
	}
	tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
	q := tr.Query(tr.Newest(), nil, nil)
	if len(q) != 1 || q[0].ID != id {
		t.Fatalf("asked %+v", q)
	}
	tr.Answer(tr.Newest(), []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 69)}})
	if o, ok := tr.Object(id); !ok || o.State != seg.Tracking {
		t.Errorf("it is %v", o.State)
	}
}
