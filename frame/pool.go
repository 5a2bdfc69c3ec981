package frame

import (
	"fmt"
	"runtime"
	"sync"
)

// Pool is a fixed number of frames. Its size is the number of places that may hold a frame at once, plus one
// that the source writes into; a Get that finds none free is answered nil, never with a new allocation. The
// buffers are pinned, so that C may keep their addresses for as long as a reference is held.
type Pool struct {
	mu     sync.Mutex
	free   []*Frame
	size   int
	pins   map[*Frame]*runtime.Pinner
	closed bool
}

// NewPool makes a pool of n frames. Buffers are allocated when a frame first gets its size.
func NewPool(n int) *Pool {
	p := &Pool{size: n, free: make([]*Frame, 0, n), pins: make(map[*Frame]*runtime.Pinner, n)}
	for range n {
		p.free = append(p.free, &Frame{pool: p})
	}
	return p
}

// Get takes a free frame, with one reference that the caller owns, or nil when every frame is held.
func (p *Pool) Get() *Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 || p.closed {
		return nil
	}
	f := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	f.Meta = Meta{}
	f.refs.Store(1)
	return f
}

// InUse is the number of frames that somebody holds.
func (p *Pool) InUse() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size - len(p.free)
}

// Close unpins the free buffers and reports frames that are still held: each is a leak, or a holder that was
// not joined first. Their buffers stay pinned until they come back.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, f := range p.free {
		p.unpin(f)
	}
	if held := p.size - len(p.free); held > 0 {
		return fmt.Errorf("frame: %d of %d frames still held when the pool closed", held, p.size)
	}
	return nil
}

func (p *Pool) put(f *Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, f)
	if p.closed {
		p.unpin(f)
	}
}

func (p *Pool) grow(f *Frame, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unpin(f)
	f.Pix = make([]byte, n)
	pin := new(runtime.Pinner)
	pin.Pin(&f.Pix[0])
	p.pins[f] = pin
}

func (p *Pool) unpin(f *Frame) {
	if pin := p.pins[f]; pin != nil {
		pin.Unpin()
		delete(p.pins, f)
	}
}
