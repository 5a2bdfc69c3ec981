package failover

import (
	"context"
	"errors"
	"sync"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// embedding is one of either model.
type embedding struct {
	inference.Embedding
	m    *Model
	s    inference.Segmenter
	saw  string
	kept *frame.Frame // the picture, where it was encoded elsewhere

	mu     sync.Mutex
	uses   int // decodes under way
	closed bool
	here   inference.Embedding // of the picture, once an answer from elsewhere has not come
}

var (
	_ inference.Featured   = (*embedding)(nil)
	_ inference.Identified = (*embedding)(nil)
)

// Model is the identity of the model that saw the picture.
func (e *embedding) Model() string { return e.saw }

// Features are what it saw.
func (e *embedding) Features() []seg.Features {
	if f, ok := e.Embedding.(inference.Featured); ok {
		return f.Features()
	}
	return nil
}

// Decode answers elsewhere or, where that fails, here.
func (e *embedding) Decode(ctx context.Context, prompts []seg.Prompt) ([]seg.Prediction, error) {
	e.mu.Lock()
	e.uses++
	e.mu.Unlock()
	defer func() { _ = e.letGo() }()
	out, err := e.Embedding.Decode(ctx, prompts)
	if err == nil || e.kept == nil || ctx.Err() != nil || ours(err, prompts) {
		return out, err
	}
	e.m.fall(e.s, err)
	here, err := e.answerHere(ctx)
	if err != nil {
		return nil, err
	}
	return here.Decode(ctx, prompts)
}

// answerHere is the picture as the local model sees it.
func (e *embedding) answerHere(ctx context.Context) (inference.Embedding, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var err error
	if e.here == nil {
		e.here, err = e.m.o.Local.Embed(ctx, e.kept)
	}
	return e.here, err
}

// ours reports an error that is no failure of the model: it was asked what it cannot take.
func ours(err error, prompts []seg.Prompt) bool {
	if _, is := errors.AsType[*inference.UnsupportedError](err); is {
		return true
	}
	for i := range prompts {
		if prompts[i].Validate() != nil {
			return true
		}
	}
	return false
}

// Close closes what was made of the picture.
func (e *embedding) Close() error {
	e.mu.Lock()
	e.closed = true
	e.uses++
	e.mu.Unlock()
	return errors.Join(e.Embedding.Close(), e.letGo())
}

// letGo ends a use; after the last one of a closed embedding the picture goes back.
func (e *embedding) letGo() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.uses--; e.uses > 0 || !e.closed {
		return nil
	}
	e.m.drop(e.kept)
	if e.here == nil {
		return nil
	}
	return e.here.Close()
}
