package thermal

import (
	"context"
	"io/fs"
	"log/slog"
	"sync/atomic"
	"time"
)

// Level is how far work stands back, from 0, not at all, to MaxLevel.
type Level int

// MaxLevel is as far as it goes.
const MaxLevel Level = 3

// Further back while the machine goes on throttling itself, and forward again when it has not for a while.
const (
	Every      = 10 * time.Second
	raiseAfter = 30 * time.Second
	lowerAfter = time.Minute
)

// Keyframes is the share of the usual keyframes that a level leaves.
func (l Level) Keyframes() float64 { return [...]float64{1, 0.5, 0.25, 0.1}[min(max(l, 0), MaxLevel)] }

// SparesVideo reports whether every second picture is left out of the video: the last thing to go.
func (l Level) SparesVideo() bool { return l >= MaxLevel }

// Watch reads a machine from time to time.
type Watch struct {
	Root   fs.FS
	Ease   func(Level) // called when the level changes
	Logger *slog.Logger

	last  atomic.Pointer[Reading]
	level atomic.Int32
	since time.Time // of the present level, or of the last throttling
	count uint64
	begun bool
}

// Last is the newest reading, and the level.
func (w *Watch) Last() (Reading, Level) {
	if r := w.last.Load(); r != nil {
		return *r, Level(w.level.Load())
	}
	return Reading{}, 0
}

// Run reads until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		w.look(time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look takes one reading into account.
func (w *Watch) look(now time.Time) {
	r := Read(w.Root)
	if r.Throttled == "" && w.begun && r.slowed > w.count {
		r.Throttled = "a processor slows itself down"
	}
	w.count, w.begun = r.slowed, true
	w.last.Store(&r)
	level := Level(w.level.Load())
	switch throttled := r.Throttled != ""; {
	case throttled && level == 0, throttled && level < MaxLevel && now.Sub(w.since) >= raiseAfter:
		w.set(level+1, now, r.Throttled)
	case throttled && level == MaxLevel:
		w.since = now
	case !throttled && level > 0 && now.Sub(w.since) >= lowerAfter:
		w.set(level-1, now, "")
	}
}

func (w *Watch) set(level Level, now time.Time, why string) {
	before := Level(w.level.Swap(int32(level)))
	w.since = now
	switch {
	case before == 0:
		w.Logger.Warn("the machine throttles itself: keyframes become more seldom, and in the end the video loses pictures", "reason", why)
	case level == 0:
		w.Logger.Info("the machine does not throttle itself any more: all is as usual again")
	}
	w.Ease(level)
}
