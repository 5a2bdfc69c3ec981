package mqtt

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/segedge/segedge/mqtt/outbox"
)

// unsaved is how long a broker may take to save what it has acknowledged.
const unsaved = 10 * time.Second

// flight is an event that was sent and is not acknowledged yet.
type flight struct {
	outbox.Message
	sending
}

// taken is the event that was acknowledged last. A broker that saves after it has acknowledged, as mosquitto does in the same turn of its
// loop, may have been killed in between; that it acknowledged another in a later turn shows that it was not. So the newest is sent once
// more where the connection is lost right after it: who listens knows it by its event_id.
type taken struct {
	outbox.Message
	at time.Time
}

// doubtful reports whether it may be unsaved where the connection ends now.
func (t taken) doubtful(now time.Time) bool { return t.Index > 0 && now.Sub(t.at) <= unsaved }

// sentAgain is what the log says, for who wants to know, of an event that was under way when a connection ended.
const sentAgain = "an event is sent again"

// deliver sends undelivered events over one link, oldest first, and forgets them as they are acknowledged. The next
// link begins again with the oldest that was not: nothing is lost, the order holds, and a consumer knows a duplicate
// by its event_id.
func (c *Client) deliver(ctx context.Context, l *Link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	flights := make(chan flight, c.o.InFlight)
	last := c.taken
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
			c.outbox.Delivered(f.Index)
			c.taken = taken{f.Message, time.Now()}
		}
	})
	if last.Index == 0 || c.launch(ctx, l, last.Message, flights) {
		c.send(ctx, l, flights)
	}
	close(flights)
	group.Wait()
	if !c.taken.doubtful(time.Now()) {
		c.taken = taken{}
	}
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
		if !c.launch(ctx, l, m, flights) {
			return
		}
	}
}

// launch sends an event, or sets it aside; false when the link is over.
func (c *Client) launch(ctx context.Context, l *Link, m outbox.Message, flights chan<- flight) bool {
	out, ok := c.event(m)
	if !ok {
		return true
	}
	s, err := c.begin(ctx, l, out)
	if err != nil {
		return false
	}
	if m.Index <= c.newest {
		c.again.Add(1)
		c.log.Debug(sentAgain, "camera", m.Camera, "seq", m.Seq)
	}
	c.newest = max(c.newest, m.Index)
	select {
	case flights <- flight{m, s}:
		return true
	case <-ctx.Done():
	case <-l.Lost():
	}
	return false
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
		for _, most := range []int{c.room(out), c.ceiling(out)} {
			if less, ok := reduceEvent(m.Body, most); ok {
				out.payload = less
				return out, true
			}
		}
		if len(out.payload) <= c.ceiling(out) {
			return out, true
		}
	}
	c.log.Error("an event that the broker does not take is set aside; events.dropped will say so",
		"camera", m.Camera, "seq", m.Seq, "bytes", len(m.Body))
	c.suspects.acquit(out.key)
	c.outbox.SetAside(m.Index)
	return out, false
}
