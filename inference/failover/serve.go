package failover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
)

// serving is the model that serves now.
func (m *Model) serving() inference.Segmenter {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.remote != nil {
		return m.remote
	}
	return m.o.Local
}

// servedFor is for how long the other served before it went away; it is told once.
func (m *Model) servedFor() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.served
	m.served = 0
	return d
}

// fall notes that the other model failed, unless somebody did already. Its open embeddings keep it.
func (m *Model) fall(s inference.Segmenter, err error) {
	m.mu.Lock()
	if m.remote != s {
		m.mu.Unlock()
		return
	}
	m.remote, m.why, m.falls = nil, err.Error(), m.falls+1
	m.served, m.since = time.Since(m.since), time.Now()
	m.mu.Unlock()
	m.o.Logger.Warn("the model elsewhere is away: the local one serves", "where", m.o.Where, "reason", err)
	if err := s.Close(); err != nil {
		m.o.Logger.Warn("closing a model", "error", err)
	}
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// Falls is how often the other model went away; being away from the start is once.
func (m *Model) Falls() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.falls
}

// Embed encodes the frame elsewhere or, where that fails, here.
func (m *Model) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	s := m.serving()
	if s == m.o.Local {
		return m.embed(ctx, s, f, nil)
	}
	e, err := m.embed(ctx, s, f, m.keep(f))
	if err == nil || ctx.Err() != nil {
		return e, err
	}
	if !errors.Is(err, inference.ErrClosed) { // closed: somebody fell between the two lines
		m.fall(s, err)
	}
	return m.embed(ctx, m.o.Local, f, nil)
}

func (m *Model) embed(ctx context.Context, s inference.Segmenter, f, kept *frame.Frame) (inference.Embedding, error) {
	e, err := s.Embed(ctx, f)
	if err != nil {
		m.drop(kept)
		return nil, err
	}
	return &embedding{Embedding: e, m: m, s: s, kept: kept, saw: identity(s)}, nil
}

// keep is a copy of a frame, on which an answer that does not come is given here.
func (m *Model) keep(f *frame.Frame) *frame.Frame {
	m.mu.Lock()
	var kept *frame.Frame
	for i, k := range m.spare {
		if k.Width == f.Width && k.Height == f.Height {
			kept, m.spare = k, append(m.spare[:i], m.spare[i+1:]...)
			break
		}
	}
	m.mu.Unlock()
	if kept == nil {
		kept = frame.New(f.Width, f.Height)
	}
	copy(kept.Pix, f.Pix)
	return kept
}

// maxSpare bounds the copies that are kept for later ones.
const maxSpare = 8

func (m *Model) drop(kept *frame.Frame) {
	if kept == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.spare) == maxSpare {
		m.spare = m.spare[:copy(m.spare, m.spare[1:])]
	}
	m.spare = append(m.spare, kept)
}

// Info describes the model that serves now.
func (m *Model) Info() inference.Info {
	i := m.serving().Info()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.remote == nil {
		i.Away = fmt.Sprintf("%s since %s: %s", m.o.Where, m.since.UTC().Format(time.RFC3339), m.why)
	}
	return i
}

// Close frees both models once their embeddings are closed. A Run ends.
func (m *Model) Close() error {
	m.mu.Lock()
	closed, remote := m.closed, m.remote
	m.closed = true
	m.mu.Unlock()
	if closed {
		return nil
	}
	m.end()
	err := m.o.Local.Close()
	if remote != nil {
		err = errors.Join(err, remote.Close())
	}
	return err
}

func identity(s inference.Segmenter) string {
	i := s.Info()
	return i.Identity()
}
