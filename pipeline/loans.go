package pipeline

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"time"

	"github.com/segedge/segedge/frame"
)

// maxLoans is how many of the kept frames may be with callers of Frame at once.
const maxLoans = 8

// loan is a kept frame that a caller of Frame holds.
type loan struct {
	frame *frame.Frame
	seq   uint64
	who   string
	since time.Time
}

// lend gives a reference to the frame with this sequence to a caller, or says who has held one longest where too many are out.
func (r *frameRing) lend(seq uint64, who string) (*frame.Frame, error) {
	r.settle()
	if len(r.loans) >= maxLoans {
		r.starved()
		return nil, fmt.Errorf("%w: %d are, the longest by %s", ErrFramesHeld, len(r.loans), r.oldest())
	}
	f := r.at(seq)
	if f == nil {
		return nil, ErrNoFrame
	}
	r.loans = append(r.loans, loan{f, seq, who, time.Now()})
	return f.Retain(), nil
}

// settle forgets the loans that were given back. Of several of one frame as many stand as there are references, the newest of them: which
// of them came back cannot be seen.
func (r *frameRing) settle() {
	for i, l := range slices.Backward(r.loans) {
		others := 0 // that hold the frame
		if slices.Contains(r.frames, l.frame) {
			others = 1
		}
		for _, later := range r.loans[i+1:] {
			if later.frame == l.frame {
				others++
			}
		}
		if l.frame.Seq != l.seq || l.frame.References() <= others {
			r.loans = slices.Delete(r.loans, i, i+1)
		}
	}
}

// oldest says who holds a frame longest.
func (r *frameRing) oldest() string {
	r.settle()
	if len(r.loans) == 0 {
		return "nobody who asked for one"
	}
	return fmt.Sprintf("%s, for %v", r.loans[0].who, time.Since(r.loans[0].since).Round(time.Millisecond))
}

// caller is the function that called a method of the pipeline.
func caller() string {
	pc, _, line, ok := runtime.Caller(2)
	if !ok {
		return "somebody"
	}
	return fmt.Sprintf("%s:%d", path.Base(runtime.FuncForPC(pc).Name()), line)
}

// close closes the pool, once the ring holds no frame. What is lent comes back by and by, and is no leak.
func (r *frameRing) close() error {
	r.settle()
	held := r.pool.InUse()
	if err := r.pool.Close(); held > len(r.loans) {
		return err
	}
	return nil
}
