package seg

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestPromptValidate(t *testing.T) {
	yes, no := Click{Point{0.5, 0.5}, Positive}, Click{Point{0.1, 1}, Negative}
	for name, c := range map[string]struct {
		p    Prompt
		want string // part of the error, empty for none
	}{
		"empty":             {Prompt{}, "no point"},
		"a point":           {Prompt{Clicks: []Click{yes}}, ""},
		"both labels":       {Prompt{Clicks: []Click{no, yes}}, ""},
		"only negative":     {Prompt{Clicks: []Click{no}}, "only negative"},
		"negative in a box": {Prompt{Clicks: []Click{no}, Box: &Box{0, 0, 1, 1}}, ""},
		"text":              {Prompt{Text: "dog"}, ""},
		"outside":           {Prompt{Clicks: []Click{{Point{1.01, 0}, Positive}}}, "outside"},
		"no number":         {Prompt{Clicks: []Click{{Point{math.NaN(), 0}, Positive}}}, "outside"},
		"a third label":     {Prompt{Clicks: []Click{{Point{0, 0}, 2}}}, "label 2"},
		"flat box":          {Prompt{Box: &Box{0.2, 0.2, 0.2, 0.4}}, "box"},
		"turned box":        {Prompt{Box: &Box{0.8, 0.2, 0.2, 0.4}}, "box"},
		"too many":          {Prompt{Clicks: make([]Click, MaxClicks+1)}, "more than 64"},
		"mask":              {Prompt{Mask: &Logits{W: 1, H: 1, Extent: Point{1, 1}, Data: []float32{1}}}, ""},
		"short mask":        {Prompt{Mask: &Logits{W: 2, H: 1, Extent: Point{1, 1}, Data: []float32{1}}}, "mask"},
		"mask of no extent": {Prompt{Mask: &Logits{W: 1, H: 1, Data: []float32{1}}}, "mask"},
	} {
		err := c.p.Validate()
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := (&Prompt{Clicks: []Click{{Point{2, 2}, Positive}}}).Validate(); !errors.Is(err, ErrOutsidePicture) {
		t.Errorf("%v is not ErrOutsidePicture", err)
	}
}

func TestPromptCloneIsItsOwn(t *testing.T) {
	p := Prompt{Clicks: []Click{{Point{0.1, 0.1}, Positive}}, Box: &Box{0, 0, 1, 1}}
	c := p.Clone()
	c.Clicks[0].X, c.Box.X1 = 0.9, 0.5
	if p.Clicks[0].X != 0.1 || p.Box.X1 != 1 {
		t.Error("the copy's parts are shared")
	}
}

func TestPromptSummary(t *testing.T) {
	for want, p := range map[string]Prompt{
		"":                {},
		"point":           {Clicks: make([]Click, 1)},
		"2 points, box":   {Clicks: make([]Click, 2), Box: &Box{}},
		`text "dog"`:      {Text: "dog"},
		"box, mask":       {Box: &Box{}, Mask: &Logits{}},
		`box, text "a b"`: {Box: &Box{}, Text: "a b"},
	} {
		if got := p.Summary(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestPredictionBest(t *testing.T) {
	p := &Prediction{}
	if p.Best() != nil {
		t.Error("an empty answer has no best")
	}
	p.Candidates = []Candidate{{PredictedIoU: 0.9}, {PredictedIoU: 0.1}}
	if p.Best() != &p.Candidates[0] {
		t.Error("the best is the first")
	}
}
