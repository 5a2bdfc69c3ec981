package systemd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// watched runs a watchdog with a period of 30 s in a bubble of synthetic time.
func watched(t *testing.T, log *bytes.Buffer, test func(stuck *atomic.Bool, meals *atomic.Int64)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var stuck atomic.Bool
		var meals atomic.Int64
		w := NewWatchdog(func() error {
			if stuck.Load() {
				return errors.New("camera front: nothing for 12s")
			}
			return nil
		}, slog.New(slog.NewTextHandler(log, nil)))
		w.interval = func() (time.Duration, error) { return 30 * time.Second, nil }
		w.alive = func() error { meals.Add(1); return nil }
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- w.Run(ctx) }()
		test(&stuck, &meals)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func TestWatchdogEatsWhileWorkGetsOn(t *testing.T) {
	watched(t, new(bytes.Buffer), func(_ *atomic.Bool, meals *atomic.Int64) {
		time.Sleep(65 * time.Second)
		synctest.Wait()
		if n := meals.Load(); n != 7 {
			t.Errorf("%d meals in 65 s, want one at once and one every 10 s", n)
		}
	})
}

func TestWatchdogStarvesWhileWorkIsStuck(t *testing.T) {
	log := new(bytes.Buffer)
	watched(t, log, func(stuck *atomic.Bool, meals *atomic.Int64) {
		time.Sleep(11 * time.Second)
		stuck.Store(true)
		before := meals.Load()
		time.Sleep(60 * time.Second)
		synctest.Wait()
		if meals.Load() != before {
			t.Error("a stuck agent fed its watchdog")
		}
		stuck.Store(false)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if meals.Load() == before {
			t.Error("an agent that got on starved its watchdog")
		}
	})
	if got := log.String(); strings.Count(got, "work is stuck") != 1 || !strings.Contains(got, "camera front") || !strings.Contains(got, "gets on again") {
		t.Errorf("log: %s", got)
	}
}

func TestWatchdogFromTheEnvironment(t *testing.T) {
	m := newManager(t)
	t.Setenv("WATCHDOG_USEC", "60000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- NewWatchdog(func() error { return nil }, nil).Run(ctx) }()
	if got := m.hears(); got != "WATCHDOG=1" {
		t.Errorf("got %q", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestNoWatchdogOrAWrongOne(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "")
	w := NewWatchdog(func() error { t.Error("asked"); return nil }, nil)
	if err := w.Run(t.Context()); err != nil {
		t.Errorf("without a watchdog: %v", err)
	}
	t.Setenv("WATCHDOG_USEC", "soon")
	if err := w.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "systemd watchdog") {
		t.Errorf("got %v", err)
	}
}
