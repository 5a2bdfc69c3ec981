package capture

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/frame"
)

// Stats is what a capture has done so far.
type Stats struct {
	State     State
	Captured  uint64  // frames that the source gave, dropped ones included
	Dropped   uint64  // of these: never taken by the consumer, for want of time or of a free frame
	Discarded uint64  // of the dropped: read and thrown away since every frame of the pool was held
	Stalls    uint64  // times that the frames stopped coming
	Reopens   uint64  // times that the source was opened again after a failure
	Abandoned uint64  // reads left behind in C
	FPS       float64 // as measured over the last second or so
	Newest    time.Time
}

type stats struct {
	reclaimed, discarded, stalls, reopens, abandoned atomic.Uint64

	mu       sync.Mutex
	state    State
	captured uint64
	newest   time.Time
	interval float64 // seconds between frames, smoothed; -1 while none come
}

// Stats is a snapshot.
func (c *Capture) Stats() Stats {
	s := &c.stats
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Stats{
		State: s.state, Captured: s.captured, Newest: s.newest,
		Discarded: s.discarded.Load(), Stalls: s.stalls.Load(), Reopens: s.reopens.Load(), Abandoned: s.abandoned.Load(),
	}
	out.Dropped = c.o.Out.Dropped() + s.reclaimed.Load() + out.Discarded
	if s.interval > 0 {
		out.FPS = 1 / s.interval
	}
	return out
}

func (s *stats) setState(st State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = st
	if st.Kind == Stalled {
		s.interval = -1
	}
}

func (s *stats) arrived(f *frame.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.captured++
	switch gap := f.Captured.Sub(s.newest).Seconds(); {
	case s.newest.IsZero() || s.interval < 0: // the first, or the first after a stall
		s.interval = 0
	case s.interval == 0:
		s.interval = gap
	default:
		s.interval += 0.1 * (gap - s.interval)
	}
	s.newest = f.Captured
}

// drops remembers what has been said about dropped frames.
type drops struct {
	at                time.Time
	dropped, discards uint64
}

// logDrops says once a second at most what was dropped.
func (c *Capture) logDrops() {
	now := time.Now()
	if now.Sub(c.logged.at) < time.Second {
		return
	}
	dropped, discards := c.o.Out.Dropped()+c.stats.reclaimed.Load(), c.stats.discarded.Load()
	if n := dropped - c.logged.dropped; n > 0 {
		c.o.Logger.Warn("the pipeline is too slow, frames dropped", "frames", n)
	}
	if n := discards - c.logged.discards; n > 0 {
		c.o.Logger.Warn("every frame is held, frames discarded", "frames", n)
	}
	c.logged = drops{now, dropped, discards}
}
