package mqtt

import (
	"context"
	"strconv"
	"sync"

	"github.com/segedge/segedge/mqtt/outbox"
)

// flight is an event that was sent and is not acknowledged yet.
type flight struct {
	index uint64
	sending
}

// deliver sends undelivered events over one link, oldest first, and forgets them as they are acknowledged. The next
// link begins again with the oldest that was not: nothing is lost, the order holds, and a consumer knows a duplicate
// by its event_id.
func (c *Client) deliver(ctx context.Context, l *Link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	flights := make(chan flight, c.o.InFlight)
	var group sync.WaitGroup
	group.Go(func() {
		broken := false
		for f := range flights { // emptied to the end, so that send never waits
			if broken {
				continue
			}
			if err := f.await(ctx); err != nil {
				broken = true
				cancel(err)
				continue
			}
			c.outbox.Delivered(f.index)
		}
	})
	c.send(ctx, l, flights)
	close(flights)
	group.Wait()
	cancel(nil)
	return context.Cause(ctx)
}

// send reads the outbox until ctx ends or the link breaks.
func (c *Client) send(ctx context.Context, l *Link, flights chan<- flight) {
	r := c.outbox.Reader()
	defer r.Close()
	for at := uint64(0); ; {
		m, ok := r.Next(at)
		if !ok {
			select {
			case <-c.outbox.Changed():
				continue
			case <-ctx.Done():
			case <-l.Lost():
			}
			return
		}
		at = m.Index
		out, ok := c.event(m)
		if !ok {
			continue
		}
		s, err := c.begin(ctx, l, out)
		if err != nil {
			return
		}
		if m.Index <= c.newest {
			c.again.Add(1)
		}
		c.newest = max(c.newest, m.Index)
		select {
		case flights <- flight{m.Index, s}:
		case <-ctx.Done():
			return
		case <-l.Lost():
			return
		}
	}
}

// event is a journalled event as the broker will take it; false for one that it will not, which is set aside.
func (c *Client) event(m outbox.Message) (outgoing, bool) {
	out := outgoing{
		key: "event " + strconv.FormatUint(m.Index, 10), topic: c.topics.Camera(m.Camera, "events"), qos: 1, event: true, payload: m.Body,
	}
	if !c.suspects.isCondemned(out.key) {
		if c.fits(out) {
			return out, true
		}
		if less, ok := reduceEvent(m.Body, c.room(out)); ok {
			out.payload = less
			return out, true
		}
	}
	c.log.Error("an event that the broker does not take is set aside; events.dropped will say so",
		"camera", m.Camera, "seq", m.Seq, "bytes", len(m.Body))
	c.suspects.acquit(out.key)
	c.outbox.SetAside(m.Index)
	return out, false
}
