package mqtt

import (
	"context"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt/outbox"
	"github.com/segedge/segedge/seg"
)

// flushEvery is how often held-back updates, explanations and delivery notes are looked after.
const flushEvery = 200 * time.Millisecond

// keepJournal moves events from the intake to the outbox until ctx ends and the intake is empty. Whatever comes in
// during one sync shares the next.
func (c *Client) keepJournal(ctx context.Context) {
	w := journalist{c: c, throttle: newThrottle(c.o.UpdateInterval)}
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	defer c.turned.Store(nil)
	for {
		now := time.Now()
		c.turned.Store(&now)
		select {
		case <-c.intake.wake:
			w.write(time.Now(), false)
			rest(ctx, pause, c.o.SyncInterval)
		case <-tick.C:
			w.write(time.Now(), false)
			c.outbox.Flush()
		case <-ctx.Done():
			c.intake.close()
			w.write(time.Now(), true)
			c.outbox.Flush()
			return
		}
	}
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, timer *time.Timer, d time.Duration) {
	timer.Reset(d)
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// journalist is the state of the goroutine that writes the journal.
type journalist struct {
	c        *Client
	throttle *throttle
	buf      []handed
	entries  []outbox.Entry
}

// write journals what has come in and what has been held back long enough.
func (w *journalist) write(now time.Time, all bool) {
	w.buf = w.c.intake.take(w.buf)
	clear(w.entries)
	w.entries = w.entries[:0]
	for _, h := range w.buf {
		if !api.ValidName(h.camera) {
			w.c.log.Error("an event of a camera without a proper name is left out", "camera", h.camera, "type", h.event.Type)
			continue
		}
		if h.lost > 0 {
			w.c.log.Warn("events came faster than the journal takes them", "camera", h.camera, "dropped", h.lost)
			w.entries = append(w.entries, outbox.Entry{Camera: h.camera, Lost: h.lost})
			w.c.o.Also(seg.Event{Camera: h.camera}, h.lost)
			continue
		}
		if e, ok := w.throttle.offer(h.event, now); ok {
			w.add(e)
		}
	}
	for _, e := range w.throttle.due(now, all) {
		w.add(e)
	}
	clear(w.buf)
	if len(w.entries) > 0 {
		w.c.outbox.Append(w.entries)
	}
}

func (w *journalist) add(e seg.Event) {
	w.c.o.Also(e, 0)
	state, _ := w.c.o.Service.State(e.Camera)
	w.entries = append(w.entries, outbox.Entry{
		Camera: e.Camera,
		Encode: func(stream string, seq uint64) ([]byte, error) {
			return api.EncodeEvent(e, stream, seq, state.Width, state.Height)
		},
	})
}
