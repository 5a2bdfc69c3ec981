package clips

import (
	"time"

	"github.com/segedge/segedge/video"
)

type unit = video.Unit

// ringBytes bounds the pictures that are kept of a camera.
const ringBytes = 32 << 20

// ring holds the newest encoded pictures: from a keyframe on, over a span of time and, at most, so many bytes.
type ring struct {
	span  time.Duration // 0 keeps nothing
	most  int
	units []unit
	bytes int
}

// push adds a picture and lets go, by whole groups of pictures, of what is not needed to reach back over the span.
func (r *ring) push(u unit) {
	if r.span <= 0 {
		return
	}
	if n := len(r.units); n > 0 && (u.Width != r.units[n-1].Width || u.Height != r.units[n-1].Height) {
		r.drop(n)
	}
	if len(r.units) == 0 && !u.Keyframe {
		return
	}
	r.units, r.bytes = append(r.units, u), r.bytes+len(u.Data)
	for {
		n := r.second()
		if n < len(r.units) && u.Captured.Sub(r.units[n].Captured) < r.span && r.bytes <= r.most || n == len(r.units) && r.bytes <= r.most {
			return
		}
		r.drop(n)
	}
}

// second is where the second group begins; the end where there is none.
func (r *ring) second() int {
	for i := 1; i < len(r.units); i++ {
		if r.units[i].Keyframe {
			return i
		}
	}
	return len(r.units)
}

// drop forgets the oldest pictures.
func (r *ring) drop(n int) {
	for _, u := range r.units[:n] {
		r.bytes -= len(u.Data)
	}
	kept := copy(r.units, r.units[n:])
	clear(r.units[kept:])
	r.units = r.units[:kept]
}

// between is a copy of the pictures of a time, from the keyframe at or before its beginning: none where it lies before the ring's first,
// or where the pictures stop long before the time begins.
func (r *ring) between(from, until time.Time) []unit {
	first := -1
	for i := range r.units {
		u := &r.units[i]
		if u.Captured.After(until) {
			r := r.units[max(first, 0):i]
			if first < 0 {
				return nil
			}
			return append([]unit(nil), r...)
		}
		if u.Keyframe && (first < 0 || !u.Captured.After(from)) {
			first = i
		}
	}
	if first < 0 {
		return nil
	}
	if newest := r.units[len(r.units)-1].Captured; newest.Before(from) {
		return nil // the camera stood still
	}
	return append([]unit(nil), r.units[first:]...)
}
