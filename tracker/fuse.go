package tracker

import (
	"image"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/shape"
)

// fuse makes one patch of the evidence: where the object was, what the model says, what looks like the object rather than like its
// surroundings, and what moves with it rather than with the scene, as a sum of log-odds.
func (t *Tracker) fuse(o *object, ev *evidence) *shape.Patch {
	k := t.opt.Tuning
	w, h := ev.e.Gray.W, ev.e.Gray.H
	r, claimed := k.core(ev.model, w, h)
	if ev.prior != nil {
		r = r.Union(ev.prior.Bounds().Inset(-k.Growth))
	}
	s := &t.fusion.sum
	s.Reset(w, h, r)
	if t.uses(CueModel) {
		s.AddMap(ev.model, float32(t.trustInModel(o, ev)), float32(k.MaskClip))
	}
	if ev.prior != nil {
		s.AddPrior(&ev.prior.Track, k.PriorRadius, float32(k.trustInPrior(ev.prior)), float32(k.MaskClip))
		t.addVotes(s, o, ev)
		ev.rests = !o.still.addTo(s, k, ev.e, &t.fusion.same) && o.past.addTo(s, k, t.scene.Scene, ev.at)
	}
	if l := o.known(ev); l != nil {
		s.AddMap(t.looks.Read(l, ev.view, s.Box()).Logits, float32(k.FeatureWeight), float32(k.FeatureClip))
	}
	if o.Colours.Ready() && t.uses(CueColours) {
		o.Colours.AddTo(s, ev.e, float32(k.ColourWeight), float32(k.Look.ColourClip))
	}
	if t.uses(CueCover) {
		t.addOthers(s, o, ev)
	}
	if ev.prior != nil && o.size > 0 && t.uses(CueSize) {
		ev.size = t.limited(s, o.sizeAt(ev.prior), float64(claimed))
	}
	return k.Shape.Patch(s)
}

// trustInModel is the weight of the decoder's answer. Where another object is near, the answer may be about that one.
func (t *Tracker) trustInModel(o *object, ev *evidence) float64 {
	if ev.prior == nil {
		return t.opt.Tuning.ModelWeight
	}
	r := ev.prior.Bounds()
	for _, there := range t.objects.others(o, ev.seq) {
		if there.Bounds().Overlaps(r) {
			return t.opt.Tuning.CrowdedWeight
		}
	}
	return t.opt.Tuning.ModelWeight
}

// trustInPrior is the weight of the warped mask: by the share of its vectors that its motion explains, but for what stands in for a motion
// that is not known.
func (k *Tuning) trustInPrior(m *track) float64 {
	return k.PriorWeight * max(m.last.Inliers, k.LeastInliers)
}

// addOthers takes weight from where other objects are. What hides the object leaves it there as it was believed.
func (t *Tracker) addOthers(s *shape.Sum, o *object, ev *evidence) {
	weight := float32(t.opt.Tuning.OtherWeight)
	for q, there := range t.objects.others(o, ev.seq) {
		switch {
		case o.cover == q && ev.prior != nil:
			s.Keep(&there.Track, &ev.prior.Track)
		case q.cover == o && ev.prior != nil:
			s.Exclude(&there.Track, &ev.prior.Track, weight)
		default:
			s.Exclude(&there.Track, nil, weight)
		}
	}
}

// limited holds a sum to the size that the motion leads to expect, and returns the size to expect from here on. What was not part of an
// object a moment ago seldom becomes so, and a mask that spills over does it a little at a time: so of what speaks for more, the surest
// counts. The expected size grows slowly, where all the evidence and the model's answer alone, of so many cells, both say so.
func (t *Tracker) limited(s *shape.Sum, expected, claimed float64) float64 {
	k := t.opt.Tuning
	n := float64(s.Limit(int(expected)))
	if n > expected {
		n = max(expected, min(n, claimed))
	}
	rate := k.SizeDown
	if n/expected > 1 {
		rate = k.SizeUp
	}
	return expected + rate*(n-expected)
}

// addVotes adds the motion votes of the vectors that led to the keyframe, as far as they tell the object from what is around it: on water,
// the ground itself moves with a swan.
func (t *Tracker) addVotes(s *shape.Sum, o *object, ev *evidence) {
	k := t.opt.Tuning
	before, ok := t.before(o, ev.seq)
	if !ok || !t.uses(CueMotion) {
		return
	}
	t.fitter.follow(&before, ev.e, true, nil, t.restColours(o))
	if before.last.Inliers == 0 {
		return
	}
	l := t.fusion.votes.cast(k, ev.e, before.last.Affine)
	if l == nil {
		return
	}
	in, out := contrast(l, &ev.prior.Track, s.Rect())
	bias := float32(min(max((in+out)/2, 0), 1))
	for i := range l.Data {
		l.Data[i] -= bias
	}
	s.AddMap(l, float32(min(max((in-out)/k.VoteContrast, 0), 1)), float32(k.Look.ColourClip))
}

// core is the rectangle of a grid of w×h cells where a model's answer is positive, with a margin, and the number of such cells.
func (k *Tuning) core(l *seg.Logits, w, h int) (image.Rectangle, int) {
	m := l.Cut(w, h, seg.Threshold)
	if m.Rect.Empty() {
		return m.Rect, 0
	}
	return m.Rect.Inset(-k.Shape.Margin).Intersect(image.Rect(0, 0, w, h)), m.Count()
}

// learn remembers what the object looks like in a keyframe, inside a patch and around it.
func (t *Tracker) learn(o *object, p *shape.Patch, ev *evidence) {
	alone := shape.NewTrack(p, ev.seq)
	m := t.readout.cut.Mask(&alone)
	if ev.view != nil {
		t.looks.Learn(o.In(ev.view), ev.view, m)
	}
	margin := int(t.opt.Tuning.Margin * float64(m.Rect.Dx()+m.Rect.Dy()))
	o.Colours.Learn(&t.opt.Tuning.Look, ev.e, p, m.Rect.Inset(-margin).Intersect(image.Rect(0, 0, p.W, p.H)))
}
