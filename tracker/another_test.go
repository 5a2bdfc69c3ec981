package tracker_test

import (
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// TestWhatAnotherHoldsIsNotFoundInAnOlderFrame: what was lost, and has been made another object since, is not found again beside that one
// where it is asked about in a frame that is older than the other's mask. While nobody holds it, it is.
func TestWhatAnotherHoldsIsNotFoundInAnOlderFrame(t *testing.T) {
	const lost, asked, last = 10, 13, 16
	for name, want := range map[string]seg.State{"held by nobody": seg.Tracking, "held by another": seg.Lost} {
		t.Run(name, func(t *testing.T) {
			s := smallScene()
			tr := tracker.New(tracker.Options{GridWidth: s.w, Points: s.w * s.h / 100}, lk.New(lk.Options{}))
			at := func(n int) seg.Prompt { c := s.truth(0, n).Centroid(); return point(c.X, c.Y) }
			answer := func(id seg.ID, n int) {
				tr.Answer(uint64(n+1), []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, n)}})
			}
			var first seg.ID
			for n := range last + 1 {
				if n == lost {
					tr.Flush()
				}
				if err := tr.Step(s.render(n)); err != nil {
					t.Fatal(err)
				}
				tr.See(uint64(n+1), s.features(n))
				if n == 0 {
					first = tr.Add("first", at(0), 1)
				}
				if n < lost {
					answer(first, n)
				}
			}
			if want == seg.Lost {
				answer(tr.Add("second", at(last), last+1), last)
			}
			if err := tr.Suspect(first, s.truth(0, asked).Box(), asked+1); err != nil {
				t.Fatal(err)
			}
			for _, q := range tr.Query(asked+1, []seg.ID{first}, nil) {
				answer(q.ID, asked)
			}
			if o, _ := tr.Object(first); o.State != want {
				t.Errorf("it is %v, want %v", o.State, want)
			}
		})
	}
}

// TestWhatHidesItIsNotFoundForIt: an object that went behind its look-alike is not found on it.
func TestWhatHidesItIsNotFoundForIt(t *testing.T) {
	tex := newTexture(2)
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{
		{tex, 14, func(n int) (float64, float64) { return min(40+2*float64(n), 130), 68 }, red},
		{tex, 20, line(130, 68, 0, 0), red},
	}}
	w := newWalk(t, s, tracker.Options{})
	n, hidden := 0, false
	for ; n < 60 && !hidden; n++ {
		w.frame(n)
		o, _ := w.tr.Object(w.ids[0])
		hidden = o.State == seg.Occluded
	}
	if !hidden {
		t.Fatal("it was never hidden")
	}
	for last := n + 6; n < last; n++ {
		w.frame(n)
		w.tr.See(uint64(n+1), s.features(n))
		if err := w.tr.Suspect(w.ids[0], s.truth(1, n).Box(), uint64(n+1)); err != nil {
			t.Fatal(err)
		}
		for _, q := range w.tr.Query(uint64(n+1), w.ids[:1], nil) {
			w.tr.Answer(uint64(n+1), []tracker.Answer{{ID: q.ID, Prompt: q.Prompt, Prediction: s.answer(q.ID, 1, n)}})
		}
		if o, _ := w.tr.Object(w.ids[0]); o.State.Visible() {
			t.Fatalf("in frame %d it is found on what hides it", n)
		}
	}
}
