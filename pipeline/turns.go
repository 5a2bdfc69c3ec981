package pipeline

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Turns share a model between cameras. Routine work waits for its turn, in the order in which it was asked for; since a camera asks for one
// at a time, none takes another's share, however many objects it has. What a person waits for does not queue. Safe for concurrent use.
type Turns struct {
	slots   chan struct{}
	crowded func(crowded bool, wait time.Duration)
	now     func() time.Time

	waiting, taken atomic.Int64

	mu    sync.Mutex
	mean  time.Duration // that a turn was waited for, smoothed
	since time.Time     // that it has been beyond the limit, in the direction that would be news
	told  bool          // that it is crowded
}

// The model is crowded where a keyframe waits so long for its turn, for so long a time, and is no more when it waits half as long.
const (
	crowdedWait = time.Second
	crowdedFor  = 10 * time.Second
	waitRate    = 0.1 // weight of the newest wait in the mean
)

// NewTurns lets n jobs work at once; 0 is one for every two processors. crowded hears when the model becomes too slow for those who share
// it, and when that is over; it must not block, and may be nil.
func NewTurns(n int, crowded func(crowded bool, wait time.Duration)) *Turns {
	if n <= 0 {
		n = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if crowded == nil {
		crowded = func(bool, time.Duration) {}
	}
	return &Turns{slots: make(chan struct{}, n), crowded: crowded, now: time.Now}
}

// take waits for a turn and reports how long; without an error, done must be called. Who waits on a channel is served in order.
func (t *Turns) take(ctx context.Context) (wait time.Duration, err error) {
	if t == nil {
		return 0, nil
	}
	start := t.now()
	t.waiting.Add(1)
	defer t.waiting.Add(-1)
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	t.taken.Add(1)
	now := t.now()
	t.note(now.Sub(start), now)
	return now.Sub(start), nil
}

func (t *Turns) done() {
	if t != nil {
		<-t.slots
	}
}

// note takes a wait into the mean, and tells when that has been another side of the limit for a while.
func (t *Turns) note(wait time.Duration, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mean += time.Duration(waitRate * float64(wait-t.mean))
	news := t.mean > crowdedWait
	if t.told {
		news = t.mean < crowdedWait/2
	}
	switch {
	case !news:
		t.since = time.Time{}
	case t.since.IsZero():
		t.since = now
	case now.Sub(t.since) >= crowdedFor:
		t.told, t.since = !t.told, time.Time{}
		t.crowded(t.told, t.mean)
	}
}

// Waiting is how many jobs wait for their turn now.
func (t *Turns) Waiting() int { return int(t.waiting.Load()) }

// Taken is how many turns there were.
func (t *Turns) Taken() uint64 { return uint64(t.taken.Load()) }
