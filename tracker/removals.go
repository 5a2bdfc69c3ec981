package tracker

import (
	"slices"

	"github.com/segedge/segedge/seg"
)

// What is kept of what was removed, at most; of objects, as many as may live.
const (
	maxRemovals = 8
	undoFor     = 300 // seconds
)

// removal is what one command took away.
type removal struct {
	seq     uint64 // the newest frame then
	objects []removed
}

// removed is an object as it was before it was removed, and what its place is known by.
type removed struct {
	*object
	was   seg.State
	place *glimpse
}

// removals are the latest, oldest first.
type removals []removal

// bound forgets the oldest removals where there are more than so many, or where they have more objects.
func (r *removals) bound(most, objects int) {
	n := 0
	for i, m := range slices.Backward(*r) {
		if n += len(m.objects); n > objects || len(*r)-i > most {
			*r = slices.Delete(*r, 0, i+1)
			return
		}
	}
}

// expire forgets what was removed too long ago.
func (r *removals) expire(now uint64, frames int) {
	*r = slices.DeleteFunc(*r, func(r removal) bool { return now-min(r.seq, now) > uint64(frames) })
}

// count is how many of the objects are kept.
func (r removals) count(ids []seg.ID) (n int) {
	for i := range r {
		for _, o := range r[i].objects {
			if slices.Contains(ids, o.id) {
				n++
			}
		}
	}
	return n
}

// take takes objects out.
func (r *removals) take(ids []seg.ID) (out []removed) {
	for i := range *r {
		m := &(*r)[i]
		m.objects = slices.DeleteFunc(m.objects, func(o removed) bool {
			named := slices.Contains(ids, o.id)
			if named {
				out = append(out, o)
			}
			return named
		})
	}
	*r = slices.DeleteFunc(*r, func(m removal) bool { return len(m.objects) == 0 })
	return out
}
