// Package webhook posts events to an HTTP address, in order and at least once: each is journalled first (package outbox), and is sent until
// the receiver has taken it, over restarts of either. It is for who has no broker; it hears no commands.
package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/mqtt/outbox"
	"github.com/segedge/segedge/secret"
	"github.com/segedge/segedge/seg"
)

// Options of a client. URL is required.
type Options struct {
	URL           string          // http or https; a user and password in it are sent as basic authentication
	Token         string          // sent as a bearer token; may be empty
	CA, Cert, Key string          // PEM files; may be empty
	Events        []seg.EventType // those that are posted; empty is all
	Dir           string          // of the journal; empty keeps it in memory
	Agent         string          // the journal belongs to
	// Size is that of a camera's picture, in which masks are written; nil leaves masks out.
	Size       func(camera string) (w, h int)
	MaxJournal int64         // bytes; 0 is 16 MiB
	Timeout    time.Duration // of one request; 0 is 10 s
	Pause      time.Duration // before the second attempt, doubled up to a minute; 0 is 1 s
	Logger     *slog.Logger  // nil discards
}

// handover is how many events wait for the journal.
const handover = 1024

// Client posts events to one address. Safe for concurrent use; Run runs once.
type Client struct {
	o      Options
	http   *http.Client
	outbox *outbox.Outbox
	queue  chan seg.Event
	failed failures

	mu   sync.Mutex
	lost map[string]uint64 // events that found the queue full, by camera
}

// New opens the journal and reads the certificates; it connects to nothing.
func New(o Options) (*Client, error) {
	if o.URL == "" {
		return nil, errors.New("webhook: an address is required")
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler)).With("webhook", secret.MaskValue(o.URL))
	o.Timeout, o.Pause = cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.Pause, time.Second)
	if o.Size == nil {
		o.Size = func(string) (int, int) { return 0, 0 }
	}
	transport, err := o.transport()
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	c := &Client{o: o, queue: make(chan seg.Event, handover), lost: map[string]uint64{}}
	c.http = &http.Client{
		Transport: transport, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this address alone
	}
	c.outbox, err = outbox.Open(outbox.Options{
		Dir: o.Dir, Identity: o.Agent + " at " + o.URL, Explain: explain, MaxBytes: cmp.Or(o.MaxJournal, 16<<20), Logger: o.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	return c, nil
}

// explain writes the event for numbers that will never come.
func explain(camera, stream string, seq, from, to uint64) ([]byte, error) {
	return api.EncodeEvent(seg.Event{
		Camera: camera, Time: time.Now(), Type: seg.EventsDropped, Details: map[string]any{"from": from, "to": to},
	}, stream, seq, 0, 0)
}

// Publish takes an event, or notes that so many of its camera were given up before this place. It never blocks.
func (c *Client) Publish(e seg.Event, lost uint64) {
	if lost == 0 && len(c.o.Events) > 0 && !slices.Contains(c.o.Events, e.Type) {
		return
	}
	if lost == 0 {
		select {
		case c.queue <- e:
			return
		default:
			lost = 1
		}
	}
	c.mu.Lock()
	c.lost[e.Camera] += lost
	c.mu.Unlock()
}

// Stats are the journal's.
func (c *Client) Stats() outbox.Stats { return c.outbox.Stats() }

// lastWords is how long a client that is stopped goes on posting.
const lastWords = 1500 * time.Millisecond

// Run journals and posts until ctx ends, and what is left for a moment more. What cannot be posted then is after the next start.
func (c *Client) Run(ctx context.Context) error {
	defer c.outbox.Close()
	post, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	posted := make(chan struct{})
	go func() { defer close(posted); c.deliver(post) }()
	c.keepJournal(ctx)
	late := time.NewTimer(lastWords)
	defer late.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for c.outbox.Stats().Pending > 0 {
		select {
		case <-look.C:
			continue
		case <-late.C:
			c.o.Logger.Warn("events are left for the next start", "events", c.outbox.Stats().Pending)
		}
		break
	}
	stop()
	<-posted
	return nil
}

// flushEvery is how often what was delivered is noted.
const flushEvery = 200 * time.Millisecond

// keepJournal moves events to the journal until ctx ends. What comes in during one sync shares the next.
func (c *Client) keepJournal(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case e := <-c.queue:
			c.journal(&e)
		case <-tick.C:
			c.journal(nil)
			c.outbox.Flush()
		case <-ctx.Done():
			c.journal(nil)
			c.outbox.Flush()
			return
		}
	}
}

// journal writes an event, and what waits behind it.
func (c *Client) journal(first *seg.Event) {
	var batch []outbox.Entry
	if first != nil {
		batch = append(batch, c.entry(*first))
	}
	for more := true; more && len(batch) < handover; {
		select {
		case e := <-c.queue:
			batch = append(batch, c.entry(e))
		default:
			more = false
		}
	}
	c.mu.Lock()
	for camera, n := range c.lost {
		batch = append(batch, outbox.Entry{Camera: camera, Lost: n})
	}
	clear(c.lost)
	c.mu.Unlock()
	if len(batch) > 0 {
		c.outbox.Append(batch)
	}
}

func (c *Client) entry(e seg.Event) outbox.Entry {
	w, h := c.o.Size(e.Camera)
	return outbox.Entry{Camera: e.Camera, Encode: func(stream string, seq uint64) ([]byte, error) {
		return api.EncodeEvent(e, stream, seq, w, h)
	}}
}
