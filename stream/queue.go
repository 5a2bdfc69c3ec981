package stream

import (
	"sync"
	"sync/atomic"
)

// queueLength is how many units wait for a viewer at most: one second at 30 a second.
const queueLength = 30

// queue holds the units that wait for one viewer. When it is full, everything up to the next keyframe is dropped, since
// nothing in between could be decoded; and what still waits then is dropped as well, since the keyframe replaces it.
type queue struct {
	mu      sync.Mutex
	units   chan Unit
	needKey bool
	dropped atomic.Uint64
}

func newQueue(length int) *queue {
	return &queue{units: make(chan Unit, length), needKey: true}
}

// put offers a unit and never blocks. It reports whether the viewer needs a keyframe and has room for it again.
func (q *queue) put(u Unit) (ask bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.needKey {
		if !u.Keyframe {
			q.dropped.Add(1)
			return len(q.units) == 0
		}
		q.drain()
		q.needKey = false
	}
	select {
	case q.units <- u:
		return false
	default:
		q.dropped.Add(1)
		q.needKey = true
		return false
	}
}

// restart drops everything up to the next keyframe.
func (q *queue) restart() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.needKey = true
}

func (q *queue) drain() {
	for {
		select {
		case <-q.units:
			q.dropped.Add(1)
		default:
			return
		}
	}
}
