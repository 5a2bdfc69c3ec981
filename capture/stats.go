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

// quietAfter is how long no frame may be dropped for an overload to be over.
const quietAfter = 10 * time.Second

// overload is one cause of dropped frames, told when it begins and when it is over.
type overload struct {
	seen  uint64 // dropped so far, as last looked at
	total uint64 // since it began; 0 while there is none
	began time.Time
	last  time.Time
}

// look takes a count; began is true for the first frames of an overload, over for the end of one.
func (o *overload) look(now time.Time, count uint64) (began, over bool) {
	n := count - o.seen
	o.seen = count
	if n > 0 {
		began = o.total == 0
		if began {
			o.began = now
		}
		o.total += n
		o.last = now
		return began, false
	}
	return false, o.total > 0 && now.Sub(o.last) >= quietAfter
}

// drops are the causes.
type drops struct{ late, held overload }

// logDrops says when frames begin to be dropped, and when that is over.
func (c *Capture) logDrops() {
	c.tell(
		&c.logged.late,
		c.o.Out.Dropped()+c.stats.reclaimed.Load(),
		"the pipeline is too slow, frames dropped",
		"the pipeline keeps up again",
	)
	c.tell(&c.logged.held, c.stats.discarded.Load(), "every frame is held, frames discarded", "frames are free again")
}

func (c *Capture) tell(o *overload, count uint64, begins, ends string) {
	now := time.Now()
	began, over := o.look(now, count)
	if began {
		c.o.Logger.Warn(begins, "frames", o.total)
	}
	if over {
		c.o.Logger.Info(ends, "frames", o.total, "for", o.last.Sub(o.began).Round(time.Second))
		*o = overload{seen: o.seen}
	}
}
