package seg

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Label says what a click means.
type Label int8

// The two labels a person can give.
const (
	Negative Label = 0 // this place is not the object
	Positive Label = 1 // this place is the object
)

// Click is a point with its label.
type Click struct {
	Point
	Label Label `json:"label"`
}

// Prompt says which object is meant. At least one of its parts is set; all are in normalised coordinates of one
// frame. Mask is the previous answer's logits, or a mask carried here from another frame.
type Prompt struct {
	Clicks []Click
	Box    *Box
	// Others are boxes of other things that may be meant instead of what is in Box, best first: the answer to each is a candidate beside that.
	Others []Box
	Mask   *Logits
	Text   string
	// Single asks for the one best mask instead of the several valid ones. A model decides by itself where the
	// prompt leaves no doubt (several clicks, a box with clicks, a mask).
	Single bool
}

// Named is a box and what is in it, where a phrase names several things; empty where the phrase itself is its name.
type Named struct {
	Box
	Name string
}

// MaxClicks bounds the clicks of one prompt; the oldest are kept by nobody, a caller refuses more.
const MaxClicks = 64

// MaxOthers bounds the other boxes of one prompt: more than that nobody looks through.
const MaxOthers = 7

// Errors of a prompt that no model could answer.
var (
	ErrEmptyPrompt    = errors.New("the prompt has no point, box, mask or text")
	ErrNegativeOnly   = errors.New("the prompt has only negative points: say first what the object is")
	ErrTooManyClicks  = fmt.Errorf("the prompt has more than %d points", MaxClicks)
	ErrOutsidePicture = errors.New("coordinates lie outside 0..1: they are shares of the picture's width and height " +
		"from its top left corner, so that 0.5,0.5 is the middle")
)

// Validate reports the first thing about the prompt that cannot be answered.
func (p *Prompt) Validate() error {
	if len(p.Clicks) == 0 && p.Box == nil && p.Mask == nil && p.Text == "" {
		return ErrEmptyPrompt
	}
	if len(p.Clicks) > MaxClicks {
		return ErrTooManyClicks
	}
	for i, c := range p.Clicks {
		if !c.In01() {
			return fmt.Errorf("point %d (%g, %g): %w", i, c.X, c.Y, ErrOutsidePicture)
		}
		if c.Label != Positive && c.Label != Negative {
			return fmt.Errorf("point %d: label %d is neither 1 (positive) nor 0 (negative)", i, c.Label)
		}
	}
	if b := p.Box; b != nil && !b.Valid() {
		return fmt.Errorf("box [%g,%g,%g,%g]: need 0 ≤ x0 < x1 ≤ 1 and 0 ≤ y0 < y1 ≤ 1", b.X0, b.Y0, b.X1, b.Y1)
	}
	if len(p.Others) > MaxOthers || len(p.Others) > 0 && p.Box == nil {
		return fmt.Errorf("%d other boxes beside a box: there may be %d", len(p.Others), MaxOthers)
	}
	for _, b := range p.Others {
		if !b.Valid() {
			return fmt.Errorf("other box [%g,%g,%g,%g]: need 0 ≤ x0 < x1 ≤ 1 and 0 ≤ y0 < y1 ≤ 1", b.X0, b.Y0, b.X1, b.Y1)
		}
	}
	if m := p.Mask; m != nil && !m.valid() {
		return fmt.Errorf("mask logits: %d values for a grid of %dx%d, extent %gx%g", len(m.Data), m.W, m.H, m.Extent.X, m.Extent.Y)
	}
	onlyNegative := !slices.ContainsFunc(p.Clicks, func(c Click) bool { return c.Label == Positive })
	if len(p.Clicks) > 0 && onlyNegative && p.Box == nil && p.Mask == nil && p.Text == "" {
		return ErrNegativeOnly
	}
	return nil
}

// Clone copies the prompt, so that the copy's clicks and box may be moved. Logits are immutable and shared.
func (p Prompt) Clone() Prompt {
	p.Clicks, p.Others = slices.Clone(p.Clicks), slices.Clone(p.Others)
	if p.Box != nil {
		b := *p.Box
		p.Box = &b
	}
	return p
}

// Summary is a short description for people: "2 points, box".
func (p *Prompt) Summary() string {
	var s []string
	switch n := len(p.Clicks); {
	case n == 1:
		s = append(s, "point")
	case n > 1:
		s = append(s, fmt.Sprintf("%d points", n))
	}
	if p.Box != nil {
		s = append(s, "box")
	}
	if p.Text != "" {
		s = append(s, fmt.Sprintf("text %q", p.Text))
	}
	if p.Mask != nil {
		s = append(s, "mask")
	}
	var out strings.Builder
	for i, part := range s {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteString(part)
	}
	return out.String()
}

// Logits is a model's low-resolution answer: positive inside the object, negative outside. The grid of W×H cells
// covers the normalised rectangle of the frame that begins at Origin and is Extent large; what reaches beyond 1 is a model's padding.
// Cell (i, j) is centred at Origin + ((i+0.5)/W·Extent.X, (j+0.5)/H·Extent.Y). Immutable once made.
type Logits struct {
	W, H   int
	Origin Point // 0, 0 but for an answer about a crop of the frame
	Extent Point
	Data   []float32 // row by row, len W·H
}

func (l *Logits) valid() bool {
	return l.W > 0 && l.H > 0 && len(l.Data) == l.W*l.H && l.Extent.X > 0 && l.Extent.Y > 0
}

// Candidate is one valid mask for a prompt.
type Candidate struct {
	Logits       *Logits
	PredictedIoU float64 // the model's own estimate of the mask's IoU with what was meant, 0..1
	Stability    float64 // IoU of the masks cut at logits +1 and −1, 0..1 (Segment Anything, appendix B)
}

// Prediction is a model's answer to one prompt: its valid masks, best first. An empty answer is not an error: the
// model found nothing it believes in.
type Prediction struct {
	Candidates []Candidate
	// Ambiguous: the prompt fits several objects (whole, part, subpart), and a person may choose.
	Ambiguous bool
}

// Best is the first candidate, or nil.
func (p *Prediction) Best() *Candidate {
	if len(p.Candidates) == 0 {
		return nil
	}
	return &p.Candidates[0]
}
