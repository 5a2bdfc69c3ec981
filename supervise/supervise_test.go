package supervise

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// until runs until its context ends and then notes its name.
func until(name string, mu *sync.Mutex, order *[]string) Part {
	return Part{name, func(ctx context.Context) error {
		<-ctx.Done()
		mu.Lock()
		defer mu.Unlock()
		*order = append(*order, name)
		return ctx.Err()
	}}
}

func TestTheFirstThatFailsStopsTheOthers(t *testing.T) {
	g := NewGroup(t.Context())
	g.Run("calm", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	g.Run("bad", func(context.Context) error { return errors.New("broke") })
	<-g.Done()
	if err := g.Stop(); err == nil || err.Error() != "bad: broke" {
		t.Errorf("%v", err)
	}
}

func TestDoorsStopLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string
		main := until("main", &mu, &order)
		p := Process{Doors: []Part{until("door", &mu, &order)}, Main: main.Run, Beside: []Part{until("beside", &mu, &order)}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- p.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if want := []string{"main", "beside", "door"}; !slices.Equal(order, want) {
			t.Errorf("stopped in the order %v, want %v", order, want)
		}
	})
}

func TestTheProcessEndsWithMainOrADoor(t *testing.T) {
	wait := func(ctx context.Context) error { <-ctx.Done(); return nil }
	fail := func(context.Context) error { return errors.New("broke") }
	for name, p := range map[string]Process{
		"agent: broke": {Doors: []Part{{"door", wait}}, Main: fail, Beside: []Part{{"beside", wait}}},
		"door: broke":  {Doors: []Part{{"door", fail}}, Main: wait, Beside: []Part{{"beside", wait}}},
	} {
		if err := p.Run(t.Context()); err == nil || err.Error() != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if err := (&Process{Main: func(context.Context) error { return nil }}).Run(t.Context()); err != nil {
		t.Errorf("a clean end: %v", err)
	}
}

func TestAPartIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(bytes.Buffer)
		var starts []time.Duration
		begin := time.Now()
		kept := Keep("page", func(context.Context) error {
			starts = append(starts, time.Since(begin))
			if len(starts) == 5 {
				time.Sleep(2 * mostWait) // long enough to begin anew
			}
			return errors.New("address in use")
		}, slog.New(slog.NewTextHandler(log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- kept(ctx) }()
		time.Sleep(3 * time.Minute)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("a kept part does not fail: %v", err)
		}
		s := time.Second
		want := []time.Duration{0, s, 3 * s, 7 * s, 15 * s, 136 * s, 138 * s}
		if len(starts) < len(want) || !slices.Equal(starts[:len(want)], want) {
			t.Errorf("started at %v, want %v", starts, want)
		}
		if !strings.Contains(log.String(), "page") || !strings.Contains(log.String(), "address in use") {
			t.Errorf("log: %s", log)
		}
	})
}

func TestAKeptPartThatEndsIsNotStartedAgain(t *testing.T) {
	n := 0
	if err := Keep("x", func(context.Context) error { n++; return nil }, nil)(t.Context()); err != nil || n != 1 {
		t.Errorf("%d starts, %v", n, err)
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := Wait(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := Wait(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that has ended: %v", err)
		}
		began = time.Now()
		if err := Wait(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := Wait(t.Context(), -time.Second); err != nil {
			t.Error(err)
		}
	})
}
