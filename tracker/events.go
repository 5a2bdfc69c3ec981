package tracker

import "github.com/segedge/segedge/seg"

// maxChanges bounds what waits for a caller that never drains.
const maxChanges = 4096

// Changes appends what happened since the last call, in order.
func (t *Tracker) Changes(dst []seg.Change) []seg.Change {
	dst = append(dst, t.changes...)
	clear(t.changes)
	t.changes = t.changes[:0]
	return dst
}

// change reports what happened to an object in the newest frame.
func (t *Tracker) change(typ seg.EventType, o *object) {
	after := t.snapshot(o)
	if len(t.changes) < maxChanges {
		t.changes = append(t.changes, seg.Change{Type: typ, Before: o.shown, After: &after})
	}
	o.shown, o.updated = &after, t.Newest()
}

// report says that a visible object has changed, at most once in its time. What changed for no eye, since the picture has noise, is no
// change; that it is still there is said now and then.
func (t *Tracker) report(o *object, now uint64) {
	every := 1
	if t.opt.UpdateEvery > 0 {
		every = t.clock.frames(t.opt.UpdateEvery)
	}
	if o.shown == nil || !o.state.Visible() || now-max(o.updated, o.compared) < uint64(every) {
		return
	}
	o.compared = now
	if t.opt.UpdateEvery < 0 || now-o.updated >= uint64(t.clock.frames(restEvery)) || t.differs(o) {
		t.change(seg.ObjectUpdated, o)
	}
}

// differs says whether an object is another than it was last reported to be.
func (t *Tracker) differs(o *object) bool {
	if o.state != o.shown.State || o.shown.Mask == nil {
		return true
	}
	return o.shown.Mask.IoU(t.mask(o)) < leastShared
}

// occluded makes an object hidden in its place.
func (t *Tracker) occluded(o *object, now uint64) {
	o.misses, o.doubts = 0, 0
	o.become(seg.Occluded, now)
	t.change(seg.ObjectOccluded, o)
}

// lose makes an object one that is searched for.
func (t *Tracker) lose(o *object, now uint64) {
	o.misses, o.doubts, o.cover, o.coasting, o.rivals = 0, 0, nil, false, nil
	o.become(seg.Lost, now)
	if o.shown != nil {
		t.change(seg.ObjectLost, o)
	}
}

// end closes an object's life; the sweep takes it out of the roster.
func (t *Tracker) end(o *object) {
	last := t.mask(o)
	o.become(seg.Ended, t.Newest())
	o.mask = last
	if o.shown != nil {
		t.change(seg.ObjectEnded, o)
	}
}
