package eval

import (
	"context"
	"errors"
	"fmt"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// session is one object being clicked at.
type session struct {
	truth  *seg.Mask
	prompt seg.Prompt
	row
	first *seg.Mask // answer to the first click
}

// picture measures the objects of one picture.
func (o *ClicksOptions) picture(ctx context.Context, it *dataset.Item) *sample {
	p := &sample{item: it}
	if p.err = o.answer(ctx, p); p.err != nil {
		p.err = fmt.Errorf("image %s: %w", it.Name, p.err)
	}
	return p
}

func (o *ClicksOptions) answer(ctx context.Context, p *sample) error {
	f, masks, err := p.item.Load()
	if err != nil {
		return err
	}
	p.frame = f
	for _, m := range o.choose(masks) {
		p.sessions = append(p.sessions, &session{truth: m, prompt: PromptFor(PromptClick, m)})
	}
	if len(p.sessions) == 0 {
		return nil
	}
	if err := o.clicks(ctx, p); err != nil {
		return err
	}
	return o.classical(p)
}

// clicks asks the model. The objects share the picture's embedding, and a click of all is one decode.
func (o *ClicksOptions) clicks(ctx context.Context, p *sample) (err error) {
	info := o.Segmenter.Info()
	p.input = inputOf(&info, p.frame)
	e, err := o.Segmenter.Embed(ctx, p.frame)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	for range o.Clicks {
		if err := clickAll(ctx, e, info.Kinds, p.sessions); err != nil {
			return err
		}
	}
	return boxAll(ctx, e, p.sessions)
}

// classical asks the baseline, on the picture at the size at which the model saw it: all that the model had, and what makes
// thousands of objects affordable.
func (o *ClicksOptions) classical(p *sample) error {
	if o.Baseline == nil {
		return nil
	}
	small := p.frame
	if info := o.Segmenter.Info(); info.Input != nil && !o.FullBaseline {
		w, h := info.Input(p.frame.Width, p.frame.Height)
		small = frame.New(2, 2)
		new(frame.Shrinker).Shrink(small, p.frame, w, h)
	}
	p.baseline = max(small.Width, small.Height)
	iou := func(kind PromptKind, truth *seg.Mask) (float64, error) {
		m, err := o.Baseline.Segment(small, PromptFor(kind, truth))
		return onGrid(m, truth).IoU(truth), err
	}
	for _, s := range p.sessions {
		var clicked, boxed error
		s.baseClick, clicked = iou(PromptClick, s.truth)
		s.baseBox, boxed = iou(PromptBox, s.truth)
		if err := errors.Join(clicked, boxed); err != nil {
			return err
		}
	}
	return nil
}

// clickAll decodes the sessions that still have an error, scores the answers and places the next clicks, of the kinds that the family
// takes.
func clickAll(ctx context.Context, e inference.Embedding, kinds inference.Kinds, sessions []*session) error {
	var open []*session
	var prompts []seg.Prompt
	for _, s := range sessions {
		if n := len(s.ious); n < len(s.prompt.Clicks) {
			open, prompts = append(open, s), append(prompts, s.prompt)
		} else {
			s.ious = append(s.ious, s.ious[n-1])
		}
	}
	if len(open) == 0 {
		return nil
	}
	answers, err := e.Decode(ctx, prompts)
	var unsupported *inference.UnsupportedError
	if errors.As(err, &unsupported) && len(open[0].ious) > 0 { // more clicks than the family takes: the score so far stands
		for _, s := range open {
			s.ious = append(s.ious, s.ious[len(s.ious)-1])
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, s := range open {
		s.answered(&answers[i], kinds)
	}
	return nil
}

// answered scores an answer and places the next click, or none where nothing is wrong any more that a click could tell the family.
func (s *session) answered(a *seg.Prediction, kinds inference.Kinds) {
	got := onGrid(nil, s.truth)
	if best := a.Best(); best != nil {
		got = best.Logits.Cut(s.truth.W, s.truth.H, seg.Threshold)
		if kinds.Mask {
			s.prompt.Mask = best.Logits
		}
	}
	if len(s.ious) == 0 {
		s.first = got
		for _, c := range a.Candidates {
			s.oracle = max(s.oracle, c.Logits.Cut(s.truth.W, s.truth.H, seg.Threshold).IoU(s.truth))
		}
	}
	s.ious = append(s.ious, got.IoU(s.truth))
	click, wrong := NextClick(got, s.truth)
	if click.Label == seg.Negative && !kinds.Negatives {
		var missed float64
		click.Label = seg.Positive
		click.Point, missed = s.truth.Minus(got).Deepest()
		wrong = missed > 0
	}
	if wrong {
		s.prompt.Clicks = append(s.prompt.Clicks, click)
	}
}

// NextClick is where a person would correct an answer, if anything is wrong with it: the deepest place of what is missing
// or of what is too much, whichever goes deeper.
func NextClick(got, truth *seg.Mask) (c seg.Click, wrong bool) {
	missing, missed := truth.Minus(got).Deepest()
	extra, spilled := got.Minus(truth).Deepest()
	if spilled > missed {
		return seg.Click{Point: extra, Label: seg.Negative}, true
	}
	return seg.Click{Point: missing, Label: seg.Positive}, missed > 0
}

// boxAll scores the answers to the objects' tight boxes.
func boxAll(ctx context.Context, e inference.Embedding, sessions []*session) error {
	prompts := make([]seg.Prompt, len(sessions))
	for i, s := range sessions {
		prompts[i] = PromptFor(PromptBox, s.truth)
	}
	answers, err := e.Decode(ctx, prompts)
	if _, ok := errors.AsType[*inference.UnsupportedError](err); ok {
		return nil // the family takes no boxes: the column is 0
	}
	if err != nil {
		return err
	}
	for i, s := range sessions {
		if best := answers[i].Best(); best != nil {
			s.box = best.Logits.Cut(s.truth.W, s.truth.H, seg.Threshold).IoU(s.truth)
		}
	}
	return nil
}
