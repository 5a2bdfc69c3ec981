package agent

import (
	"time"

	"github.com/segedge/segedge/seg"
)

// updates decides which object.updated events are due: for an object that changed, at most one in every interval.
type updates struct {
	every time.Duration
	last  map[seg.ID]published
	live  map[seg.ID]bool
}

// published is what was last said of an object.
type published struct {
	object seg.Object
	at     time.Time
}

// each calls send for the objects whose update is due at the frame captured at now. The pointers are valid during the call
// and beyond: they point to copies.
func (u *updates) each(now time.Time, objects []seg.Object, send func(before, after *seg.Object)) {
	if u.live == nil {
		u.live = map[seg.ID]bool{}
	}
	clear(u.live)
	for i := range objects {
		o := &objects[i]
		u.live[o.ID] = true
		if !o.State.Visible() {
			continue
		}
		old, known := u.last[o.ID]
		if !known { // object.new has just been sent
			u.last[o.ID] = published{*o, now}
			continue
		}
		if now.Sub(old.at) < u.every || same(&old.object, o) {
			continue
		}
		before, after := old.object, *o
		send(&before, &after)
		u.last[o.ID] = published{after, now}
	}
	for id := range u.last {
		if !u.live[id] {
			delete(u.last, id)
		}
	}
}

// same reports whether nothing that an event tells has changed: masks are immutable, so another mask is another place.
func same(a, b *seg.Object) bool {
	return a.Mask == b.Mask && a.State == b.State && a.Name == b.Name && a.Keyframe == b.Keyframe
}
