package eval

import (
	"context"
	"errors"
	"image"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// guide is a box tracker that a test leads.
type guide struct {
	inits  int
	update func() (seg.Box, bool, error)
	closed int
}

func (g *guide) Init(*frame.Frame, seg.Box) error           { g.inits++; return nil }
func (g *guide) Update(*frame.Frame) (seg.Box, bool, error) { return g.update() }
func (g *guide) Close() error                               { g.closed++; return nil }
func (g *guide) follower(m inference.Segmenter) (Follower, error) {
	return BoxAndModel(m, func() (BoxTracker, error) { return g, nil })()
}

func TestBoxedFollowsOnlyWhatItsTrackerBelieves(t *testing.T) {
	pic, labels := scene(0, mover{image.Rect(40, 30, 100, 90), 0, 0, red})
	truth := labels.Mask(1)
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		box  seg.Box
		ok   bool
		err  error
		mask bool
	}{
		"believed":          {truth.Box(), true, nil, true},
		"beyond the border": {seg.Box{X0: 0.25, Y0: 0.25, X1: 1.4, Y1: 1.2}, true, nil, true},
		"lost":              {truth.Box(), false, nil, false},
		"outside":           {seg.Box{X0: 1.1, Y0: 0.2, X1: 1.3, Y1: 0.4}, true, nil, false},
		"broken":            {truth.Box(), true, broken, false},
	} {
		g := &guide{update: func() (seg.Box, bool, error) { return c.box, c.ok, c.err }}
		f, err := g.follower(inferencetest.New(inferencetest.Options{Tolerance: 40}))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Start(pic, PromptFor(PromptMask, truth)); err != nil || g.inits != 1 {
			t.Fatalf("%s: %d starts, %v", name, g.inits, err)
		}
		m, err := f.Next(pic)
		if !errors.Is(err, c.err) || (m != nil) != c.mask {
			t.Errorf("%s: %v, %v", name, m, err)
		}
		if err := f.Close(); err != nil || g.closed != 1 {
			t.Errorf("%s: closed %d times, %v", name, g.closed, err)
		}
	}
}

func TestBoxedWithoutAnObjectStartsNoTracker(t *testing.T) {
	nothing := inferencetest.New(inferencetest.Options{Answer: func(seg.Prompt, seg.Prediction) seg.Prediction { return seg.Prediction{} }})
	g := &guide{}
	f, err := g.follower(nothing)
	if err != nil {
		t.Fatal(err)
	}
	pic, _ := scene(0)
	if err := f.Start(pic, seg.Prompt{Clicks: []seg.Click{{Label: seg.Positive}}}); err != nil || g.inits != 0 {
		t.Errorf("%d starts, %v", g.inits, err)
	}
	if m, err := f.Next(pic); m != nil || err != nil {
		t.Errorf("%v, %v", m, err)
	}
	none := errors.New("no tracker")
	if _, err := BoxAndModel(nothing, func() (BoxTracker, error) { return nil, none })(); !errors.Is(err, none) {
		t.Error(err)
	}
}

// TestModelAloneKeepsItsLastMask answers well, then with nothing, then with an empty mask.
func TestModelAloneKeepsItsLastMask(t *testing.T) {
	pic, labels := scene(0, mover{image.Rect(40, 30, 100, 90), 0, 0, red})
	truth, asked := labels.Mask(1), 0
	model := inferencetest.New(inferencetest.Options{Tolerance: 40, Answer: func(_ seg.Prompt, a seg.Prediction) seg.Prediction {
		switch asked++; asked {
		case 2:
			return seg.Prediction{}
		case 3:
			empty := *a.Candidates[0].Logits
			empty.Data = make([]float32, len(empty.Data))
			for i := range empty.Data {
				empty.Data[i] = -9
			}
			a.Candidates = []seg.Candidate{{Logits: &empty, PredictedIoU: 0.9}}
		}
		return a
	}})
	f, err := ModelAlone(model)()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(pic, PromptFor(PromptClick, truth)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		m, err := f.Next(pic)
		if err != nil || m.IoU(truth) < 0.9 {
			t.Errorf("frame %d: %v, %v", i+1, m, err)
		}
	}
	if asked != 4 || model.Live() != 0 {
		t.Errorf("asked %d times, %d embeddings open", asked, model.Live())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// mute embeds, and answers as many prompts as a test says.
type mute struct {
	inference.Segmenter
	answers int
	err     error
}

func (m *mute) Embed(context.Context, *frame.Frame) (inference.Embedding, error) { return m, nil }
func (m *mute) Decode(context.Context, []seg.Prompt) ([]seg.Prediction, error) {
	return make([]seg.Prediction, m.answers), m.err
}
func (m *mute) Close() error { return nil }

func TestAskSaysWhatFails(t *testing.T) {
	pic, _ := scene(0)
	blind := inferencetest.New(inferencetest.Options{Embed: func(context.Context, *frame.Frame) error { return errors.New("blind") }})
	for want, m := range map[string]inference.Segmenter{
		"blind":                   blind,
		"2 answers to one prompt": &mute{answers: 2},
		"0 answers to one prompt": &mute{},
		"stuck":                   &mute{err: errors.New("stuck")},
	} {
		for name, open := range map[string]func() (Follower, error){
			"still": Still(m), "model": ModelAlone(m), "flow": FlowAlone(m, pureFlow),
			"box": BoxAndModel(m, func() (BoxTracker, error) { return &guide{}, nil }),
		} {
			f, err := open()
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Start(pic, seg.Prompt{Clicks: []seg.Click{{Label: seg.Positive}}}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if c, err := ask(&mute{answers: 1}, pic, seg.Prompt{}); c != nil || err != nil {
		t.Errorf("nothing found: %v, %v", c, err)
	}
}
