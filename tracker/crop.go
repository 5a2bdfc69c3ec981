package tracker

import (
	"math"

	"github.com/segedge/segedge/seg"
)

// A keyframe need not show the whole frame. The encoder sees a picture of a fixed size, so what is left out of it is sharpness won
// for the objects, at no cost. Now and then the whole frame is looked at all the same: for what is lost, and to know the
// objects at that scale too, should they get lost.
const (
	cropMargin  = 1.6      // sides of a crop over the objects' own
	cropDoubt   = 1.3      // wider while an object is in doubt
	cropLeast   = 0.25     // of the frame's sides
	cropMost    = 0.8      // a larger crop is not worth it
	cropStep    = 1.0 / 16 // of sizes, so that the same come again
	cropSlack   = 2.5 / 16 // by which a crop may be larger than needed before it shrinks
	wholeFrames = 8        // crops after which the whole frame is due, if it is also
	wholeAfter  = 1.0      // seconds since the last
)

// cropper chooses what keyframes show.
type cropper struct {
	size  float64 // of the last crop, 0 for none
	crops int     // since the last whole frame
	last  uint64  // the last whole frame
	aside uint64  // the last whole frame that was taken only to look around
}

// Crop is the part of the newest frame, of the frame's own aspect, that a routine keyframe made of it should show, and false for
// the whole frame. The keyframe counts as taken.
func (t *Tracker) Crop() (seg.Box, bool) {
	c := &t.cropper
	now := t.Newest()
	box, hidden, ok := t.visibleBox()
	if ok {
		c.size = cropSize(box, c.size)
		ok = c.size <= cropMost && t.uses(CueCrop)
	}
	if !ok {
		*c = cropper{last: now}
		return seg.Box{X1: 1, Y1: 1}, false
	}
	long := now-min(c.last, now) >= uint64(t.frames(wholeAfter))
	if c.crops >= wholeFrames && long || hidden && c.crops > 0 {
		c.crops, c.last, c.aside = 0, now, now
		return seg.Box{X1: 1, Y1: 1}, false
	}
	c.crops++
	m := box.Center()
	x, y := min(max(m.X-c.size/2, 0), 1-c.size), min(max(m.Y-c.size/2, 0), 1-c.size)
	return seg.Box{X0: x, Y0: y, X1: x + c.size, Y1: y + c.size}, true
}

// visibleBox holds all visible objects with their margins. hidden says that one is looked for; it is not ok without a visible object, or
// while one waits for its first answer or for that to a person's prompt.
func (t *Tracker) visibleBox() (all seg.Box, hidden, ok bool) {
	for _, o := range t.objects {
		switch {
		case o.asked || o.track == nil:
			return seg.Box{}, false, false
		case !o.state.Visible() || o.state == seg.Occluded:
			hidden = true
			continue
		}
		b, there := t.marginBox(o)
		if there && !ok {
			all, ok = b, true
		} else if there {
			all = seg.Box{X0: min(all.X0, b.X0), Y0: min(all.Y0, b.Y0), X1: max(all.X1, b.X1), Y1: max(all.Y1, b.Y1)}
		}
	}
	return all, hidden, ok
}

// marginBox is an object's box with its margin.
func (t *Tracker) marginBox(o *object) (seg.Box, bool) {
	g := &t.scene.Last().Gray
	r := o.track.bounds().Inset(patchMargin)
	if r.Empty() {
		return seg.Box{}, false
	}
	k := cropMargin
	if o.state == seg.Uncertain {
		k *= cropDoubt
	}
	w, h := float64(r.Dx()), float64(r.Dy())
	side := (k - 1) / 2 * max(w, h)
	b := seg.Box{X0: float64(r.Min.X) - side, Y0: float64(r.Min.Y) - side, X1: float64(r.Max.X) + side, Y1: float64(r.Max.Y) + side}
	gw, gh := float64(g.W), float64(g.H)
	return seg.Box{X0: b.X0 / gw, Y0: b.Y0 / gh, X1: b.X1 / gw, Y1: b.Y1 / gh}.Clip(), true
}

// cropSize is the side of a crop that holds a box, as a share of the frame's, near the last one's.
func cropSize(b seg.Box, last float64) float64 {
	need := max(b.X1-b.X0, b.Y1-b.Y0, cropLeast)
	if last >= need && last-need < cropSlack {
		return last
	}
	return min(1, math.Ceil(need/cropStep)*cropStep)
}

// learnAside learns how the visible objects look in a whole frame that was taken to look around.
func (t *Tracker) learnAside(v *sight) {
	at, exact := t.scene.Find(v.seq)
	if !exact || v.seq != t.cropper.aside {
		return
	}
	ev := &evidence{seq: v.seq, e: t.scene.At(at), sight: v}
	for _, o := range t.objects {
		if o.track == nil || o.state != seg.Tracking || o.cover != nil {
			continue
		}
		if tr, ok := t.trackAt(o, v.seq); ok {
			t.learn(o, tr.resampled(), ev)
		}
	}
}
