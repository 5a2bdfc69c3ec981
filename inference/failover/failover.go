// Package failover is a model that serves from another machine while that answers, and from here while it does not: one call that fails
// there is answered here, and what is there is asked again, and proved, until it serves. It knows neither networks nor graphs: Connect
// makes the model that is elsewhere.
package failover

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
)

// Options of a Model.
type Options struct {
	// Local serves while the other is away. It is the Model's from New on: it closes it.
	Local inference.Segmenter
	// Connect makes the model that is elsewhere, and proves that it answers rightly. It may take until its context ends.
	Connect func(ctx context.Context) (inference.Segmenter, error)
	// Where says where it is, for people.
	Where string
	// Limit bounds one Connect; 0 is a minute.
	Limit time.Duration
	// Wait is how long is waited before the other is asked again, twice as long each time up to thirty times; 0 is 1 s.
	Wait   time.Duration
	Logger *slog.Logger // nil is silent
}

// Model is a Segmenter that is one of two models. Embeddings that are open keep theirs.
type Model struct {
	o    Options
	wake chan struct{} // to Run: the other failed

	changed func()

	mu     sync.Mutex
	remote inference.Segmenter // nil while it is away
	why    string              // it is away
	since  time.Time           // when that began, or when it came
	served time.Duration       // for how long it did the last time, once
	falls  uint64
	asked  bool // the other, once at least
	closed bool
	life   context.Context // ends when the model is closed
	end    context.CancelFunc
	spare  []*frame.Frame
}

var _ inference.Segmenter = (*Model)(nil)

// New makes a Model that serves from here until Connect, at once or in Run, has made the other.
func New(o Options) *Model {
	if o.Limit <= 0 {
		o.Limit = time.Minute
	}
	if o.Wait <= 0 {
		o.Wait = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Model{o: o, changed: func() {}, wake: make(chan struct{}, 1), why: "not asked yet", since: time.Now()}
	m.life, m.end = context.WithCancel(context.Background())
	return m
}

// Notify sets what Run calls when another model serves than before. It is called before Run; changed must not block for long.
func (m *Model) Notify(changed func()) { m.changed = changed }

// Connect tries once to reach the other model, and serves from it from then on.
func (m *Model) Connect(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, m.o.Limit)
	defer cancel()
	s, err := m.o.Connect(limited)
	m.mu.Lock()
	if err != nil && !m.asked {
		m.falls++ // away from the start: the local one serves in its place as if it had fallen
	}
	m.asked = true
	switch {
	case err != nil:
		m.why = err.Error()
	case m.closed:
		err = inference.ErrClosed
	default:
		m.remote, m.why, m.since = s, "", time.Now()
		s = nil
	}
	m.mu.Unlock()
	if s != nil && err != nil {
		_ = s.Close()
	}
	return err
}

// Run asks for the other model while it is away, until ctx ends or the model is closed. It also runs what Local has to do in the
// background.
func (m *Model) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.life, cancel)()
	var local sync.WaitGroup
	defer local.Wait()
	if r, ok := m.o.Local.(interface {
		Run(ctx context.Context) error
	}); ok {
		local.Go(func() {
			if err := r.Run(ctx); err != nil {
				m.o.Logger.Warn("the local model", "err", err)
			}
		})
	}
	wait := m.o.Wait
	for ctx.Err() == nil {
		if m.serving() != m.o.Local {
			select {
			case <-ctx.Done():
			case <-m.wake:
				m.changed()
			}
			continue
		}
		if m.servedFor() > 30*m.o.Wait { // it may be back at once
			wait = m.o.Wait
		}
		if !pause(ctx, wait) {
			break
		}
		wait = min(2*wait, 30*m.o.Wait)
		if m.Connect(ctx) == nil {
			m.o.Logger.Info("the model elsewhere serves", "where", m.o.Where)
			m.changed()
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
