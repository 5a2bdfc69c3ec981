package systemd

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Beats are the parts of an agent whose progress a watchdog asks for. Safe for concurrent use.
type Beats struct {
	now   func() time.Time
	mu    sync.Mutex
	parts []*Beat
}

// NewBeats makes an empty set.
func NewBeats() *Beats { return &Beats{now: time.Now} }

// Beat is one part. A part that has nothing to do is Idle, and then never stuck.
type Beat struct {
	name   string
	within time.Duration
	beats  *Beats
	last   atomic.Int64 // nanoseconds since the set's first part; idle is below 0
	start  time.Time
}

const idle = -1

// Part adds a part that must be marked at least once every within. It begins idle.
func (b *Beats) Part(name string, within time.Duration) *Beat {
	p := &Beat{name: name, within: within, beats: b, start: b.now()}
	p.last.Store(idle)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.parts = append(b.parts, p)
	return p
}

// Mark says that the part has just got on: a frame was seen, the model answered, an event was delivered. It costs one
// clock reading and allocates nothing.
func (p *Beat) Mark() { p.last.Store(int64(p.beats.now().Sub(p.start))) }

// Idle says that nothing is asked of the part now: its camera is away and being reopened, no keyframe is under way.
func (p *Beat) Idle() { p.last.Store(idle) }

// Check names the parts that are stuck; nil when all get on.
func (b *Beats) Check() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var stuck []error
	for _, p := range b.parts {
		last := p.last.Load()
		if last == idle {
			continue
		}
		if age := b.now().Sub(p.start) - time.Duration(last); age > p.within {
			stuck = append(stuck, fmt.Errorf("%s: nothing for %s, at most %s is normal", p.name, age.Round(time.Millisecond), p.within))
		}
	}
	return errors.Join(stuck...)
}
