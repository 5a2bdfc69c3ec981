package eval

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Memo is a model that encodes no picture twice: for studies that show the same pictures again and again. What it keeps
// is bounded; when it is full, pictures that it has not seen are encoded each time. It must not be used beside a model in use
// for speed: its encoder takes no time.
type Memo struct {
	inference.Segmenter
	limit int
	seed  maphash.Seed

	mu   sync.Mutex
	kept map[uint64]inference.Embedding
}

// NewMemo keeps at most limit embeddings of a model, which stays the caller's.
func NewMemo(model inference.Segmenter, limit int) *Memo {
	return &Memo{Segmenter: model, limit: limit, seed: maphash.MakeSeed(), kept: map[uint64]inference.Embedding{}}
}

// Embed gives the embedding of a picture, from what is kept where it is the same to the last pixel.
func (m *Memo) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	var h maphash.Hash
	h.SetSeed(m.seed)
	maphash.WriteComparable(&h, [2]int{f.Width, f.Height})
	_, _ = h.Write(f.Pix) // never fails
	key := h.Sum64()
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.kept[key]; ok {
		return borrowed{e}, nil
	}
	e, err := m.Segmenter.Embed(ctx, f)
	if err != nil || len(m.kept) >= m.limit {
		return e, err
	}
	m.kept[key] = e
	return borrowed{e}, nil
}

// Close lets what is kept go, and not the model.
func (m *Memo) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	for _, e := range m.kept {
		errs = append(errs, e.Close())
	}
	clear(m.kept)
	return errors.Join(errs...)
}

// borrowed is an embedding that the memo closes.
type borrowed struct{ inference.Embedding }

func (borrowed) Close() error { return nil }

// Features are those of the embedding, where it shows any.
func (b borrowed) Features() []seg.Features {
	if f, ok := b.Embedding.(inference.Featured); ok {
		return f.Features()
	}
	return nil
}
