package tracker

import (
	"cmp"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/shape"
)

// Saved is what is known of an object, plain and whole, to be kept while the process is not there. What it has of the tracker is a copy.
type Saved struct {
	ID             seg.ID
	Name           string
	Said           string    // what a person prompted with, for people
	State          seg.State // the last one
	IoU, Stability float64

	Mask             shape.Saved // where it was last believed to be
	Look             look.Saved
	Area, Size, Base float64 // usual and expected size in cells; share of its own colours
}

// Save appends what is known of the objects that were ever seen.
func (t *Tracker) Save(dst []Saved) []Saved {
	for _, o := range t.objects {
		if o.track == nil || o.shown == nil || o.state == seg.Ended || o.state == seg.Tentative {
			continue
		}
		s := Saved{
			ID: o.id, Name: o.name, State: o.state, IoU: o.iou, Stability: o.stab,
			Mask: o.track.Resampled().Save(), Look: o.Look.Save(), Area: o.area, Size: o.sizeAt(o.track), Base: o.base,
		}
		if n := len(o.anchors); n > 0 {
			s.Said = o.anchors[n-1].words
		}
		dst = append(dst, s)
	}
	return dst
}

// Restore takes up the objects that were saved, before the first frame. They are looked for: first where they were. One that comes back
// within Options.ReturnWithin of the model's first answer is reported as recovered, another as lost; one that makes no sense is left out.
// New objects are numbered above them.
func (t *Tracker) Restore(saved []Saved) {
	saved = slices.SortedFunc(slices.Values(saved), func(a, b Saved) int { return cmp.Compare(a.ID, b.ID) })
	largest, next := seg.ID(0), t.opt.NextID
	for i := range saved {
		s := &saved[i]
		if len(t.objects) >= t.opt.MaxObjects || s.ID == largest {
			continue
		}
		if o := t.restored(s); o != nil {
			t.objects, largest = append(t.objects, o), s.ID
		}
	}
	t.opt.NextID = func() seg.ID {
		largest = max(next(), largest+1)
		return largest
	}
}

// restored is an object that was saved, nil where it makes no sense.
func (t *Tracker) restored(s *Saved) *object {
	p, ok := s.Mask.Patch()
	l, known := s.Look.Look(&t.tuning.Look)
	if !ok || !known || !(s.Area > 0) {
		return nil
	}
	o := &object{id: s.ID, name: s.Name, state: seg.Lost, returning: true, anchors: []anchor{{dead: true, words: s.Said}}}
	o.track, o.iou, o.stab = newTrack(p, 0), s.IoU, s.Stability
	o.appearance = appearance{Look: l, area: s.Area, size: s.Size, base: s.Base}
	before := t.snapshot(o)
	before.State = s.State
	o.shown = &before
	return o
}

// returned ends the time in which an object that was saved may come back without having been lost.
func (t *Tracker) returned(o *object) {
	first := t.budget.first
	if o.returning && first > 0 && t.since(first) >= uint64(t.clock.frames(t.opt.ReturnWithin)) {
		o.returning = false
		t.change(seg.ObjectLost, o)
	}
}

// formerPlace is the question whether an object that was saved is where it was.
func (t *Tracker) formerPlace(o *object) (seg.Prompt, bool) {
	if o.track.Bounds().Empty() {
		return seg.Prompt{}, false
	}
	return seg.Prompt{Mask: t.tuning.Shape.Prompt(&o.track.Track), Single: true}, true
}
