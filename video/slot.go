package video

import (
	"sync"
	"sync/atomic"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// shown is a frame with its objects.
type shown struct {
	frame   *frame.Frame
	objects []seg.Object
}

func (s *shown) release() {
	if s.frame != nil {
		s.frame.Release()
		s.frame = nil
	}
	clear(s.objects) // drops the masks
	s.objects = s.objects[:0]
}

// slot holds the newest frame with its objects, between the pipeline that never waits and the sink.
type slot struct {
	mu      sync.Mutex
	next    shown
	closed  bool
	filled  chan struct{} // holds one token while next may be set
	dropped atomic.Uint64
}

// put retains f and copies objects. A frame that nobody took is released and counted.
func (s *slot) put(f *frame.Frame, objects []seg.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if s.next.frame != nil {
		s.dropped.Add(1)
		s.next.release()
	}
	s.next.frame = f.Retain()
	s.next.objects = append(s.next.objects[:0], objects...)
	select {
	case s.filled <- struct{}{}:
	default:
	}
}

// take swaps the newest with into, which was released; false when there is none.
func (s *slot) take(into *shown) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next.frame == nil {
		return false
	}
	s.next, *into = *into, s.next
	return true
}

func (s *slot) open() {
	s.mu.Lock()
	s.closed = false
	s.mu.Unlock()
}

func (s *slot) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.next.release()
}
