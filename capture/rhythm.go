package capture

import (
	"math"
	"time"
)

// rhythm learns how long a camera usually leaves between two frames, so that one that sends a picture now and then, or
// several at once, is not taken for a dead one. It remembers the two longest gaps, which fade: one long gap alone is a
// stall and teaches nothing.
type rhythm struct {
	last    time.Time
	longest [2]time.Duration // the longer first
	n       int              // gaps seen
}

const (
	rhythmFade  = 10 * time.Second // in which a gap that was seen counts half
	rhythmKnown = 3                // gaps that must be seen before a camera counts as a quick one
	rhythmFirst = 5                // times the usual patience until then
	rhythmLimit = 2 * time.Minute  // a gap is never longer
)

// arrived notes a frame.
func (r *rhythm) arrived(at time.Time) {
	gap := at.Sub(r.last)
	first := r.last.IsZero()
	r.last = at
	if first || gap <= 0 || gap > rhythmLimit {
		return
	}
	r.n++
	fade := math.Exp2(-float64(gap) / float64(rhythmFade))
	for i := range r.longest {
		r.longest[i] = time.Duration(float64(r.longest[i]) * fade)
	}
	switch {
	case gap >= r.longest[0]:
		r.longest = [2]time.Duration{gap, r.longest[0]}
	case gap > r.longest[1]:
		r.longest[1] = gap
	}
}

// reopened forgets when the last frame came: the gap that follows is not the camera's own.
func (r *rhythm) reopened() { r.last = time.Time{} }

// patience is how long to wait for a frame, at least least: two and a half times the usual gap.
func (r *rhythm) patience(least time.Duration) time.Duration {
	d := max(least, r.longest[1]*5/2)
	if r.n < rhythmKnown {
		d = max(d, least*rhythmFirst)
	}
	return d
}
