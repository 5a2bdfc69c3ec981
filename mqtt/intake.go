package mqtt

import (
	"sync"

	"github.com/segedge/segedge/seg"
)

// handed is an event on its way to the journal, or a number of a camera's events that found the intake full.
type handed struct {
	event  seg.Event
	camera string
	lost   uint64
}

// intake is the bounded hand-over from the cameras' goroutines to the journal's.
type intake struct {
	mu     sync.Mutex
	items  []handed
	limit  int
	closed bool
	lost   uint64 // ever
	wake   chan struct{}
}

func newIntake(limit int) *intake { return &intake{limit: limit, wake: make(chan struct{}, 1)} }

// put never blocks. An event that finds the intake full is counted at its place in the order.
func (q *intake) put(e seg.Event) {
	q.mu.Lock()
	switch {
	case q.closed:
		q.lost++
	case len(q.items) < q.limit:
		q.items = append(q.items, handed{event: e, camera: e.Camera})
	default:
		q.lost++
		q.count(e.Camera)
	}
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// count adds to the camera's loss at the end of the queue, behind the last event that was taken.
func (q *intake) count(camera string) {
	for i := q.limit; i < len(q.items); i++ {
		if q.items[i].camera == camera {
			q.items[i].lost++
			return
		}
	}
	q.items = append(q.items, handed{camera: camera, lost: 1})
}

// take empties the intake into buf.
func (q *intake) take(buf []handed) []handed {
	q.mu.Lock()
	defer q.mu.Unlock()
	buf = append(buf[:0], q.items...)
	clear(q.items)
	q.items = q.items[:0]
	return buf
}

// close makes every later put count as lost.
func (q *intake) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *intake) dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}
