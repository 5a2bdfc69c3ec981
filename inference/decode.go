package inference

import (
	"context"
	"fmt"
	"image"
	"sync"

	"github.com/segedge/segedge/seg"
)

// embedding is one frame as the encoder saw it.
type embedding struct {
	m        *model
	geometry geometry
	inputs   []Tensor // the decoder's, of the picture
	space    [4]Tensor
	flat     bool // the picture shows nothing
	release  func()

	mu     sync.Mutex
	refs   int // 1 until Close, 1 for each Decode under way
	closed bool
}

// Close ends the embedding; a Decode under way still finishes.
func (e *embedding) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return fmt.Errorf("close embedding: %w", ErrClosed)
	}
	e.closed = true
	e.mu.Unlock()
	return e.unref()
}

func (e *embedding) ref() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	e.refs++
	return nil
}

func (e *embedding) unref() error {
	e.mu.Lock()
	e.refs--
	last := e.refs == 0
	e.mu.Unlock()
	if !last {
		return nil
	}
	e.release()
	return e.m.unref()
}

// Decode answers the prompts, several in one call of the decoder where the family allows.
func (e *embedding) Decode(ctx context.Context, prompts []seg.Prompt) ([]seg.Prediction, error) {
	if err := e.ref(); err != nil {
		return nil, fmt.Errorf("decode: the embedding: %w", err)
	}
	defer func() { _ = e.unref() }()
	f := &e.m.family
	for i := range prompts {
		if err := f.supports(&prompts[i]); err != nil {
			return nil, fmt.Errorf("decode: prompt %d: %w", i, err)
		}
	}
	out := make([]seg.Prediction, len(prompts))
	if e.flat {
		return out, nil // whatever a decoder makes of it is no object
	}
	a := e.m.takeAsk()
	defer e.m.giveBackAsk(a)
	a.group(e.m, &e.geometry, prompts)
	for i := range a.calls {
		if err := e.answer(ctx, a, &a.calls[i], prompts, out); err != nil {
			return nil, fmt.Errorf("decode: model %s: %w", e.m.opts.Name, err)
		}
	}
	return out, nil
}

// call is some prompts, by index, that share a call of the decoder with n points each.
type call struct {
	at   []int
	n    int
	key  int         // what is alike in them, where the input is the whole
	size image.Point // of their windows, pixels of the input; zero for the whole of it
}

// group sorts the prompts into calls: one by one where the family is not batched, and only those with the same number of points where
// padding would change the answer.
func (a *ask) group(m *model, g *geometry, prompts []seg.Prompt) {
	r := &m.family.Ask
	a.calls, a.windows = a.calls[:0], a.windows[:0]
	for i := range prompts {
		var w image.Rectangle
		if m.windowed {
			w = m.family.window(g, &prompts[i])
		}
		if a.windows = append(a.windows, w); !w.Empty() {
			continue
		}
		n := r.tokens(&prompts[i])
		key := n
		if r.Neutral {
			key = 0
		}
		if r.OneHas && prompts[i].Mask != nil {
			key = -n
		}
		c := a.alike(m, key)
		c.at = append(c.at, i)
		c.n, c.key = max(c.n, n), key
	}
	a.groupWindows(m, prompts)
}

// alike is the call that a prompt of this key joins, or a new one.
func (a *ask) alike(m *model, key int) *call {
	for k := range a.calls {
		if c := &a.calls[k]; m.family.Ask.Batched && c.key == key && len(c.at) < m.opts.MaxBatch {
			return c
		}
	}
	return a.newCall()
}

// newCall is an empty call, in memory of an earlier one if there is.
func (a *ask) newCall() *call {
	if len(a.calls) < cap(a.calls) {
		a.calls = a.calls[:len(a.calls)+1]
	} else {
		a.calls = append(a.calls, call{})
	}
	c := &a.calls[len(a.calls)-1]
	*c = call{at: c.at[:0]}
	return c
}

// answer runs one call and writes its predictions to their places in out.
func (e *embedding) answer(ctx context.Context, a *ask, c *call, prompts []seg.Prompt, out []seg.Prediction) error {
	a.prompts = a.prompts[:0]
	for _, k := range c.at {
		a.prompts = append(a.prompts, &prompts[k])
	}
	outputs, release, err := e.m.decoder.Run(ctx, a.fill(e.m, a.look(e, c), a.embeds(e, c), a.prompts, c.n))
	if err != nil {
		return err
	}
	defer release()
	r, err := e.m.read(outputs, len(a.prompts))
	if err != nil {
		return err
	}
	for i, k := range c.at {
		p, err := r.prediction(&e.m.family, &e.geometry, viewOf(a.views, i), i, a.prompts[i])
		if err != nil {
			return fmt.Errorf("prompt %d: %w", k, err)
		}
		out[k] = p
	}
	return nil
}

func (m *model) takeAsk() *ask {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.asks); n > 0 {
		a := m.asks[n-1]
		m.asks = m.asks[:n-1]
		return a
	}
	return &ask{}
}

func (m *model) giveBackAsk(a *ask) {
	clear(a.inputs[:cap(a.inputs)]) // do not keep the embedding reachable
	clear(a.prompts[:cap(a.prompts)])
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.asks) < maxSpare {
		m.asks = append(m.asks, a)
	}
}
