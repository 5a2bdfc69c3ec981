package mqtt

import (
	"context"
	"sync"
)

// flight is an event that was sent and is not acknowledged yet.
type flight struct {
	index uint64
	token Token
}

// deliver sends undelivered events over one link, oldest first, and forgets them as they are acknowledged. The next
// link begins again with the oldest that was not: nothing is lost, the order holds, and a consumer knows a duplicate
// by its event_id.
func (c *Client) deliver(ctx context.Context, l *Link) error {
	ctx, cancel := context.WithCancelCause(ctx)
	flights := make(chan flight, c.o.InFlight)
	var group sync.WaitGroup
	group.Go(func() {
		for f := range flights {
			if err := l.Await(ctx, f.token); err != nil {
				cancel(err)
				continue // empties the channel: the next Await returns at once
			}
			if ctx.Err() == nil {
				c.outbox.Delivered(f.index)
			}
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
		select {
		case flights <- flight{m.Index, l.Send(c.topics.Camera(m.Camera, "events"), 1, false, m.Body)}:
		case <-ctx.Done():
			return
		case <-l.Lost():
			return
		}
	}
}
