package pipeline

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// Who says more about an object and is refused is not asked about later: the click is taken back, and every other that waits with it is told.
func TestARefusedRefinementIsTakenBack(t *testing.T) {
	gate, broken := inferencetest.NewGate(), errors.New("out of memory")
	var fail, asked atomic.Bool
	at := seg.Point{X: 0.05, Y: 0.95}
	model := inferencetest.New(inferencetest.Options{
		Embed: func(ctx context.Context, _ *frame.Frame) error {
			if !fail.Load() {
				return nil
			}
			return cmp.Or(gate.Pass(ctx), broken)
		},
		Decode: func(_ context.Context, ps []seg.Prompt) error {
			for _, p := range ps {
				for _, c := range p.Clicks {
					if math.Hypot(c.X-at.X, c.Y-at.Y) < 0.02 {
						asked.Store(true)
					}
				}
			}
			return nil
		},
	})
	r := newRig(t, model, nil, red, blue)
	r.next()
	a := r.wait(r.click(red.center(1), 0))
	if a.err != nil {
		t.Fatal(a.err)
	}
	if err := r.Reset(t.Context()); err != nil { // no keyframe is left to ask it on
		t.Fatal(err)
	}
	fail.Store(true)
	r.next()
	said := seg.Prompt{Clicks: []seg.Click{{Point: at, Label: seg.Positive}}}
	first := r.ask(Request{Object: a.Object.ID, Prompt: said})
	<-gate.Arrived()
	r.next()
	second := r.ask(Request{Object: a.Object.ID, Prompt: said})
	for r.waits() < 2 {
		runtime.Gosched()
	}
	gate.Open()
	if got := r.wait(first); !errors.Is(got.err, broken) {
		t.Errorf("told %v", got.err)
	}
	if got := r.wait(second); !errors.Is(got.err, broken) {
		t.Errorf("the second was told %v", got.err)
	}
	fail.Store(false)
	for n := r.n; r.Counters().LastKeyframe <= n; {
		r.next()
		if err := r.Keyframe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() {
		t.Error("the model was asked about what was refused")
	}
}

// waits is how many prompts wait for the model.
func (r *rig) waits() (n int) {
	r.t.Helper()
	if err := r.call(r.t.Context(), func() { n = len(r.waiting) }); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// A frame that is lent to somebody who has gone meanwhile is given back.
func TestAFrameForWhoHasGone(t *testing.T) {
	for what, borrow := range map[string]func(*rig, context.Context) (*frame.Frame, error){
		"a frame": func(r *rig, ctx context.Context) (*frame.Frame, error) { return r.Frame(ctx, 0) },
		"a look": func(r *rig, ctx context.Context) (*frame.Frame, error) {
			f, _, err := r.Look(ctx)
			return f, err
		},
		"a shot": func(r *rig, ctx context.Context) (*frame.Frame, error) {
			s, err := r.Shot(ctx, nil)
			return s.Frame, err
		},
	} {
		t.Run(what, func(t *testing.T) { lendsToWhoHasGone(t, borrow) })
	}
}

func lendsToWhoHasGone(t *testing.T, borrow func(*rig, context.Context) (*frame.Frame, error)) {
	busy, free := make(chan struct{}), make(chan struct{})
	r := newRig(t, inferencetest.New(inferencetest.Options{}), nil, red)
	r.next()
	for range maxLoans + 1 {
		go func() { _ = r.call(context.Background(), func() { busy <- struct{}{}; <-free }) }()
		<-busy
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan error, 1)
		go func() {
			_, err := borrow(r, ctx)
			told <- err
		}()
		for len(r.calls) == 0 {
			runtime.Gosched()
		}
		cancel()
		if err := <-told; !errors.Is(err, context.Canceled) {
			t.Fatalf("told %v", err)
		}
		free <- struct{}{}
	}
	f, err := borrow(r, t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
}

// Who borrows the same frame again and again holds one at a time, while another holds it.
func TestOneFrameIsLentAgainAndAgain(t *testing.T) {
	r := newRig(t, inferencetest.New(inferencetest.Options{}), nil, red)
	r.next()
	held, err := r.Frame(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	for n := range 3 * maxLoans {
		f, err := r.Frame(t.Context(), 0)
		if err != nil {
			t.Fatalf("loan %d: %v", n, err)
		}
		f.Release()
	}
}
