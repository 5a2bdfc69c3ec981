package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/segedge/segedge/frame"
)

// Defaults of Options.
const (
	DefaultStallAfter = 2 * time.Second
	DefaultStuckAfter = 5 * time.Second
	DefaultOpenLimit  = 20 * time.Second
	DefaultGrace      = time.Second
	DefaultBackoffMin = 500 * time.Millisecond
	DefaultBackoffMax = 10 * time.Second
)

// tick is how often the reader is looked at: a stall is reported at most this much later than StallAfter.
const tick = 250 * time.Millisecond

// Options says what to capture and where to. Open, Pool and Out are required; the zero value of the others is a default.
type Options struct {
	Name string // the camera's, in logs
	Open Opener
	// Pool gives the frames. Of its size, one is for the source to write into and one for a read that is stuck in C.
	Pool *frame.Pool
	Out  *frame.Latest // receives each frame; Run does not close it
	Loop bool          // begin again at the end of the source
	// Wait tries for ever, also after errors that wrap ErrPermanent: a file that is missing today may be there tomorrow.
	Wait bool

	// OnState is told what happens, in order, one call at a time. It must not block, and may call nothing of Capture
	// but Stats.
	OnState func(State)
	Logger  *slog.Logger

	StallAfter time.Duration // without a frame for so long, the source is reported stalled
	StuckAfter time.Duration // a read that takes so long is abandoned, with its frame and its handle
	OpenLimit  time.Duration // the same for opening and for the first read
	Grace      time.Duration // how long Run waits, when it is stopped, for a read to come back
	BackoffMin time.Duration // between two openings at first, doubling
	BackoffMax time.Duration // and at most, each ± 20 %
}

func (o *Options) fill() error {
	switch {
	case o.Open == nil:
		return errors.New("capture: no source to open")
	case o.Pool == nil || o.Out == nil:
		return errors.New("capture: needs a pool and a slot for its frames")
	}
	setDefault(&o.StallAfter, DefaultStallAfter)
	setDefault(&o.StuckAfter, DefaultStuckAfter)
	setDefault(&o.OpenLimit, DefaultOpenLimit)
	setDefault(&o.Grace, DefaultGrace)
	setDefault(&o.BackoffMin, DefaultBackoffMin)
	setDefault(&o.BackoffMax, DefaultBackoffMax)
	if o.OnState == nil {
		o.OnState = func(State) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = o.Logger.With("camera", o.Name)
	return nil
}

func setDefault(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

// Capture supervises one camera: it opens its source, reads it without pause, hands each frame to the slot, and opens
// it again when it fails. Safe for concurrent use, but Run runs once.
type Capture struct {
	o       Options
	backoff backoff

	mu      sync.Mutex // held while a frame is numbered and while a state is reported
	current *session
	seq     uint64
	state   State
	size    [2]int // of the newest frame

	abandoned <-chan struct{} // closed when the read that was abandoned has come back; nil without one
	stats     stats
	logged    drops
}

// New checks the options; nothing is opened before Run.
func New(o Options) (*Capture, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	return &Capture{o: o, backoff: backoff{min: o.BackoffMin, max: o.BackoffMax}}, nil
}

// Run captures until ctx ends or the source does: nil for both. It fails with an error that opening again cannot mend.
// It joins all it started, with one exception: a read that is stuck in C, which is counted in Stats and gives its
// frame back when it returns.
func (c *Capture) Run(ctx context.Context) error {
	c.report(State{Kind: Opening})
	var begin time.Time
	for {
		s := c.start(ctx, begin)
		err := c.watch(ctx, s)
		begin = time.Time{}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, io.EOF) && c.o.Loop && s.frames.Load() > 0:
			begin = s.pace.end()
			continue
		case errors.Is(err, io.EOF):
			c.report(State{Kind: Ended, Reason: "the source has ended"})
			return nil
		case errors.Is(err, ErrPermanent) && !c.o.Wait:
			c.report(State{Kind: Ended, Reason: err.Error()})
			return fmt.Errorf("capture: %w", err)
		}
		if s.lasted() > c.o.BackoffMax {
			c.backoff.reset()
		}
		if !c.pause(ctx, err) {
			return nil
		}
	}
}

// pause reports the failure and waits before the next opening; false when ctx ended.
func (c *Capture) pause(ctx context.Context, err error) bool {
	wait := c.backoff.next()
	c.report(State{Kind: Stalled, Reason: err.Error(), Retry: wait})
	c.stats.reopens.Add(1)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// watch waits for a session to end, and meanwhile judges it by the age of its frames.
func (c *Capture) watch(ctx context.Context, s *session) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return s.err
		case <-ctx.Done():
			return c.stop(s)
		case <-ticker.C:
			c.logDrops()
			if err := c.judge(s); err != nil {
				return err
			}
		}
	}
}

// stop waits for the reader, but not for one that is stuck.
func (c *Capture) stop(s *session) error {
	timer := time.NewTimer(c.o.Grace)
	defer timer.Stop()
	select {
	case <-s.done:
	case <-timer.C:
		c.abandon(s)
	}
	return nil
}

// judge reports a stall, and answers an error once the session must be given up.
func (c *Capture) judge(s *session) error {
	busy, what := s.busy()
	stalled, stuck := c.o.StallAfter, c.o.StuckAfter
	if what != reading {
		stalled, stuck = c.o.StuckAfter, c.o.OpenLimit
	}
	if busy < stalled {
		return nil
	}
	c.report(State{Kind: Stalled, Reason: fmt.Sprintf("no frame for %v: %s takes too long", stalled, what)})
	if busy < stuck || !c.free() {
		return nil
	}
	c.abandon(s)
	return fmt.Errorf("gave up on a %s that was stuck for %v", what, stuck)
}

// free reports whether no abandoned read is still out.
func (c *Capture) free() bool {
	select {
	case <-c.abandoned:
		c.abandoned = nil
	default:
	}
	return c.abandoned == nil
}

// abandon lets a session go its own way: what it still reads is thrown away, and its own goroutine closes it.
func (c *Capture) abandon(s *session) {
	c.mu.Lock()
	c.current = nil
	c.mu.Unlock()
	s.cancel()
	c.abandoned = s.done
	c.stats.abandoned.Add(1)
	c.o.Logger.Warn("abandoned a stuck read", "after", c.o.StuckAfter)
}
