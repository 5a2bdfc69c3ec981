package video

import (
	"sync"
	"time"
)

// rate measures how many frames a second a camera shows: what an encoder shares its bits out by. A camera's nominal rate
// says little of it, in the dark or on a busy machine.
type rate struct {
	mu   sync.Mutex
	last time.Time
	mean float64 // seconds between frames, an exponential mean
	n    int
}

// settled is how many intervals are seen before the mean is believed.
const settled = 8

// seen notes a frame's capture.
func (r *rate) seen(captured time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := captured.Sub(r.last).Seconds()
	first := r.last.IsZero()
	r.last = captured
	if first || d <= 0 || d > 1 { // a stall is no frame rate
		return
	}
	r.n++
	r.mean += (d - r.mean) / float64(min(r.n, 4*settled))
}

// fps is the measured rate within what encoders take, or the given one until it is known.
func (r *rate) fps(otherwise float64) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n < settled {
		return otherwise
	}
	return min(max(1/r.mean, 5), 60)
}
