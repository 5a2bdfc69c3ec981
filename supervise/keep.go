package supervise

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// The wait before a part that failed is started again: at first, doubling, and at most. A part that ran for longer than the
// most begins anew.
const (
	firstWait = time.Second
	mostWait  = time.Minute
)

// Keep makes of a part one that does not fail: it is started again after each error, for ever, and each is logged. The part must be
// one that can run again. log may be nil.
func Keep(name string, part func(context.Context) error, log *slog.Logger) func(context.Context) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return func(ctx context.Context) error {
		for wait := firstWait; ; wait = min(2*wait, mostWait) {
			began := time.Now()
			err := part(ctx)
			if err == nil || ctx.Err() != nil || errors.Is(err, context.Canceled) {
				return nil //nolint:nilerr // being stopped is no failure
			}
			if time.Since(began) > mostWait {
				wait = firstWait
			}
			log.Error("a part failed and is started again; the others go on", "part", name, "again_in", wait, "err", err)
			if Wait(ctx, wait) != nil {
				return nil //nolint:nilerr // being stopped is no failure
			}
		}
	}
}

// Wait waits for d, and gives ctx's error when ctx ends first or has ended.
func Wait(ctx context.Context, d time.Duration) error {
	if d <= 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
