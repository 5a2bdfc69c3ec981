package tracker_test

import (
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// spilling answers a mask with the same mask and a row more on every side, as a model does that says back what it is asked.
func spilling(q tracker.Query, s *scene) (p seg.Prediction) {
	m := q.Prompt.Mask.Cut(s.w, s.h, seg.Threshold)
	r := m.Rect.Inset(-1)
	grown := seg.NewMask(s.w, s.h, r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := grown.Row(y)
		for i := range row {
			for _, d := range [5][2]int{{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}} {
				x, v := float64(r.Min.X+i+d[0])+0.5, float64(y+d[1])+0.5
				if m.Contains(seg.Point{X: x / float64(s.w), Y: v / float64(s.h)}) {
					row[i] = 1
				}
			}
		}
	}
	l := seg.LogitsOf(grown, s.w/2, s.h/2, seg.Point{X: 1, Y: 1}, 6)
	p.Candidates = []seg.Candidate{{Logits: l, PredictedIoU: 0.9, Stability: 0.9}}
	return p
}

// crept is how many times its first area an object of colours like the ground's has after so many frames in which nothing moves.
func crept(t *testing.T, k tracker.Tuning, frames int, noise float64) float64 {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 20, line(120, 66, 0, 0), [3]float64{90, 110, 100}}}}
	tr := tracker.New(tracker.Options{GridWidth: s.w, Points: 300, Tuning: &k}, lk.New(lk.Options{}))
	var id seg.ID
	first, r := 0.0, rand.New(rand.NewPCG(1, 2))
	for n := range frames {
		f := s.render(0)
		f.Seq = uint64(n + 1)
		for i := range f.Pix { // as a sensor does
			f.Pix[i] = byte(min(max(float64(f.Pix[i])+noise*r.NormFloat64(), 0), 255))
		}
		if err := tr.Step(f); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			id = tr.Add("disc", point(0.5, 0.5), f.Seq)
		}
		var as []tracker.Answer
		for _, q := range tr.Query(f.Seq, nil, nil) {
			a := tracker.Answer{ID: q.ID, Prompt: q.Prompt}
			if a.Prediction = s.answer(q.ID, 0, 0); q.Prompt.Mask != nil {
				a.Prediction = spilling(q, s)
			}
			as = append(as, a)
		}
		tr.Answer(f.Seq, as)
		if o, ok := tr.Object(id); ok && o.Mask != nil && n == 0 {
			first = float64(o.Mask.Count())
		}
	}
	o, _ := tr.Object(id)
	if o.Mask == nil || first == 0 {
		t.Fatal("it is not followed")
	}
	return float64(o.Mask.Count()) / first
}

// Where nothing moves, a mask does not creep, whatever the model says back.
func TestAMaskDoesNotCreepOverAStillScene(t *testing.T) {
	k := tracker.Defaults()
	with := crept(t, k, 150, 0)
	k.StillWeight = 0
	without := crept(t, k, 150, 0)
	t.Logf("%.2f of its first area after five seconds, %.2f where nothing holds it", with, without)
	if with > 1.2 || without < 1.2*with {
		t.Errorf("%.2f of its first area after five seconds, %.2f where nothing holds it", with, without)
	}
}

// Nor does it in the long run and in a sensor's noise: what it is held to is what was first believed, not what it has become.
func TestAMaskDoesNotCreepInTheLongRun(t *testing.T) {
	area := crept(t, tracker.Defaults(), 900, 4)
	t.Logf("%.2f of its first area after half a minute", area)
	if area > 1.2 {
		t.Errorf("%.2f of its first area after half a minute", area)
	}
}

// What a person chose instead, where nothing moves, is what the object is held to from then on: not to what was believed before.
func TestAChoiceIsHeldTo(t *testing.T) {
	s := &scene{w: 160, h: 90, ground: newTexture(1), discs: []disc{
		{newTexture(2), 24, line(80, 45, 0, 0), red}, {newTexture(3), 12, line(80, 45, 0, 0), blue},
	}}
	whole := (&scene{w: s.w, h: s.h, discs: s.discs[:1]}).truth(0, 0)
	tr := tracker.New(tracker.Options{GridWidth: s.w, Points: s.w * s.h / 100}, lk.New(lk.Options{}))
	step := func(n int) {
		f := s.render(0)
		f.Seq = uint64(n + 1)
		if err := tr.Step(f); err != nil {
			t.Fatal(err)
		}
	}
	step(0)
	id := tr.Add("it", point(0.5, 0.5), 1)
	p := s.answer(id, 1, 0) // the part; the whole is offered beside it
	p.Candidates = append(p.Candidates, seg.Candidate{
		Logits: seg.LogitsOf(whole, s.w/2, s.h/2, seg.Point{X: 1, Y: 1}, 6), PredictedIoU: 0.8, Stability: 0.9,
	})
	p.Ambiguous = true
	tr.Answer(1, []tracker.Answer{{ID: id, Prediction: p}})
	for n := 1; n < 90; n++ {
		step(n)
		if n == 30 {
			if err := tr.Choose(id, 0); err != nil {
				t.Fatal(err)
			}
		}
		var as []tracker.Answer
		for _, q := range tr.Query(uint64(n+1), nil, nil) {
			l := q.Prompt.Mask // a model that says back what it is shown, but not sure of it
			for i := range l.Data {
				l.Data[i] *= 0.3
			}
			as = append(as, tracker.Answer{ID: q.ID, Prompt: q.Prompt, Prediction: seg.Prediction{
				Candidates: []seg.Candidate{{Logits: l, PredictedIoU: 0.9, Stability: 0.9}},
			}})
		}
		tr.Answer(uint64(n+1), as)
	}
	if o, _ := tr.Object(id); o.State != seg.Tracking || o.Mask.IoU(whole) < 0.8 {
		t.Errorf("two seconds after the whole was chosen it is %v", o.State)
	}
}
