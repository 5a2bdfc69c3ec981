package collect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/dataset"
)

// Collector keeps samples. Offer and Withdraw may be called by anybody; the work is done in Run. A correction waits a while, for the next
// one of the same object to take its place: only the last of several is what the person meant.
type Collector struct {
	store   *Store
	finders []Finder
	log     *slog.Logger

	mu       sync.Mutex // never held while a picture is worked on
	settling settling
	queue    []Sample
	more     chan struct{} // tells of something in the queue

	stored, dropped, refused, failed atomic.Uint64
	failing                          bool // Run's
}

// Counts are what has become of the samples.
type Counts struct {
	Stored  uint64
	Dropped uint64 // since too many waited
	Refused uint64 // since the day's pictures were taken
	Failed  uint64 // since they could not be concealed or written
}

// waiting bounds the samples that wait: of half a megabyte each, and what a person says in a minute.
const waiting = 16

// NewCollector keeps samples in a store, once each of the finders has been asked what must not be seen. Without any nothing is kept: that
// nobody may be recognised is the condition.
func NewCollector(s *Store, finders []Finder, log *slog.Logger) (*Collector, error) {
	if len(finders) == 0 {
		return nil, errors.New("collect: nothing is kept without a finder of faces")
	}
	return &Collector{store: s, finders: finders, log: log, more: make(chan struct{}, 1)}, nil
}

// Offer hands a sample over. It never blocks: what does not fit into the queue is dropped, and counted.
func (c *Collector) Offer(s Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enqueue(c.settling.add(s, time.Now()))
}

// Withdraw takes back the correction of an object (of a sample's Track), if it still waits for another. It never blocks.
func (c *Collector) Withdraw(track string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settling.drop(track)
}

// enqueue takes what is to be kept now, as far as there is room. The lock is held.
func (c *Collector) enqueue(all []Sample) {
	room := min(len(all), waiting-len(c.queue))
	c.queue = append(c.queue, all[:room]...)
	c.dropped.Add(uint64(len(all) - room))
	select {
	case c.more <- struct{}{}:
	default: // it is told already
	}
}

// next is what is to be kept next; false where there is nothing.
func (c *Collector) next() (Sample, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return Sample{}, false
	}
	s := c.queue[0]
	c.queue = slices.Delete(c.queue, 0, 1)
	return s, true
}

// settle takes the corrections that have waited long enough; all of them with the zero time.
func (c *Collector) settle(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enqueue(c.settling.due(now))
}

// Counts so far. Safe to call from any goroutine.
func (c *Collector) Counts() Counts {
	return Counts{c.stored.Load(), c.dropped.Load(), c.refused.Load(), c.failed.Load()}
}

// sweepEvery is how often what has grown too old is looked for.
const sweepEvery = time.Hour

// Run keeps what is offered until ctx ends, and then what still waits.
func (c *Collector) Run(ctx context.Context) error {
	c.note(c.store.Sweep())
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	settled := time.NewTicker(settleTime / 10)
	defer settled.Stop()
	for {
		select {
		case <-c.more:
			c.work()
		case now := <-settled.C:
			c.settle(now)
		case <-tick.C:
			c.note(c.store.Sweep())
		case <-ctx.Done():
			c.work() // first, so that there is room
			c.settle(time.Time{})
			c.work()
			return nil
		}
	}
}

// work keeps all that is in the queue.
func (c *Collector) work() {
	for s, ok := c.next(); ok; s, ok = c.next() {
		c.keep(&s)
	}
}

func (c *Collector) keep(s *Sample) {
	switch _, err := Keep(c.store, s, c.finders); {
	case err == nil:
		c.stored.Add(1)
		c.note(nil)
	case errors.Is(err, ErrDaily):
		c.refused.Add(1)
	default:
		c.failed.Add(1)
		c.note(err)
	}
}

// Keep conceals what the finders find in a sample's picture and puts it into the store. The frame is changed by it.
func Keep(store *Store, s *Sample, finders []Finder) (name string, err error) {
	doc := s.Document()
	if err := conceal(s.Frame, finders); err != nil {
		return "", err
	}
	var jpeg bytes.Buffer
	if err := dataset.EncodeJPEG(&jpeg, s.Frame, quality); err != nil {
		return "", fmt.Errorf("collect: %w", err)
	}
	return store.Put(jpeg.Bytes(), doc)
}

// note says once when keeping begins to fail, and once when it succeeds again.
func (c *Collector) note(err error) {
	switch {
	case err != nil && !c.failing:
		c.log.Error("a picture to learn from is not kept", "folder", c.store.Dir(), "err", err)
	case err == nil && c.failing:
		c.log.Info("pictures to learn from are kept again", "folder", c.store.Dir())
	}
	c.failing = err != nil
}
