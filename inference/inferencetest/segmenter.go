// Package inferencetest is a promptable segmentation model for tests: pure Go, exact and at once, with hooks that hold,
// delay, change or fail its answers. It finds regions of one colour, so a picture of flat shapes is segmented to the
// cell. It is not a model for people, and no product code imports it.
package inferencetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Options say how the test model answers. The zero value finds regions of one colour on a grid of 160 cells.
type Options struct {
	// Side is the longest side of the grid of logits in cells; 0 is 160. A smaller frame is answered on its own grid.
	Side int
	// Tolerance is how far a channel may lie from the colour under the click; 0 is 24.
	Tolerance int
	// Disc answers with a disc of this radius, in grid cells, around each positive click instead of looking at colours.
	Disc float64
	// Embed is called by every Embed before it looks at the frame; it may block, and its error fails the call.
	Embed func(ctx context.Context, f *frame.Frame) error
	// Decode is called by every Decode before it answers; it may block, and its error fails the call.
	Decode func(ctx context.Context, prompts []seg.Prompt) error
	// Answer may replace the answer to one prompt.
	Answer func(p seg.Prompt, a seg.Prediction) seg.Prediction
}

// Segmenter is the test model. Make it with New.
type Segmenter struct {
	opts    Options
	embeds  atomic.Int64
	decodes atomic.Int64
	live    atomic.Int64
	closed  atomic.Bool
}

var _ inference.Segmenter = (*Segmenter)(nil)

// New makes a test model.
func New(o Options) *Segmenter {
	if o.Side == 0 {
		o.Side = 160
	}
	if o.Tolerance == 0 {
		o.Tolerance = 24
	}
	return &Segmenter{opts: o}
}

// Embeds is how often Embed was called.
func (s *Segmenter) Embeds() int { return int(s.embeds.Load()) }

// Decodes is how often Decode was called.
func (s *Segmenter) Decodes() int { return int(s.decodes.Load()) }

// Live is the number of embeddings that were made and not closed: 0 at the end of a test that leaks none.
func (s *Segmenter) Live() int { return int(s.live.Load()) }

// Closed says whether the model was closed.
func (s *Segmenter) Closed() bool { return s.closed.Load() }

// Info describes a batched model that takes everything but text.
func (s *Segmenter) Info() inference.Info {
	return inference.Info{
		Name: "test", Family: "test", Provider: "cpu", Why: "a test model", Batched: true,
		Kinds: inference.Kinds{Points: true, Negatives: true, Box: true, Mask: true},
		Logits: func(w, h int) (int, int, seg.Point) {
			w, h = s.grid(w, h)
			return w, h, seg.Point{X: 1, Y: 1}
		},
		Input: s.grid,
	}
}

// Embed keeps a reduced copy of the frame.
func (s *Segmenter) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	s.embeds.Add(1)
	if s.closed.Load() {
		return nil, errors.New("embed: the test model is closed")
	}
	if s.opts.Embed != nil {
		if err := s.opts.Embed(ctx, f); err != nil {
			return nil, fmt.Errorf("embed: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	w, h := s.grid(f.Width, f.Height)
	s.live.Add(1)
	return &embedding{s: s, pic: reduce(f, w, h)}, nil
}

// Close ends the model; open embeddings still answer.
func (s *Segmenter) Close() error { s.closed.Store(true); return nil }

// grid is the size of the logits for a frame.
func (s *Segmenter) grid(w, h int) (int, int) {
	long := max(w, h)
	if long <= s.opts.Side {
		return w, h
	}
	return max(1, (w*s.opts.Side+long/2)/long), max(1, (h*s.opts.Side+long/2)/long)
}

type embedding struct {
	s      *Segmenter
	pic    picture
	closed atomic.Bool
}

func (e *embedding) Decode(ctx context.Context, prompts []seg.Prompt) ([]seg.Prediction, error) {
	e.s.decodes.Add(1)
	if e.closed.Load() {
		return nil, errors.New("decode: the embedding is closed")
	}
	if e.s.opts.Decode != nil {
		if err := e.s.opts.Decode(ctx, prompts); err != nil {
			return nil, fmt.Errorf("decode: %w", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	out := make([]seg.Prediction, len(prompts))
	for i, p := range prompts {
		if p.Text != "" {
			return nil, &inference.UnsupportedError{Family: "test", Kind: "text prompts"}
		}
		out[i] = e.answer(p)
	}
	return out, nil
}

func (e *embedding) answer(p seg.Prompt) seg.Prediction {
	var a seg.Prediction
	if l := e.segment(p); l != nil {
		a.Candidates = []seg.Candidate{{Logits: l, PredictedIoU: 0.95, Stability: l.StabilityScore(1)}}
	}
	if e.s.opts.Answer != nil {
		return e.s.opts.Answer(p, a)
	}
	return a
}

func (e *embedding) Close() error {
	if e.closed.Swap(true) {
		return errors.New("the embedding is closed twice")
	}
	e.s.live.Add(-1)
	return nil
}

// Gate holds whoever passes it until it is opened: a model that is busy for as long as the test wants.
type Gate struct {
	open    chan struct{}
	arrived chan struct{}
}

// NewGate makes a closed gate.
func NewGate() *Gate {
	return &Gate{open: make(chan struct{}), arrived: make(chan struct{}, 1024)}
}

// Pass waits until the gate is open or ctx ends.
func (g *Gate) Pass(ctx context.Context) error {
	select {
	case g.arrived <- struct{}{}:
	default:
	}
	select {
	case <-g.open:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Arrived receives a token for each arrival at the gate.
func (g *Gate) Arrived() <-chan struct{} { return g.arrived }

// Open lets everybody pass, for good. It is called once.
func (g *Gate) Open() { close(g.open) }
