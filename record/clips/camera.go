package clips

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// Camera records one camera. Its methods never wait for the disk but stop, which is asked to.
type Camera struct {
	last time.Time // by which the newest clip is named
	lib  *Library
	name string
	busy atomic.Bool // there is a clip

	mu    sync.Mutex
	ring  ring
	clip  *clip // that is being recorded; nil for none
	ends  time.Time
	open  bool // until stop
	event seg.EventType
}

// Wanted reports whether the camera's picture has to be encoded. It is cheap.
func (c *Camera) Wanted() bool { return c.lib.o.PreRoll > 0 || c.busy.Load() }

// Unit takes an encoded picture. It never blocks.
func (c *Camera) Unit(u unit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ring.push(u)
	if c.clip == nil {
		return
	}
	switch {
	case u.Captured.After(c.ends) || c.clip.failed.Load() || c.full(u):
		c.finish()
	case c.clip.resized(u):
		until, open := c.ends, c.open
		c.finish()
		c.begin([]unit{u}, u.Captured, until, c.event)
		c.open = open
	case !c.clip.add(u):
		c.lib.o.Keyframe(c.name)
	}
}

// full reports whether a picture would make the clip larger than half of what all clips together may be.
func (c *Camera) full(u unit) bool {
	return c.lib.o.MaxBytes > 0 && c.clip.bytes+int64(len(u.Data)) > c.lib.o.MaxBytes/2
}

// start records from the pictures that are kept on.
func (c *Camera) start(now time.Time, length time.Duration, event seg.EventType) (*clip, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clip != nil && c.open {
		return nil, refuse(api.AlreadyRunning, "camera %s is being recorded already, into %s", c.name, c.clip.name)
	}
	until := now.Add(c.lib.o.Longest)
	if length > 0 && length < c.lib.o.Longest {
		until = now.Add(length)
	}
	if c.clip != nil { // one around an event becomes this one
		c.extend(until)
	} else {
		c.begin(c.ring.between(now.Add(-c.lib.o.PreRoll), now), now, until, event)
	}
	if c.clip == nil {
		return nil, errClosed
	}
	c.open = true
	return c.clip, nil
}

var errClosed = &api.Error{Code: api.NotReady, Message: "the agent is stopping"}

// around records what was before and comes after a moment. What is being recorded already goes on as long as that takes.
func (c *Camera) around(now, at time.Time, after time.Duration, event seg.EventType) (*clip, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	after = min(after, c.lib.o.Longest)
	until := at.Add(after)
	switch {
	case at.After(now.Add(time.Minute)):
		return nil, refuse(api.BadRequest, "%s has not come yet: are the clocks set?", at.Format(time.RFC3339))
	case c.clip != nil:
		c.extend(until)
		return c.clip, nil
	}
	head := c.ring.between(at.Add(-c.lib.o.PreRoll), until)
	if until.Before(now) && len(head) == 0 {
		return nil, refuse(api.NothingFound, "no picture of %s is kept any more: clips.pre_roll is %v", at.Format(time.RFC3339), c.lib.o.PreRoll)
	}
	begun := c.begin(head, now, until, event)
	if begun == nil {
		return nil, errClosed
	}
	if until.Before(now) {
		c.finish()
	}
	return begun, nil
}

// begin begins a clip with pictures that there are.
func (c *Camera) begin(head []unit, now, until time.Time, event seg.EventType) *clip {
	from := now
	if len(head) > 0 {
		from = head[0].Captured
	}
	from = from.Truncate(time.Millisecond)
	if ahead := c.last.Sub(from); ahead >= 0 && ahead < time.Second { // two that begin with the same keyframe have two names
		from = c.last.Add(time.Millisecond)
	}
	c.last = from
	next := newClip(c.name, from, event)
	if !c.lib.write(next, head) {
		return nil
	}
	next.begin(head)
	c.clip, c.ends, c.open, c.event = next, until, false, event
	c.busy.Store(true)
	if len(head) == 0 {
		c.lib.o.Keyframe(c.name)
	}
	return next
}

func (c *Camera) extend(until time.Time) {
	if longest := c.clip.from.Add(c.lib.o.Longest); until.After(longest) {
		until = longest
	}
	if until.After(c.ends) {
		c.ends = until
	}
}

// stop ends the clip and waits until it is whole.
func (c *Camera) stop(ctx context.Context) (api.Clip, error) {
	c.mu.Lock()
	clip := c.clip
	c.finish()
	c.mu.Unlock()
	if clip == nil {
		return api.Clip{}, refuse(api.Conflict, "nothing is recorded of camera %s", c.name)
	}
	return clip.closed(ctx)
}

// end ends the clip, if there is one.
func (c *Camera) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish()
	c.ring.drop(len(c.ring.units))
}

// grace is how long a clip waits for the picture that would end it.
const grace = 2 * time.Second

// tick ends a clip whose camera sends no pictures.
func (c *Camera) tick(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clip != nil && now.After(c.ends.Add(grace)) {
		c.finish()
	}
}

// finish ends the clip; mu is held.
func (c *Camera) finish() {
	if c.clip == nil {
		return
	}
	if n := c.clip.lost; n > 0 {
		c.lib.o.Logger.Warn("pictures are missing in a clip: the disk was too slow", "camera", c.name, "clip", c.clip.name, "pictures", n)
	}
	close(c.clip.units)
	c.clip = nil
	c.busy.Store(false)
}

func (c *Camera) current() *clip {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clip
}

func (c *Camera) until() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ends.UTC()
}
