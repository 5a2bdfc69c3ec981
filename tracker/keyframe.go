package tracker

import (
	"math"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
)

// cropper chooses what keyframes show. A keyframe need not show the whole frame: the encoder sees a picture of a fixed size, so what is
// left out of it is sharpness won for the objects, at no cost. Now and then the whole frame is looked at all the same: for what is lost,
// and to know the objects at that scale too, should they get lost.
type cropper struct {
	cropped bool   // since the last whole frame
	last    uint64 // the last whole frame
	aside   uint64 // the last whole frame that was taken only to look around
}

// whole is the box of the whole frame.
var whole = seg.Box{X1: 1, Y1: 1}

// Crop is the part of the newest frame, of the frame's own aspect, that a routine keyframe made of it should show, and false for
// the whole frame. The keyframe counts as taken.
func (t *Tracker) Crop() (seg.Box, bool) {
	w, k, now := &t.crops, t.tuning, t.Newest()
	box, hidden, ok := t.visibleBox()
	size := k.cropSize(box)
	if !ok || size > k.CropMost || !t.uses(CueCrop) {
		*w = cropper{last: now}
		return whole, false
	}
	long := now-min(w.last, now) >= uint64(t.clock.frames(wholeAfter))
	if (long || hidden) && w.cropped { // never twice running, however seldom keyframes are: it asks nothing about what is visible
		*w = cropper{last: now, aside: now}
		return whole, false
	}
	w.cropped = true
	m := box.Center()
	x, y := min(max(m.X-size/2, 0), 1-size), min(max(m.Y-size/2, 0), 1-size)
	return seg.Box{X0: x, Y0: y, X1: x + size, Y1: y + size}, true
}

// visibleBox holds all visible objects with their margins. hidden says that one is looked for; it is not ok without a visible object, or
// while one waits for its first answer or for that to a person's prompt.
func (t *Tracker) visibleBox() (all seg.Box, hidden, ok bool) {
	for _, o := range t.objects {
		switch {
		case o.asked || o.track == nil:
			return seg.Box{}, false, false
		case !o.state.Visible():
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
	g, k := &t.scene.Last().Gray, t.tuning
	r := o.track.Bounds().Inset(k.Shape.Margin)
	if r.Empty() {
		return seg.Box{}, false
	}
	margin := (k.CropMargin - 1) / 2 * max(float64(r.Dx()), float64(r.Dy()))
	w, h := float64(g.W), float64(g.H)
	return seg.Box{
		X0: (float64(r.Min.X) - margin) / w, Y0: (float64(r.Min.Y) - margin) / h,
		X1: (float64(r.Max.X) + margin) / w, Y1: (float64(r.Max.Y) + margin) / h,
	}.Clip(), true
}

// cropSize is the side of a crop that holds a box, as a share of the frame's.
func (k *Tuning) cropSize(b seg.Box) float64 {
	need := max(b.X1-b.X0, b.Y1-b.Y0, leastCrop)
	return min(1, math.Ceil(need/k.CropStep)*k.CropStep)
}

// UseModel says whose answers and features come from now on. What objects look like is kept by model, so that a change back finds it again.
func (t *Tracker) UseModel(identity string) { t.looks.UseModel(identity) }

// See takes the features of keyframe seq, for the answers about it that follow. It copies them. A model without features is
// followed as well, but objects are then told apart by colour alone.
func (t *Tracker) See(seq uint64, fs []seg.Features) {
	if !t.uses(CueFeatures) {
		return
	}
	if v := t.looks.See(seq, fs); v != nil && seq == t.crops.aside {
		t.lookAside(v)
	}
}

// lookAside learns how the visible objects look in a whole frame that was taken to look around.
func (t *Tracker) lookAside(v *look.View) {
	at, exact := t.scene.Find(v.Seq())
	if !exact {
		return
	}
	ev := &evidence{seq: v.Seq(), at: at, e: t.scene.At(at), view: v}
	for _, o := range t.objects {
		if o.track == nil || o.state != seg.Tracking || o.cover != nil {
			continue
		}
		if m, ok := t.trackAt(o, v.Seq()); ok {
			t.learn(o, m.Resampled(), ev)
		}
	}
}
