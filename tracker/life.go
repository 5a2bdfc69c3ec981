package tracker

import (
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// move takes an object over the newest entry and judges how well that went.
func (t *Tracker) move(o *object, e *motion.Entry) {
	o.mask = nil
	switch {
	case o.track == nil || o.state == seg.Lost:
		return
	case o.state == seg.Occluded:
		dx, dy := o.track.expected(e)
		o.track.advance(t.tuning, motion.Shift(dx, dy), nil, e.Seq, t.opt.History)
		return
	}
	x0, y0 := o.track.center()
	dx, dy := o.track.carried(e)
	trust := t.stride(o, o.track, t.scene.Len()-1)
	x1, y1 := o.track.center()
	o.track.drift[0] += driftRate * trust * (x1 - x0 - dx - o.track.drift[0])
	o.track.drift[1] += driftRate * trust * (y1 - y0 - dy - o.track.drift[1])
	o.track.steady++
	t.judge(o, e)
}

const (
	leastColour = 0.5 // share of the usual colours below which the mask is doubted
)

// judge counts the frames in which little speaks for the object.
func (t *Tracker) judge(o *object, e *motion.Entry) {
	seen := &o.track.seen
	bad := seen.Pairs >= 6 && seen.Inliers < 0.3 || o.track.resting > mostHidden
	if o.base > 0 && t.colourShare(o, o.track.patch, o.track.back, e) < leastColour*o.base {
		bad = true
	}
	if bad {
		o.misses++
	} else if o.misses > 0 {
		o.misses--
	}
}

// colourShare is the share of a warped patch's cells whose colour is the object's rather than its surroundings', from a few hundred samples
// inside the picture; 1 while the colours are unknown.
func (t *Tracker) colourShare(o *object, p *patch, back motion.Warp, e *motion.Entry) float64 {
	if !o.paint.ready {
		return 1
	}
	tr := track{patch: p, back: back}
	r := tr.bounds()
	step := 1
	for r.Dx()/step*(r.Dy()/step) > 400 {
		step++
	}
	in, n := 0, 0
	for y := r.Min.Y + step/2; y < r.Max.Y; y += step {
		for x := r.Min.X + step/2; x < r.Max.X; x += step {
			if tr.value(float64(x), float64(y)) > 0 {
				n++
				if o.paint.logit(e.BGR[3*(y*p.w+x):]) > 0 {
					in++
				}
			}
		}
	}
	if n == 0 {
		return 1
	}
	return float64(in) / float64(n)
}

// maxDoubts is the number of answers refused in a row that make an object disappear.
const maxDoubts = 3

// sweep turns what was seen into states and changes.
func (t *Tracker) sweep(now uint64) {
	limit := t.frames(t.opt.LostAfter)
	for _, o := range t.objects {
		switch age := now - min(o.since, now); o.state {
		case seg.Tracking, seg.Uncertain:
			t.sweepVisible(o, now, limit)
		case seg.Occluded:
			if int(age) > t.frames(t.opt.OccludedFor) || t.outside(o) {
				t.lose(o, now)
			}
		case seg.Lost:
			if int(age) > t.frames(t.opt.ForgetAfter) {
				t.end(o)
			}
		}
		t.expire(o, now)
		t.report(o, now)
	}
	t.sweepEnded()
}

// sweepVisible doubts, hides or loses an object that was visible.
func (t *Tracker) sweepVisible(o *object, now uint64, limit int) {
	gone := o.misses >= limit || o.doubts >= maxDoubts
	switch left := t.left(o); {
	case left < leastInside:
		t.lose(o, now)
	case o.cover != nil && t.hidden(o, now) > mostHidden:
		t.hide(o, now)
		o.coasting = o.track.steady >= steadyAfter
	case gone && left < 0.5:
		t.lose(o, now)
	case gone:
		o.coasting, o.due = o.track.resting > restingSome, now
		t.hide(o, now)
	case o.misses > limit/3 || o.doubts > 0:
		o.become(seg.Uncertain, now)
	case o.state == seg.Uncertain && o.misses == 0:
		o.become(seg.Tracking, now)
	}
}

const (
	leastInside = 0.12 // share of the usual area that must lie in the picture
	mostHidden  = 0.7  // share of the mask that another object may cover
)

// left is the share of the object's usual area that the mask has in the picture.
func (t *Tracker) left(o *object) float64 {
	b := o.track.bounds()
	if b.Empty() {
		return 0
	}
	grid := t.scene.Last().Gray
	if b.Min.X > 0 && b.Min.Y > 0 && b.Max.X < grid.W && b.Max.Y < grid.H {
		return 1
	}
	n := 0
	step := 1
	for b.Dx()/step*(b.Dy()/step) > 600 {
		step++
	}
	for y := b.Min.Y + step/2; y < b.Max.Y; y += step {
		for x := b.Min.X + step/2; x < b.Max.X; x += step {
			if o.track.value(float64(x), float64(y)) > 0 {
				n++
			}
		}
	}
	return float64(n*step*step) / max(o.area, 1)
}

// outside says whether the middle of a hidden object has left the picture.
func (t *Tracker) outside(o *object) bool {
	x, y := o.track.center()
	g := &t.scene.Last().Gray
	return x < 0 || y < 0 || x >= float64(g.W) || y >= float64(g.H)
}

func (t *Tracker) hide(o *object, now uint64) {
	o.misses, o.doubts = 0, 0
	o.become(seg.Occluded, now)
	t.change(seg.ObjectOccluded, o)
}

func (t *Tracker) lose(o *object, now uint64) {
	o.misses, o.doubts, o.cover, o.coasting = 0, 0, nil, false
	o.become(seg.Lost, now)
	if o.shown != nil {
		t.change(seg.ObjectLost, o)
	}
}

// end closes an object's life; the sweep takes it out of the list.
func (t *Tracker) end(o *object) {
	last := t.currentMask(o)
	o.become(seg.Ended, t.Newest())
	o.mask = last
	if o.shown != nil {
		t.change(seg.ObjectEnded, o)
	}
}

func (t *Tracker) sweepEnded() {
	t.objects = slices.DeleteFunc(t.objects, func(o *object) bool { return o.state == seg.Ended })
}

// report says that a visible object has changed, at most once in its time.
func (t *Tracker) report(o *object, now uint64) {
	every := 1
	if t.opt.UpdateEvery > 0 {
		every = t.frames(t.opt.UpdateEvery)
	}
	if o.shown != nil && o.state.Visible() && now-o.updated >= uint64(every) {
		t.change(seg.ObjectUpdated, o)
	}
}

// maxChanges bounds what waits for a caller that never drains.
const maxChanges = 4096

func (t *Tracker) change(typ seg.EventType, o *object) {
	after := t.snapshot(o)
	if len(t.changes) < maxChanges {
		t.changes = append(t.changes, seg.Change{Type: typ, Before: o.shown, After: &after})
	}
	o.shown, o.updated = &after, t.Newest()
}
