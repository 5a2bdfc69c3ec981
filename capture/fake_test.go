package capture

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
)

// script is a source for tests: each entry is one read.
type script struct {
	info  Info
	reads []read
	hums  bool // bytes come all the time
	next  int
	pts   time.Duration
	rig   *rig
}

// read is what a Read does: it takes a time, deaf to its context if stuck, and gives a frame or an error.
type read struct {
	after time.Duration
	stuck bool
	err   error
	w, h  int // 0: 4×2
	gap   time.Duration
	panic string
}

func (s *script) Info() Info { return s.info }

func (s *script) Close() error {
	s.rig.closed.Add(-1)
	return nil
}

func (s *script) Read(ctx context.Context, dst *frame.Frame) error {
	if s.next >= len(s.reads) {
		return io.EOF
	}
	r := s.reads[s.next]
	s.next++
	if r.stuck {
		time.Sleep(r.after)
	} else {
		select {
		case <-time.After(r.after):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.panic != "" {
		panic(r.panic)
	}
	if r.err != nil {
		return r.err
	}
	if r.w == 0 {
		r.w, r.h = 4, 2
	}
	dst.Resize(r.w, r.h)
	s.pts += r.gap
	dst.PTS = s.pts
	return nil
}

// steady is n frames, every apart.
func steady(n int, every time.Duration) []read {
	rs := make([]read, n)
	for i := range rs {
		rs[i].after = every
	}
	return rs
}

// rig is a capture over scripts, one for each opening, and all that came out of it.
type rig struct {
	t       *testing.T
	scripts []script
	openErr error // once the scripts are used up; io.EOF-like sources end by their script
	opens   []time.Time
	closed  sync.WaitGroup

	pool   *frame.Pool
	out    *frame.Latest
	cap    *Capture
	states []State
	frames []frame.Meta
	began  time.Time
}

var errGone = errors.New("nobody there")

func newRig(t *testing.T, o Options, scripts ...script) *rig {
	r := &rig{t: t, scripts: scripts, pool: frame.NewPool(4), out: frame.NewLatest(), openErr: errGone, began: time.Now()}
	o.Open, o.Pool, o.Out = r.open, r.pool, r.out
	o.OnState = func(s State) { r.states = append(r.states, s) }
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.cap = c
	return r
}

func (r *rig) open(ctx context.Context) (Source, error) {
	r.opens = append(r.opens, time.Now())
	if len(r.opens) > len(r.scripts) {
		return nil, r.openErr
	}
	s := r.scripts[len(r.opens)-1]
	s.rig = r
	r.closed.Add(1)
	if s.hums {
		return hummer{&s}, nil
	}
	return &s, nil
}

// hummer is a script whose bytes come all the time.
type hummer struct{ *script }

func (hummer) Active() time.Time { return time.Now() }

// run captures until the source ends or the time is up, taking every frame, and checks that nothing is leaked.
func (r *rig) run(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	defer cancel()
	var wg sync.WaitGroup
	taking, stop := context.WithCancel(r.t.Context())
	wg.Go(func() {
		for {
			f, err := r.out.Take(taking)
			if err != nil {
				return
			}
			r.frames = append(r.frames, f.Meta)
			f.Release()
		}
	})
	err := r.cap.Run(ctx)
	stop()
	wg.Wait()
	r.closed.Wait()
	r.out.Close()
	if err := r.pool.Close(); err != nil {
		r.t.Error(err)
	}
	return err
}

// kinds are the states reported, without their times.
func (r *rig) kinds() []Kind {
	ks := make([]Kind, len(r.states))
	for i, s := range r.states {
		ks[i] = s.Kind
	}
	return ks
}

// at is when a state was reported, after the beginning.
func (r *rig) at(i int) time.Duration { return r.states[i].At.Sub(r.began) }
