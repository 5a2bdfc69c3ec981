package tracker_test

import (
	"slices"
	"testing"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// park is a synthetic scene with a model that answers truthfully, for the objects that its first frame shows.
type park struct {
	*testing.T
	s       *synthetic.Scene
	tr      *tracker.Tracker
	f       *frame.Frame
	ids     map[string]seg.ID
	truth   []synthetic.Object
	ious    map[string][]float64 // where at least 60 % is visible
	still   map[string][]float64 // of the first frame's mask
	first   map[string]*seg.Mask
	changes []seg.Change
	at      []int
}

const parkW, parkH = 320, 180

func newPark(t *testing.T, preset string) *park {
	t.Helper()
	s, err := synthetic.New(synthetic.Options{Width: parkW, Height: parkH, Preset: preset})
	if err != nil {
		t.Fatal(err)
	}
	return &park{
		T: t, s: s, tr: tracker.New(tracker.Options{}, lk.New(lk.Options{})), f: frame.New(parkW, parkH),
		ids: map[string]seg.ID{}, ious: map[string][]float64{}, still: map[string][]float64{}, first: map[string]*seg.Mask{},
	}
}

// frame shows frame n; every third is a keyframe that is answered at once.
func (p *park) frame(n int) {
	p.Helper()
	p.s.Render(uint64(n), p.f)
	p.f.Seq = uint64(n + 1)
	if err := p.tr.Step(p.f); err != nil {
		p.Fatal(err)
	}
	p.truth = p.s.Truth(uint64(n))
	if n == 0 {
		for _, o := range p.truth {
			if o.Visible > 0.6 {
				p.first[o.Name] = o.Mask
				p.ids[o.Name] = p.tr.Add(o.Name, seg.Prompt{Mask: logits(o.Mask)}, 1)
			}
		}
	}
	if n%3 == 0 {
		p.keyframe(uint64(n + 1))
	}
	p.changes = p.tr.Changes(p.changes)
	for len(p.at) < len(p.changes) {
		p.at = append(p.at, n)
	}
	p.score()
}

func logits(m *seg.Mask) *seg.Logits {
	return seg.LogitsOf(m, parkW/2, parkH/2, seg.Point{X: 1, Y: 1}, 6)
}

func (p *park) keyframe(seq uint64) {
	p.tr.See(seq, cellMeans(p.f))
	var as []tracker.Answer
	for _, q := range p.tr.Query(seq, nil, nil) {
		as = append(as, tracker.Answer{ID: q.ID, Prompt: q.Prompt, Prediction: p.reply(q.Prompt)})
	}
	p.tr.Answer(seq, as)
}

// reply is the object that the prompt's mask overlaps most, or that its click lies on, whoever asked.
func (p *park) reply(q seg.Prompt) (out seg.Prediction) {
	if q.Mask == nil {
		for _, o := range p.truth {
			if o.Mask.Contains(q.Clicks[0].Point) {
				out.Candidates = []seg.Candidate{{Logits: logits(o.Mask), PredictedIoU: 0.9, Stability: 0.9}}
			}
		}
		return out
	}
	m := q.Mask.Cut(parkW, parkH, seg.Threshold)
	best := 0.1
	for _, o := range p.truth {
		if iou := m.IoU(o.Mask); iou > best && o.Mask.Count() > 0 {
			best = iou
			out.Candidates = []seg.Candidate{{Logits: logits(o.Mask), PredictedIoU: 0.9, Stability: 0.9}}
		}
	}
	return out
}

func (p *park) score() {
	for _, g := range p.truth {
		id, ok := p.ids[g.Name]
		if !ok || g.Visible < 0.6 {
			continue
		}
		iou := 0.0
		if o, ok := p.tr.Object(id); ok && o.State.Visible() && o.Mask != nil {
			iou = o.Mask.Resize(parkW, parkH).IoU(g.Mask)
		}
		p.ious[g.Name] = append(p.ious[g.Name], iou)
		p.still[g.Name] = append(p.still[g.Name], p.first[g.Name].IoU(g.Mask))
	}
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func (p *park) events(name string) (out []seg.EventType) {
	for _, c := range p.changes {
		if c.After.ID == p.ids[name] && c.Type != seg.ObjectUpdated {
			out = append(out, c.Type)
		}
	}
	return out
}

// Each preset isolates a difficulty: the objects that it does not concern must have no events at all, and those that it does, the right
// ones.
func TestTheSceneOfEachDifficulty(t *testing.T) {
	hidden := []seg.EventType{seg.ObjectOccluded, seg.ObjectLost}
	for _, c := range []struct {
		preset   string
		troubled map[string]bool // may be hidden or lost, and must then be recovered
		must     string          // must be
		frames   int
	}{
		{"calm", nil, "", 90},
		{"occlusion", map[string]bool{synthetic.Ball: true}, synthetic.Ball, 130},
		{"leave", map[string]bool{synthetic.Car: true}, synthetic.Car, 200},
		{"crossing", map[string]bool{synthetic.Ball: true, synthetic.Twin: true}, "", 150},
		{"light", nil, "", 120},
		{"fast", nil, "", 90},
		{"shake", nil, "", 90},
	} {
		t.Run(c.preset, func(t *testing.T) {
			t.Parallel()
			p := newPark(t, c.preset)
			for n := range c.frames {
				p.frame(n)
			}
			for name := range p.ids {
				ev, iou, still := p.events(name), mean(p.ious[name]), mean(p.still[name])
				t.Logf("%-6s IoU %.3f, nothing moves %.3f, %v", name, iou, still, ev)
				if iou < 0.75 {
					t.Errorf("%s: mean IoU %.3f while visible", name, iou)
				}
				gone := slices.ContainsFunc(ev, func(e seg.EventType) bool { return slices.Contains(hidden, e) })
				if gone && !c.troubled[name] {
					t.Errorf("%s was never out of sight, yet %v", name, ev)
				}
				if name == c.must && (!gone || !slices.Contains(ev, seg.ObjectRecovered)) {
					t.Errorf("%s was out of sight and came back: %v", name, ev)
				}
			}
		})
	}
}
