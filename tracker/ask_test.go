package tracker_test

import (
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// TestAQuestionHasWhatLooksLikeTheObject: where the motion is not explained, the model is asked about what looks like the object near its mask
// too, else a part that was lost stays lost. Where it is, the mask alone is asked about, so that a look-alike beside it stays out.
func TestAQuestionHasWhatLooksLikeTheObject(t *testing.T) {
	for _, c := range []struct {
		what string
		leap float64 // pixels between two frames
		asks bool
	}{{"a leap that nothing explains", 26, true}, {"a step that is followed", 2, false}} {
		t.Run(c.what, func(t *testing.T) {
			const last = 9
			s := smallScene()
			leap := disc{tex: newTexture(5), r: 18, look: [3]float64{200, 60, 50}, at: func(n int) (float64, float64) {
				if n == last {
					return 60 + c.leap, 60
				}
				return 60, 60
			}}
			s.discs = []disc{leap}
			if !c.asks { // its like, which nobody follows
				like := leap
				like.at = func(int) (float64, float64) { return 100, 60 }
				s.discs = append(s.discs, like)
			}
			tr := tracker.New(tracker.Options{GridWidth: s.w, Points: s.w * s.h / 100}, lk.New(lk.Options{}))
			var id seg.ID
			for n := range last + 1 {
				if err := tr.Step(s.render(n)); err != nil {
					t.Fatal(err)
				}
				if n == 0 {
					at := s.truth(0, 0).Centroid()
					id = tr.Add("disc", point(at.X, at.Y), 1)
				}
				tr.See(uint64(n+1), s.features(n))
				if n < last {
					tr.Answer(uint64(n+1), []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, n)}})
				}
			}
			q := tr.Query(last+1, nil, nil)
			if len(q) != 1 || q[0].Prompt.Mask == nil {
				t.Fatalf("asked %+v", q)
			}
			asked := q[0].Prompt.Mask.Cut(s.w, s.h, seg.Threshold)
			if c.asks {
				if missed := 1 - part(s.truth(0, last), asked); missed > 0.3 {
					t.Errorf("%.2f of it is not asked about", missed)
				}
			} else if there := part(s.truth(1, last), asked); there > 0.1 {
				t.Errorf("%.2f of its like is asked about too", there)
			}
		})
	}
}

// part is the share of a mask that lies in another.
func part(m, in *seg.Mask) float64 {
	all := float64(m.Count())
	return (all - float64(m.Minus(in).Count())) / all
}
