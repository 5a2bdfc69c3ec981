package tracker

import (
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/shape"
)

// mask is an object's mask in the newest frame, nil while there is none to believe.
func (t *Tracker) mask(o *object) *seg.Mask {
	switch {
	case o.state == seg.Ended:
		return o.mask // the last one
	case o.track == nil || o.state == seg.Lost || o.state == seg.Tentative || t.scene.Len() == 0:
		return nil
	}
	if o.mask == nil {
		o.mask = t.readout.refined(o, t.opt.Tuning, t.scene.Last())
		if o.cover != nil && o.cover.track != nil {
			o.mask = o.cover.track.CutFrom(o.mask)
		}
	}
	return o.mask
}

// snapshot is the object as the world sees it in the newest frame.
func (t *Tracker) snapshot(o *object) seg.Object {
	s := seg.Object{
		ID: o.id, Name: o.name, Color: o.color, State: o.state, Mask: t.mask(o), PredictedIoU: o.iou, Stability: o.stab,
		Keyframe: o.key, Age: int(t.framesSince(o.born)), Made: o.made, Seen: o.seen,
	}
	if n := len(o.anchors); n > 0 {
		s.Prompt = o.anchors[n-1].words
	}
	if o.key > 0 {
		s.MaskAge = int(t.framesSince(o.key))
	}
	if s.Mask == nil {
		return s
	}
	for _, c := range o.candidates {
		other := shape.Track{Patch: c.patch, Back: o.track.Back.Then(c.offset)}
		s.Candidates = append(s.Candidates, seg.ObjectCandidate{Mask: t.readout.cut.Mask(&other), PredictedIoU: c.iou, Stability: c.stab})
	}
	return s
}

// Objects appends the live objects as of the newest frame, by id. Their masks are immutable and safe to keep.
func (t *Tracker) Objects(dst []seg.Object) []seg.Object {
	for _, o := range t.objects {
		dst = append(dst, t.snapshot(o))
	}
	return dst
}

// Object is a live object as of the newest frame.
func (t *Tracker) Object(id seg.ID) (seg.Object, bool) {
	o := t.objects.find(id)
	if o == nil {
		return seg.Object{}, false
	}
	return t.snapshot(o), true
}
