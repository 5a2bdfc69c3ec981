package tracker

import (
	"slices"

	"github.com/segedge/segedge/seg"
)

// move takes an object over the newest entry and judges how well that went.
func (t *Tracker) move(o *object, e *entry) {
	o.mask = nil
	if o.track == nil {
		return
	}
	t.pairs = o.track.step(e, true, t.pairs)
	if o.track.seen.inliers == 0 {
		o.misses++
	} else if o.misses > 0 {
		o.misses--
	}
	if o.state.Visible() && o.currentMask().Rect.Empty() {
		o.misses = max(o.misses, t.opt.frames(t.opt.LostAfter))
	}
}

// sweep turns what was seen into states and changes.
func (t *Tracker) sweep(now uint64) {
	limit := t.opt.frames(t.opt.LostAfter)
	for _, o := range t.objects {
		switch {
		case o.state == seg.Tracking && o.misses > limit/2:
			o.state = seg.Uncertain
		case o.state == seg.Uncertain && o.misses >= limit:
			t.lose(o, now)
		case o.state == seg.Lost && now-o.lostAt > uint64(t.opt.frames(t.opt.ForgetAfter)):
			t.end(o)
		}
		t.report(o, now)
	}
	t.objects = slices.DeleteFunc(t.objects, func(o *object) bool { return o.state == seg.Ended })
}

func (t *Tracker) lose(o *object, now uint64) {
	o.state, o.lostAt = seg.Lost, now
	t.change(seg.ObjectLost, o)
}

// end closes an object's life; the sweep takes it out of the list.
func (t *Tracker) end(o *object) {
	o.state = seg.Ended
	if o.shown != nil {
		t.change(seg.ObjectEnded, o)
	}
}

// report says that a visible object has changed, at most once in its time.
func (t *Tracker) report(o *object, now uint64) {
	every := uint64(0)
	if t.opt.UpdateEvery > 0 {
		every = uint64(t.opt.frames(t.opt.UpdateEvery))
	}
	if o.shown != nil && o.state.Visible() && now-o.updated >= max(every, 1) {
		t.change(seg.ObjectUpdated, o)
	}
}

func (t *Tracker) change(typ seg.EventType, o *object) {
	after := o.snapshot(t.Newest())
	if len(t.changes) < maxChanges {
		t.changes = append(t.changes, seg.Change{Type: typ, Before: o.shown, After: &after})
	}
	o.shown, o.updated = &after, t.Newest()
}

// maxChanges bounds what waits for a caller that never drains.
const maxChanges = 4096

func (t *Tracker) sweepEnded() {
	t.objects = slices.DeleteFunc(t.objects, func(o *object) bool { return o.state == seg.Ended })
}
