// Package frame holds pixels on their way through the agent: pooled, reference-counted frames and the
// one-place slot that hands the newest of them to a consumer. It knows nothing of cameras, models or objects.
package frame

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Meta says which frame this is and when it was taken.
type Meta struct {
	Seq      uint64        // counts a camera's frames from 1; never repeats within a run, gaps are dropped frames
	Captured time.Time     // when the frame reached this process; wall and monotonic clock
	PTS      time.Duration // the source's own time, from its first frame; 0 where the source has none
	Width    int           // pixels
	Height   int           // pixels
	Scene    Scene         // what the picture as a whole is worth, as judged when it was captured
	Round    uint64        // how often the source has begun again at its end: all may be elsewhere in the first picture of a round
}

// Frame is a packed BGR image, 8 bits a channel, row by row, stride 3·Width. It is written by one owner until
// it is published (handed to anybody else) and read-only from then on. Each holder owns one reference and gives
// it back with Release; the last one returns the buffer to its pool.
type Frame struct {
	Meta
	Pix []byte // len = 3·Width·Height

	pool *Pool
	refs atomic.Int32
}

// New makes a frame outside any pool, for tests and single images. Release on it only checks the count.
func New(width, height int) *Frame {
	f := &Frame{}
	f.refs.Store(1)
	f.Resize(width, height)
	return f
}

// Stride is the number of bytes in a row.
func (f *Frame) Stride() int { return 3 * f.Width }

// Resize sets the size of a frame that is not yet published; the content is undefined afterwards. A buffer that
// is large enough is kept, so a source that always delivers one size allocates nothing.
func (f *Frame) Resize(width, height int) {
	if width <= 0 || height <= 0 {
		panic(fmt.Sprintf("frame: size %dx%d", width, height))
	}
	f.Width, f.Height = width, height
	n := 3 * width * height
	if cap(f.Pix) >= n {
		f.Pix = f.Pix[:n]
		return
	}
	if f.pool != nil {
		f.pool.grow(f, n)
		return
	}
	f.Pix = make([]byte, n)
}

// Retain adds a reference for a further holder and returns f.
func (f *Frame) Retain() *Frame {
	if f.refs.Add(1) < 2 {
		panic("frame: retained after its last release")
	}
	return f
}

// Release gives one reference back. Using the frame afterwards is a bug; releasing it once too often panics.
func (f *Frame) Release() {
	switch n := f.refs.Add(-1); {
	case n > 0:
	case n == 0:
		if f.pool != nil {
			f.pool.put(f)
		}
	default:
		panic("frame: released once too often")
	}
}

// References is the number of references that are held now, to say who holds too many.
func (f *Frame) References() int { return int(f.refs.Load()) }
