package mqtt

import (
	"slices"
	"time"

	"github.com/segedge/segedge/seg"
)

// throttle lets at most one object.updated an interval and object pass, and keeps the newest that it held back. All
// other events pass at once. What counts is the time that the events carry; the clock of whoever asks only says when to
// give up waiting for the next.
type throttle struct {
	interval time.Duration // 0 lets everything pass
	objects  map[objectKey]*held
}

type objectKey struct {
	camera string
	id     seg.ID
}

type held struct {
	last    time.Time  // the time of the last update that passed
	at      time.Time  // when that was, by the clock of whoever asks
	pending *seg.Event // the newest update since, with the state before the first
}

// maxThrottled bounds the objects that are remembered.
const maxThrottled = 4096

func newThrottle(interval time.Duration) *throttle {
	return &throttle{interval: interval, objects: map[objectKey]*held{}}
}

// offer says whether the event passes; the returned event may reach further back than the one given.
func (t *throttle) offer(e seg.Event, now time.Time) (seg.Event, bool) {
	o := e.After
	if o == nil {
		o = e.Before
	}
	if t.interval <= 0 || o == nil {
		return e, true
	}
	key := objectKey{e.Camera, o.ID}
	if e.Type != seg.ObjectUpdated {
		// It carries the object's whole state, which outdates an update that was held back.
		if h := t.objects[key]; h != nil {
			h.pending = nil
		}
		if e.Type == seg.ObjectEnded {
			delete(t.objects, key)
		}
		return e, true
	}
	h := t.objects[key]
	if h == nil {
		t.remember(key, &held{last: e.Time, at: now})
		return e, true
	}
	if h.pending != nil {
		e.Before = h.pending.Before
	}
	if since := e.Time.Sub(h.last); since < 0 || since >= t.interval { // a clock that was set back lets it pass too
		h.last, h.at, h.pending = e.Time, now, nil
		return e, true
	}
	h.pending = &e
	return e, false
}

func (t *throttle) remember(key objectKey, h *held) {
	if len(t.objects) >= maxThrottled {
		clear(t.objects)
	}
	t.objects[key] = h
}

// due are the updates that have been held back long enough; with all, every one. Their time is then when they pass, which
// keeps the interval; their frame says when it was seen.
func (t *throttle) due(now time.Time, all bool) []seg.Event {
	var out []seg.Event
	for _, h := range t.objects {
		since := now.Sub(h.at)
		if h.pending == nil || !all && since >= 0 && since < t.interval {
			continue
		}
		e := *h.pending
		if passes := h.last.Add(t.interval); !all && e.Time.Before(passes) {
			e.Time = passes
		}
		out = append(out, e)
		h.last, h.at, h.pending = e.Time, now, nil
	}
	slices.SortFunc(out, func(a, b seg.Event) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		if a.Camera != b.Camera {
			if a.Camera < b.Camera {
				return -1
			}
			return 1
		}
		return int(int64(a.After.ID) - int64(b.After.ID))
	})
	return out
}
