package eval

import (
	"context"
	"errors"
	"fmt"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// firstMask is the mask that a prompt means in a frame: its own, or the model's answer.
func firstMask(m inference.Segmenter, f *frame.Frame, p seg.Prompt) (*seg.Mask, error) {
	if p.Mask != nil {
		return p.Mask.Cut(f.Width, f.Height, seg.Threshold), nil
	}
	c, err := ask(m, f, p)
	if err != nil || c == nil {
		return nil, err
	}
	return c.Logits.Cut(f.Width, f.Height, seg.Threshold), nil
}

// ask encodes a frame and gives the model's best answer to one prompt, nil for none.
func ask(m inference.Segmenter, f *frame.Frame, p seg.Prompt) (best *seg.Candidate, err error) {
	e, err := m.Embed(context.Background(), f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	answers, err := e.Decode(context.Background(), []seg.Prompt{p})
	if err != nil {
		return nil, err
	}
	if len(answers) != 1 {
		return nil, fmt.Errorf("%d answers to one prompt", len(answers))
	}
	return answers[0].Best(), nil
}

// Still is the baseline in which nothing moves: the first mask, for ever.
func Still(m inference.Segmenter) func() (Follower, error) {
	return func() (Follower, error) { return &still{model: m}, nil }
}

type still struct {
	model inference.Segmenter
	mask  *seg.Mask
}

func (s *still) Start(f *frame.Frame, p seg.Prompt) (err error) {
	s.mask, err = firstMask(s.model, f, p)
	return err
}

func (s *still) Next(*frame.Frame) (*seg.Mask, error) { return s.mask, nil }
func (s *still) Close() error                         { return nil }

// ModelAlone is the baseline without motion: every frame is a keyframe, asked with the answer before as the mask prompt. (Its
// box beside it makes the baseline worse.) An answer that covers nothing leaves the mask before it.
func ModelAlone(m inference.Segmenter) func() (Follower, error) {
	return func() (Follower, error) { return &modelAlone{model: m}, nil }
}

type modelAlone struct {
	model inference.Segmenter
	last  *seg.Logits
	mask  *seg.Mask
}

func (a *modelAlone) Start(f *frame.Frame, p seg.Prompt) error {
	if p.Mask != nil {
		a.last, a.mask = p.Mask, p.Mask.Cut(f.Width, f.Height, seg.Threshold)
		return nil
	}
	return a.answer(f, p)
}

func (a *modelAlone) Next(f *frame.Frame) (*seg.Mask, error) {
	if a.last == nil {
		return nil, nil
	}
	err := a.answer(f, seg.Prompt{Mask: a.last})
	return a.mask, err
}

func (a *modelAlone) answer(f *frame.Frame, p seg.Prompt) error {
	c, err := ask(a.model, f, p)
	if err != nil || c == nil {
		return err
	}
	if m := c.Logits.Cut(f.Width, f.Height, seg.Threshold); !m.Rect.Empty() {
		a.last, a.mask = c.Logits, m
	}
	return nil
}

func (a *modelAlone) Close() error { return nil }

// BoxTracker follows a box: a classical or learned tracker.
type BoxTracker interface {
	Init(f *frame.Frame, box seg.Box) error
	// Update gives the box in the next frame, and whether the tracker believes in it.
	Update(f *frame.Frame) (box seg.Box, ok bool, err error)
	Close() error
}

// BoxAndModel is a box tracker whose box prompts the model in every frame. Where the model finds nothing the box itself is
// the mask.
func BoxAndModel(m inference.Segmenter, open func() (BoxTracker, error)) func() (Follower, error) {
	return func() (Follower, error) {
		t, err := open()
		if err != nil {
			return nil, err
		}
		return &boxed{model: m, tracker: t}, nil
	}
}

type boxed struct {
	model   inference.Segmenter
	tracker BoxTracker
	found   bool
}

func (b *boxed) Start(f *frame.Frame, p seg.Prompt) error {
	m, err := firstMask(b.model, f, p)
	if err != nil || m == nil || m.Rect.Empty() {
		return err
	}
	b.found = true
	return b.tracker.Init(f, m.Box())
}

func (b *boxed) Next(f *frame.Frame) (*seg.Mask, error) {
	if !b.found {
		return nil, nil
	}
	box, ok, err := b.tracker.Update(f)
	if err != nil || !ok || !box.Clip().Valid() {
		return nil, err
	}
	box = box.Clip()
	return firstMask(b.model, f, seg.Prompt{Box: &box})
}

func (b *boxed) Close() error { return b.tracker.Close() }
