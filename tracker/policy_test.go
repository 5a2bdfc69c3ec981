package tracker_test

import (
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/tracker"
)

func TestKeyframesKeepTheirBudget(t *testing.T) {
	s := smallScene()
	frames := make([]*frame.Frame, 40)
	for n := range frames {
		frames[n] = s.render(n)
	}
	for _, c := range []struct {
		budget      float64
		late        int
		least, most int
	}{{0.5, 4, 8, 16}, {1, 4, 18, 25}, {0.25, 2, 8, 16}} {
		w := newWalk(t, s, tracker.Options{Budget: c.budget})
		keys, due, asked := 0, -1, 0
		for n := range 101 {
			f := frames[n%40]
			f.Seq = uint64(n + 1)
			if err := w.tr.Step(f); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				id := w.tr.Add("", point(0.25, 0.5), 1)
				if !w.tr.WantKeyframe() {
					t.Fatal("a prompt waits, and no keyframe is wanted")
				}
				w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
				continue
			}
			if due == n {
				var as []tracker.Answer
				for _, q := range w.tr.Query(uint64(asked+1), nil, nil) {
					as = append(as, tracker.Answer{ID: q.ID, Prediction: s.answer(q.ID, 0, asked%40)})
				}
				w.tr.Answer(uint64(asked+1), as)
				due = -1
			}
			if w.tr.WantKeyframe() && due < 0 {
				asked, due = n, n+c.late
				keys++
			}
		}
		if keys < c.least || keys > c.most {
			t.Errorf("budget %.2f at %d frames a keyframe: %d keyframes in 100 frames", c.budget, c.late, keys)
		}
	}
	if tracker.New(tracker.Options{}, nil).WantKeyframe() {
		t.Error("a keyframe is wanted for nothing")
	}
}
