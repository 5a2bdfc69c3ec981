package tracker

import (
	"iter"
	"slices"

	"github.com/segedge/segedge/seg"
)

// roster is the live objects, by id.
type roster []*object

// find is an object, or nil.
func (r roster) find(id seg.ID) *object {
	i, ok := slices.BinarySearchFunc(r, id, func(o *object, id seg.ID) int { return int(int64(o.id) - int64(id)) })
	if !ok {
		return nil
	}
	return r[i]
}

// sweep takes out what has ended.
func (r *roster) sweep() {
	*r = slices.DeleteFunc(*r, func(o *object) bool { return o.state == seg.Ended })
}

// others are the visible objects but o that were there in frame seq, with where they were.
func (r roster) others(o *object, seq uint64) iter.Seq2[*object, track] {
	return func(yield func(*object, track) bool) {
		for _, q := range r {
			if q == o {
				continue
			}
			if there, ok := q.in(seq); ok && !yield(q, there) {
				return
			}
		}
	}
}

// leastQueried is the object that was queried longest ago, and not about frame seq or a newer one; nil without one.
func (r roster) leastQueried(seq uint64) (least *object) {
	for _, o := range r {
		if o.queried < seq && (least == nil || o.queried < least.queried) {
			least = o
		}
	}
	return least
}
