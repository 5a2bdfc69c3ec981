package tracker

import (
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
)

// WantKeyframe says whether the newest frame is worth asking the model about: at once for a prompt that waits, for what has not been looked
// at in it as far as Budget allows. What a keyframe costs is the number of frames between its query and its answer.
func (t *Tracker) WantKeyframe() bool {
	now, wanted := t.Newest(), false
	t.budget.earn(now, t.opt.Budget*t.budget.share)
	for _, o := range t.objects {
		if o.asked {
			return true
		}
		wanted = wanted || o.wants(now)
	}
	return wanted && t.budget.credit > 0
}

// wants says whether an object would gain from a routine keyframe now: one that is in doubt, hidden or looked for always, a tracked one
// unless the newest frame was answered.
func (o *object) wants(now uint64) bool {
	switch o.state {
	case seg.Tentative:
		return false
	case seg.Tracking:
		return o.key < now
	default:
		return true
	}
}

// Crop is the part of the newest frame, of the frame's own aspect, that a routine keyframe made of it should show, and false for
// the whole frame. The keyframe counts as taken.
func (t *Tracker) Crop() (seg.Box, bool) {
	box, hidden, ok := t.visibleBox()
	size := t.opt.Tuning.cropSize(box)
	if !ok || size > t.opt.Tuning.CropMost || !t.uses(CueCrop) {
		t.crops = cropper{last: t.Newest()}
		return whole, false
	}
	return t.crops.next(box, size, hidden, t.Newest(), uint64(t.clock.frames(wholeAfter)))
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
	g, k := &t.scene.Last().Gray, t.opt.Tuning
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

// UseModel says whose answers and features come from now on. What objects look like is kept by model, so that a change back finds it again.
func (t *Tracker) UseModel(identity string) { t.looks.UseModel(identity) }

// Recalls says whether the model remembers objects, and so may be asked about one without a prompt, from now on.
func (t *Tracker) Recalls(yes bool) { t.looks.recalls = yes }

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
