package tracker

import (
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/shape"
)

// readout makes masks of tracks. Its memory is kept between frames.
type readout struct {
	cut  shape.Readout
	sum  shape.Sum
	left int // pixels whose edges may still be refined in this frame
}

// mask is an object's mask in the newest frame, nil while there is none to believe.
func (t *Tracker) mask(o *object) *seg.Mask {
	switch {
	case o.state == seg.Ended:
		return o.mask // the last one
	case o.track == nil || o.state == seg.Lost || o.state == seg.Tentative || t.scene.Len() == 0:
		return nil
	}
	if o.mask == nil {
		o.mask = t.refined(o)
		if o.cover != nil && o.cover.track != nil {
			o.mask = o.cover.track.CutFrom(o.mask)
		}
	}
	return o.mask
}

// refined is the mask of an object's track, its edge drawn to the colours where there is time for it: the patch, which comes from maps a
// few pixels a cell, says where to look.
func (t *Tracker) refined(o *object) *seg.Mask {
	k, d := t.tuning, &t.readout
	r := o.track.Bounds()
	n := r.Dx() * r.Dy()
	if !o.Colours.Ready() || !t.uses(CueSnap) || d.left < n {
		return d.cut.Mask(&o.track.Track)
	}
	d.left -= n
	e := t.scene.Last()
	d.sum.Reset(e.Gray.W, e.Gray.H, r)
	d.sum.AddPrior(&o.track.Track, k.SnapRadius, 1, float32(k.MaskClip))
	o.Colours.AddTo(&d.sum, e, 1, float32(k.Look.ColourClip))
	return d.sum.Mask()
}

// uncovered is the mask of a patch on frame seq, less what the object's cover hides.
func (t *Tracker) uncovered(o *object, p *shape.Patch, seq uint64) *seg.Mask {
	alone := shape.NewTrack(p, seq)
	m := t.readout.cut.Mask(&alone)
	if o.cover != nil && o.cover.track != nil {
		if there, ok := o.cover.track.In(seq); ok {
			return there.CutFrom(m)
		}
	}
	return m
}

// snapshot is the object as the world sees it in the newest frame.
func (t *Tracker) snapshot(o *object) seg.Object {
	s := seg.Object{
		ID: o.id, Name: o.name, State: o.state, Mask: t.mask(o), PredictedIoU: o.iou, Stability: o.stab,
		Keyframe: o.key, Age: int(t.since(o.born)),
	}
	if n := len(o.anchors); n > 0 {
		s.Prompt = o.anchors[n-1].words
	}
	if o.key > 0 {
		s.MaskAge = int(t.since(o.key))
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
