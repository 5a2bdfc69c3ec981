package frame

import (
	"context"
	"sync"
	"sync/atomic"
)

// Latest is a slot for one frame between a producer that never waits and a consumer that wants the newest.
// A frame that is replaced before anybody took it is released and counted.
type Latest struct {
	mu      sync.Mutex
	frame   *Frame
	filled  chan struct{} // holds one token while frame may be set
	closed  bool
	dropped atomic.Uint64
}

// NewLatest makes an empty slot.
func NewLatest() *Latest { return &Latest{filled: make(chan struct{}, 1)} }

// Put hands over the caller's reference to f and never blocks. It reports whether an older frame was dropped.
func (l *Latest) Put(f *Frame) (dropped bool) {
	l.mu.Lock()
	old := l.frame
	if l.closed {
		old, dropped = f, false
	} else {
		l.frame, dropped = f, old != nil
	}
	l.mu.Unlock()
	if old != nil {
		old.Release()
	}
	if dropped {
		l.dropped.Add(1)
	}
	select {
	case l.filled <- struct{}{}:
	default:
	}
	return dropped
}

// Take waits for a frame and passes its reference to the caller. It fails when ctx ends.
func (l *Latest) Take(ctx context.Context) (*Frame, error) {
	for {
		if f := l.Reclaim(); f != nil {
			return f, nil
		}
		select {
		case <-l.filled:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Reclaim takes the waiting frame if there is one, else nil. A producer that finds its pool empty uses it to
// write over the frame nobody has taken yet.
func (l *Latest) Reclaim() *Frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.frame
	l.frame = nil
	return f
}

// Filled receives a token after a Put, for a consumer that selects over several things; follow it with Reclaim,
// which may find the slot empty already.
func (l *Latest) Filled() <-chan struct{} { return l.filled }

// Dropped is the number of frames that were replaced before anybody took them.
func (l *Latest) Dropped() uint64 { return l.dropped.Load() }

// Close releases the waiting frame; frames put later are released at once.
func (l *Latest) Close() {
	l.mu.Lock()
	f := l.frame
	l.frame, l.closed = nil, true
	l.mu.Unlock()
	if f != nil {
		f.Release()
	}
}
