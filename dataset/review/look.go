package review

import (
	"bytes"
	"context"
	"sync"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// look is what a model saw of the picture that is judged, so that a second click costs a decode alone.
type look struct {
	mu    sync.Mutex
	name  string
	model inference.Segmenter
	seen  inference.Embedding
}

// decode answers a prompt in a picture.
func (l *look) decode(ctx context.Context, m inference.Segmenter, name string, jpeg []byte, p seg.Prompt) (*seg.Candidate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil || l.name != name || l.model != m {
		if err := l.encode(ctx, m, name, jpeg); err != nil {
			return nil, err
		}
	}
	answers, err := l.seen.Decode(ctx, []seg.Prompt{p})
	if err != nil {
		return nil, err
	}
	best := answers[0].Best()
	if best == nil {
		return nil, &badRequest{"the model found nothing there"}
	}
	return best, nil
}

func (l *look) encode(ctx context.Context, m inference.Segmenter, name string, jpeg []byte) error {
	f := frame.New(2, 2)
	if err := picture.Decode(f, bytes.NewReader(jpeg)); err != nil {
		return err
	}
	seen, err := m.Embed(ctx, f)
	if err != nil {
		return err
	}
	if l.seen != nil {
		_ = l.seen.Close() // the new one is what is asked for
	}
	l.name, l.model, l.seen = name, m, seen
	return nil
}

// Close frees it.
func (l *look) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		return nil
	}
	err := l.seen.Close()
	l.seen = nil
	return err
}
