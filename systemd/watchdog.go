package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Watchdog feeds systemd's watchdog while work gets on. An agent that runs but does nothing is thereby restarted,
// which a timer alone would prevent.
type Watchdog struct {
	progress func() error
	log      *slog.Logger
	interval func() (time.Duration, error) // a test's way around the environment
	alive    func() error
}

// NewWatchdog makes a watchdog that asks progress before each meal: nil lets it eat, an error says what is stuck. log
// may be nil.
func NewWatchdog(progress func() error, log *slog.Logger) *Watchdog {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Watchdog{
		progress: progress, log: log, alive: Notifier{}.Alive,
		interval: func() (time.Duration, error) { return daemon.SdWatchdogEnabled(false) },
	}
}

// Run feeds the watchdog three times in its period until ctx ends. It returns at once where the unit has no watchdog.
func (w *Watchdog) Run(ctx context.Context) error {
	period, err := w.interval()
	if err != nil {
		return fmt.Errorf("systemd watchdog: %w", err)
	}
	if period <= 0 {
		return nil
	}
	tick := time.NewTicker(max(period/3, time.Millisecond))
	defer tick.Stop()
	for hungry := false; ; {
		hungry = w.feed(hungry, period)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// feed reports whether the watchdog goes hungry; it says so once.
func (w *Watchdog) feed(hungry bool, period time.Duration) bool {
	if err := w.progress(); err != nil {
		if !hungry {
			w.log.Error("work is stuck: systemd restarts the agent unless it gets on", "within", period, "error", err)
		}
		return true
	}
	if hungry {
		w.log.Info("work gets on again")
	}
	if err := w.alive(); err != nil {
		w.log.Error("the watchdog cannot be fed", "error", err)
	}
	return false
}
