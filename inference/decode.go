package inference

import (
	"context"
	"fmt"
	"sync"

	"github.com/segedge/segedge/seg"
)

// embedding is one frame as the encoder saw it.
type embedding struct {
	m        *model
	geometry geometry
	inputs   []Tensor // the decoder's, of the picture
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
	for _, call := range e.m.calls(prompts) {
		if err := e.answer(ctx, prompts, call, out); err != nil {
			return nil, fmt.Errorf("decode: model %s: %w", e.m.opts.Name, err)
		}
	}
	return out, nil
}

// call is some prompts, by index, that share a call of the decoder with n points each.
type call struct {
	at []int
	n  int
}

// calls groups the prompts: one by one where the family is not batched, and only those with the same number of points
// where padding would change the answer.
func (m *model) calls(prompts []seg.Prompt) []call {
	r := &m.family.Ask
	var out []call
	open := map[int]int{} // what must be alike → its unfinished call
	for i := range prompts {
		n := r.tokens(&prompts[i])
		key := n
		if r.Neutral {
			key = 0
		}
		if r.OneHas && prompts[i].Mask != nil {
			key = -n
		}
		k, ok := open[key]
		if !ok || !r.Batched || len(out[k].at) >= m.opts.MaxBatch {
			k = len(out)
			out = append(out, call{})
			open[key] = k
		}
		out[k].at = append(out[k].at, i)
		out[k].n = max(out[k].n, n)
	}
	return out
}

// answer runs one call and writes its predictions to their places in out.
func (e *embedding) answer(ctx context.Context, prompts []seg.Prompt, c call, out []seg.Prediction) error {
	a := e.m.takeAsk()
	defer e.m.giveBackAsk(a)
	ps := make([]*seg.Prompt, len(c.at))
	for i, k := range c.at {
		ps[i] = &prompts[k]
	}
	outputs, release, err := e.m.decoder.Run(ctx, a.fill(e.m, &e.geometry, e.inputs, ps, c.n))
	if err != nil {
		return err
	}
	defer release()
	r, err := e.m.read(outputs, len(ps))
	if err != nil {
		return err
	}
	for i, k := range c.at {
		p, err := r.prediction(&e.m.family, &e.geometry, i, ps[i])
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
		a.ints, a.short = a.ints[:0], a.short[:0]
		return a
	}
	return &ask{}
}

func (m *model) giveBackAsk(a *ask) {
	clear(a.inputs[:cap(a.inputs)]) // do not keep the embedding reachable
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.asks) < maxSpare {
		m.asks = append(m.asks, a)
	}
}
