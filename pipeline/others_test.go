package pipeline

import (
	"context"
	"testing"

	"github.com/segedge/segedge/seg"
)

// boxesOf answers each prompt with what its box says, and a box that starts at .9 with nothing.
type boxesOf struct{ asked [][]seg.Prompt }

func (b *boxesOf) Decode(_ context.Context, prompts []seg.Prompt) ([]seg.Prediction, error) {
	b.asked = append(b.asked, prompts)
	out := make([]seg.Prediction, len(prompts))
	for i, p := range prompts {
		if p.Box.X0 < .9 {
			out[i].Candidates = []seg.Candidate{{PredictedIoU: p.Box.X0}, {PredictedIoU: -1}}
		}
	}
	return out, nil
}

func (*boxesOf) Model() string { return "boxes" }
func (*boxesOf) Close() error  { return nil }

func at(x float64) seg.Box { return seg.Box{X0: x, X1: 1, Y1: 1} }

func TestPromptsOfSeveralBoxes(t *testing.T) {
	first, last := at(.1), at(.6)
	several := seg.Prompt{Box: &first, Others: []seg.Box{at(.2), at(.9), at(.3)}}
	if err := several.Validate(); err != nil {
		t.Fatal(err)
	}
	e := &boxesOf{}
	j := &job{emb: e}
	out, err := j.ask(t.Context(), []seg.Prompt{{Box: &last}, several, {Box: &last}})
	if err != nil || len(out) != 3 || len(e.asked) != 1 || len(e.asked[0]) != 6 {
		t.Fatalf("%d answers to %v, %v", len(out), e.asked, err)
	}
	for _, i := range []int{0, 2} {
		if p := out[i]; len(p.Candidates) != 2 || p.Candidates[0].PredictedIoU != .6 || p.Ambiguous {
			t.Errorf("answer %d is %+v: want that of its own box", i, p)
		}
	}
	var got []float64
	for _, c := range out[1].Candidates {
		got = append(got, c.PredictedIoU)
	}
	if len(got) != 3 || got[0] != .1 || got[1] != .2 || got[2] != .3 || !out[1].Ambiguous {
		t.Errorf("candidates %v: want the best of each box in which there is something", got)
	}
}

func TestOtherBoxesAreBounded(t *testing.T) {
	b := at(.1)
	for _, p := range []seg.Prompt{
		{Others: []seg.Box{b}, Clicks: []seg.Click{{Label: seg.Positive}}},
		{Box: &b, Others: make([]seg.Box, seg.MaxOthers+1)},
		{Box: &b, Others: []seg.Box{{X0: 1}}},
	} {
		if p.Validate() == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}
