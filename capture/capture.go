package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/segedge/segedge/capture/scene"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/supervise"
)

// Defaults of Options.
const (
	DefaultStallAfter = 2 * time.Second
	DefaultStuckAfter = 5 * time.Second
	DefaultOpenLimit  = 20 * time.Second
	DefaultFirstLimit = 30 * time.Second
	DefaultBlindLimit = 60 * time.Second
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
	// OnScene is told when the picture as a whole becomes something else; under the same rules, and after the state that the
	// frame changed.
	OnScene func(SceneChange)
	Logger  *slog.Logger

	// The limits measure silence: where a source can tell (Listener), bytes that come count although no picture does. Those
	// of a read grow with what is usual between the camera's own frames.
	StallAfter time.Duration // silent for so long, the source is reported stalled
	StuckAfter time.Duration // and is given up, to be opened anew, unless it is a recording
	OpenLimit  time.Duration // the same for opening
	FirstLimit time.Duration // and for the first read
	BlindLimit time.Duration // given up although bytes come, since no picture does; a recording although it is silent
	Grace      time.Duration // how long a read may take to come back that is told to end; then it is left behind
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
	setDefault(&o.FirstLimit, DefaultFirstLimit)
	setDefault(&o.BlindLimit, DefaultBlindLimit)
	setDefault(&o.Grace, DefaultGrace)
	setDefault(&o.BackoffMin, DefaultBackoffMin)
	setDefault(&o.BackoffMax, DefaultBackoffMax)
	if o.OnState == nil {
		o.OnState = func(State) {}
	}
	if o.OnScene == nil {
		o.OnScene = func(SceneChange) {}
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
	round   uint64 // of a loop
	state   State
	size    [2]int // of the newest frame
	rhythm  rhythm
	eye     scene.Watch
	scene   frame.Scene // of the newest frame
	blamed  string      // the reason of the stall that lasts

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
			return nil //nolint:nilerr // being stopped is no failure
		case errors.Is(err, io.EOF) && c.o.Loop && s.frames.Load() > 0:
			begin = s.pace.end()
			c.again(s)
			continue
		case errors.Is(err, io.EOF):
			c.report(State{Kind: Ended, Reason: "the source has ended"})
			return nil
		case errors.Is(err, ErrPermanent) && !c.o.Wait:
			c.report(State{Kind: Ended, Reason: err.Error()})
			return fmt.Errorf("capture: %w", err)
		}
		if s.worked() {
			c.backoff.reset()
		}
		if !c.pause(ctx, err) {
			return nil
		}
	}
}

// again notes that the source begins again at its end. One whose pictures took no time to show, such as a single one, shows the same again.
func (c *Capture) again(s *session) {
	if !s.worked() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.round++
}

// pause reports the failure and waits before the next opening; false when ctx ended.
func (c *Capture) pause(ctx context.Context, err error) bool {
	wait := c.backoff.next()
	c.report(State{Kind: Stalled, Reason: err.Error(), Retry: wait})
	c.stats.reopens.Add(1)
	return supervise.Wait(ctx, wait) == nil
}

// watch waits for a session to end, and meanwhile judges it by the age of its frames.
func (c *Capture) watch(ctx context.Context, s *session) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			if s.blame != nil && errors.Is(s.err, context.Canceled) {
				return s.blame
			}
			return s.err
		case <-ctx.Done():
			c.stop(s)
			return nil
		case <-ticker.C:
			c.logDrops()
			if err := c.judge(s); err != nil {
				return err
			}
		}
	}
}

// stop ends the reader and waits for it, but not for one that is stuck. It reports whether it came back.
func (c *Capture) stop(s *session) bool {
	s.cancel()
	timer := time.NewTimer(c.o.Grace)
	defer timer.Stop()
	select {
	case <-s.done:
		return true
	case <-timer.C:
		c.abandon(s)
		return false
	}
}

// judge reports a stall, and answers an error once the session must be given up.
func (c *Capture) judge(s *session) error {
	seq := c.delivered()
	waited, silent, what := s.busy()
	stall, stuck := c.limits(s, what)
	blind := waited >= c.o.BlindLimit && silent < waited
	switch {
	case waited < stall:
		return nil
	case silent < stall && !blind:
		if what == beginning {
			c.reportWaiting()
		}
		return nil
	}
	if !c.reportStall(seq, silence(what, stall, blind)) || silent < stuck && !blind {
		return nil
	}
	gaveUp := fmt.Errorf("gave up: %s", silence(what, waited.Round(time.Second), blind))
	if !c.free() { // this one must come back by itself
		s.blame = gaveUp
		s.cancel()
		return nil
	}
	if c.stop(s) {
		return gaveUp
	}
	return fmt.Errorf("gave up on a %s that was stuck for %v", what, waited.Round(time.Second))
}

// limits are how long a call may be silent before the source counts as stalled, and before it is given up.
func (c *Capture) limits(s *session, what activity) (stall, stuck time.Duration) {
	switch what {
	case opening:
		return c.o.StuckAfter, c.o.OpenLimit
	case beginning:
		return max(c.o.StuckAfter, c.o.FirstLimit/3), max(c.o.OpenLimit, c.o.FirstLimit)
	case reading:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	stall = c.rhythm.patience(c.o.StallAfter)
	stuck = max(c.o.StuckAfter, 2*stall)
	if s.taped.Load() {
		stuck = max(stuck, c.o.BlindLimit)
	}
	return stall, stuck
}

func silence(what activity, d time.Duration, blind bool) string {
	switch {
	case blind:
		return "bytes come, but no picture can be made of them"
	case what == reading:
		return fmt.Sprintf("no frame for %v", d.Round(100*time.Millisecond))
	}
	return fmt.Sprintf("no frame for %v: %s takes too long", d.Round(100*time.Millisecond), what)
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
	c.abandoned = s.done
	c.stats.abandoned.Add(1)
	c.o.Logger.Warn("left a stuck call behind")
}
