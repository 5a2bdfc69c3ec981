package tracker

import (
	"math"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// move takes an object over the newest entry and judges how well that went.
func (t *Tracker) move(o *object, e *motion.Entry) {
	o.mask = nil
	switch {
	case o.state == seg.Lost:
		t.moveRivals(o, e)
		return
	case o.track == nil:
		return
	case o.state == seg.Occluded:
		dx, dy := o.track.expected(e)
		o.track.Advance(&t.opt.Tuning.Motion, motion.Shift(dx, dy), nil, e.Seq, t.opt.History)
		return
	}
	x0, y0 := o.track.Center()
	dx, dy := o.track.carried(e)
	weight := t.stride(o, o.track, t.scene.Len()-1)
	x1, y1 := o.track.Center()
	o.track.measured(t.opt.Tuning, x1-x0-dx, y1-y0-dy, weight)
	t.judge(o, e)
}

// judge counts the frames in which little speaks for the object.
func (t *Tracker) judge(o *object, e *motion.Entry) {
	k, fit := t.opt.Tuning, &o.track.last
	bad := fit.Pairs >= k.FewPairs && fit.Inliers == 0 || o.track.resting > k.Most
	if o.base > 0 && o.Colours.Share(&k.Look, &o.track.Track, e) < k.Half*o.base {
		bad = true
	}
	if bad {
		o.misses++
	} else if o.misses > 0 {
		o.misses--
	}
}

// sweep turns what was seen into states and changes.
func (t *Tracker) sweep(now uint64) {
	for _, o := range t.objects {
		switch age := int(now - min(o.stateSince, now)); o.state {
		case seg.Tracking, seg.Uncertain:
			t.doubt(o, now)
		case seg.Occluded:
			if age > t.clock.frames(t.opt.OccludedFor) || t.outside(o) {
				t.lose(o, now)
			}
		case seg.Lost:
			t.returned(o)
			if age > t.clock.frames(t.opt.ForgetAfter) {
				t.end(o)
			}
		case seg.Tentative:
			if o.shown != nil && !t.askable(o.anchors) {
				t.end(o) // undone to what can be asked no more
			}
		case seg.Ended:
		}
		t.expire(o, now)
		t.report(o, now)
	}
	t.objects.sweep()
	t.removals.expire(now, t.clock.frames(undoFor))
}

// doubt makes an object that was visible uncertain, occluded or lost, where what was seen asks for it.
func (t *Tracker) doubt(o *object, now uint64) {
	k, limit := t.opt.Tuning, t.clock.frames(t.opt.LostAfter)
	refused := o.doubts >= k.MostDoubts && int(t.framesSince(o.doubted)) >= limit // three answers in three frames are one and the same
	gone := o.misses >= limit || refused
	switch inside := t.inside(o); {
	case inside < k.LeastInside:
		t.lose(o, now)
	case o.cover != nil && t.hidden(o, now) > k.Most:
		t.occluded(o, now)
		o.coasting = o.track.steady >= k.SteadyAfter
	case gone && inside < k.Half:
		t.lose(o, now)
	case gone:
		o.coasting, o.due = o.track.resting > k.Some, now
		t.occluded(o, now)
	case o.misses > limit/doubtParts || o.doubts > 0:
		o.become(seg.Uncertain, now)
	case o.state == seg.Uncertain && o.misses == 0:
		o.become(seg.Tracking, now)
	}
}

// inside is the share of the object's usual area that the mask has in the picture; 1 for one that does not touch its edge.
func (t *Tracker) inside(o *object) float64 {
	b := o.track.Bounds()
	if b.Empty() {
		return 0
	}
	grid := &t.scene.Last().Gray
	if b.Min.X > 0 && b.Min.Y > 0 && b.Max.X < grid.W && b.Max.Y < grid.H {
		return 1
	}
	n := 0
	cells := o.track.Each(func(int, int) { n++ })
	return float64(n*cells) / max(o.area, 1)
}

// outside says whether the middle of a hidden object has left the picture.
func (t *Tracker) outside(o *object) bool {
	x, y := o.track.Center()
	g := &t.scene.Last().Gray
	return x < 0 || y < 0 || x >= float64(g.W) || y >= float64(g.H)
}

// expire withdraws the other answers to a prompt when their time is up, or the object has come far from where it was prompted: they move
// with the one that is believed, and say less and less about what is there.
func (t *Tracker) expire(o *object, now uint64) {
	if len(o.candidates) == 0 {
		return
	}
	x, y := o.track.Center()
	way := math.Hypot(x-float64(o.offeredAt.X), y-float64(o.offeredAt.Y))
	late := now-min(o.offered, now) > uint64(t.clock.frames(offerFor))
	if !o.state.Visible() || late || way > math.Sqrt(o.area) { // further than it is wide
		t.withdraw(o)
	}
}

// withdraw takes the other answers to a prompt back, and says so.
func (t *Tracker) withdraw(o *object) {
	if len(o.candidates) > 0 {
		o.candidates = nil
		t.change(seg.ObjectUpdated, o)
	}
}
