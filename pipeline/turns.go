package pipeline

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// Turns share a model between cameras. A routine keyframe, with the first part of its objects, and each further part wait for a turn, in
// the order in which it was asked for; since a camera asks for one at a time, none takes another's share, however many objects it has. What
// a person waits for takes no turn. Safe for concurrent use.
type Turns struct {
	crowded func(crowded bool, late time.Duration)

	mu     sync.Mutex
	places int     // jobs that may be under way at once
	free   int     // of these
	queue  []*turn // that wait, in the order of asking; none while a place is free
	taken  uint64
	moved  time.Time     // when a place was last taken or given back
	mean   time.Duration // by which turns are late, smoothed
	since  time.Time     // that it has been beyond the limit, in the direction that would be news
	told   bool          // that it is crowded
	quiet  *time.Timer   // while it is told: runs out when no turn has ended for a while
}

// The model is crowded where keyframes that had to wait for their turn are so old when their objects are known, for so long a time, and is
// no more when they are half as old.
const (
	crowdedAge = time.Second
	crowdedFor = 10 * time.Second
	lateRate   = 0.1 // weight of the newest turn in the mean
)

// NewTurns lets n jobs work at once; 0 is one for every two processors. crowded hears when the model becomes too slow for those who share
// it, with how late their keyframes are, and when that is over; it must not block, and may be nil.
func NewTurns(n int, crowded func(crowded bool, late time.Duration)) *Turns {
	if n <= 0 {
		n = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if crowded == nil {
		crowded = func(bool, time.Duration) {}
	}
	return &Turns{places: n, free: n, crowded: crowded}
}

// turn is one camera's: it waits for one, or has one, at a time. It belongs to the camera's goroutine.
type turn struct {
	turns  *Turns        // nil: it is always this camera's turn
	came   chan struct{} // tells once that the turn which was waited for has come; who receives calls got
	waits  bool
	held   bool
	asked  time.Time     // when it was asked for
	waited time.Duration // for the one that is held; 0 if it came at once
}

func newTurn(t *Turns) *turn { return &turn{turns: t, came: make(chan struct{}, 1)} }

// take reports whether it is the camera's turn. If not, the camera waits for it from now on.
func (u *turn) take() bool {
	if u.turns == nil || u.held {
		return true
	}
	if !u.waits {
		u.asked = time.Now()
		u.held = u.turns.ask(u)
		u.waits, u.waited = !u.held, 0
	}
	return u.held
}

// got takes the turn that came.
func (u *turn) got() {
	u.waits, u.held, u.waited = false, true, time.Since(u.asked)
}

// give gives the turn back. One that came at once is not late, however slow the model: no other camera was in its way.
func (u *turn) give() {
	if !u.held {
		return
	}
	u.held = false
	late := time.Duration(0)
	if u.waited > 0 {
		late = time.Since(u.asked)
	}
	u.turns.next(late)
}

// end gives back a turn and waits for none any longer.
func (u *turn) end() {
	if u.waits && !u.turns.leave(u) {
		<-u.came // it came meanwhile
		u.got()
	}
	u.waits = false
	u.give()
}

// ask takes a free place, or waits for one.
func (t *Turns) ask(u *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free == 0 {
		t.queue = append(t.queue, u)
		return false
	}
	t.free--
	t.taken++
	t.moved = time.Now()
	return true
}

// leave takes a turn out of those that wait, if it does.
func (t *Turns) leave(u *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.queue, u)
	if i < 0 {
		return false
	}
	t.queue = slices.Delete(t.queue, i, i+1)
	return true
}

// next gives a place that was used to the first that waits.
func (t *Turns) next(late time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moved = time.Now()
	t.note(late, t.moved)
	if len(t.queue) == 0 {
		t.free++
		return
	}
	t.queue[0].came <- struct{}{}
	t.queue = slices.Delete(t.queue, 0, 1)
	t.taken++
}

// note takes into the mean how late a turn was, and tells when that has been another side of the limit for a while.
func (t *Turns) note(late time.Duration, now time.Time) {
	t.mean += time.Duration(lateRate * float64(late-t.mean))
	news := t.mean > crowdedAge
	if t.told {
		t.quiet.Reset(crowdedFor)
		news = t.mean < crowdedAge/2
	}
	switch {
	case !news:
		t.since = time.Time{}
	case t.since.IsZero():
		t.since = now
	case now.Sub(t.since) >= crowdedFor:
		t.tell(!t.told)
	}
}

func (t *Turns) tell(crowded bool) {
	t.told, t.since = crowded, time.Time{}
	if crowded {
		t.quiet = time.AfterFunc(crowdedFor, t.calm)
	} else {
		t.quiet.Stop()
	}
	t.crowded(crowded, t.mean)
}

// calm tells that it is over where nobody has wanted the model for a while.
func (t *Turns) calm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.told:
	case t.free < t.places:
		t.quiet.Reset(crowdedFor)
	default:
		t.mean = 0
		t.tell(false)
	}
}

// Waiting is how many cameras wait for their turn now.
func (t *Turns) Waiting() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queue)
}

// Taken is how many turns there were.
func (t *Turns) Taken() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.taken
}

// Still is how long all places have been taken by the same jobs, so that nobody else gets a turn; 0 while one is free.
func (t *Turns) Still() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free > 0 {
		return 0
	}
	return time.Since(t.moved)
}
