package systemd

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/segedge/segedge/supervise"
)

// statusEvery is how often the line of systemctl status is renewed.
const statusEvery = 10 * time.Second

// Reporter tells systemd how an agent does, if it listens: ready at once, alive while work gets on, stopping at the end.
type Reporter struct {
	Status   func() string // what systemctl status shows
	Progress func() error  // nil while work gets on
	Logger   *slog.Logger  // nil discards
}

// Run reports until ctx ends. Start it once every part runs.
func (r *Reporter) Run(ctx context.Context) error {
	log := r.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var n Notifier
	if err := n.Ready(r.Status()); err != nil {
		return err
	}
	dog := supervise.NewGroup(ctx)
	dog.Run("watchdog", NewWatchdog(r.Progress, log).Run)
	ticker := time.NewTicker(statusEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := n.Status(r.Status()); err != nil {
				log.Warn("telling systemd the status", "err", err)
			}
		case <-ctx.Done():
			return errors.Join(n.Stopping("stopping"), dog.Stop())
		}
	}
}
