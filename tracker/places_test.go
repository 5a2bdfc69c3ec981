package tracker_test

import (
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// TestTheSameAnswerIsTheSameThing: what was made an object of in a frame is known there, also when its mask has gone elsewhere since, or is
// lost: the same answer to another prompt in that frame is the same thing. What a person has corrected it to is another.
func TestTheSameAnswerIsTheSameThing(t *testing.T) {
	const gone = 3
	s := smallScene()
	s.discs = []disc{
		{tex: newTexture(5), r: 18, look: [3]float64{200, 60, 50}, at: func(n int) (float64, float64) {
			if n >= gone {
				return -100, -100
			}
			return 60, 60
		}},
		{tex: newTexture(6), r: 14, look: [3]float64{50, 60, 200}, at: line(120, 60, 0, 0)},
	}
	tr := tracker.New(tracker.Options{GridWidth: s.w, Points: s.w * s.h / 100, OccludedFor: 0.5}, lk.New(lk.Options{}))
	var id seg.ID
	for n := range 60 {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		tr.See(uint64(n+1), s.features(n))
		if n == gone-1 {
			id = tr.Add("disc", point(0.4, 0.5), uint64(n+1))
			tr.Answer(gone, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, n)}})
		} else if n >= gone {
			tr.Answer(uint64(n+1), []tracker.Answer{{ID: id}})
		}
	}
	places := tr.Places(gone, nil)
	if i := slices.IndexFunc(places, func(p tracker.Place) bool { return p.ID == id }); i < 0 || places[i].State != seg.Lost {
		t.Fatalf("it is %v; the test needs it lost", places)
	}
	first, other := s.answer(id, 0, gone-1), s.answer(id, 1, gone-1)
	if got, same := tr.Same(gone, first.Best().Logits, nil); !same || got != id {
		t.Errorf("the very answer that it was made of is another thing: %v %v", got, same)
	}
	if _, same := tr.Same(gone, other.Best().Logits, nil); same {
		t.Error("another thing in that frame is it")
	}
	if _, same := tr.Same(gone+9, first.Best().Logits, nil); same {
		t.Error("what came to its place when it had gone is it")
	}
}
