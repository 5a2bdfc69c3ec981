package tracker

import (
	"image"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// Cues are what speaks for and against an object, as a set: see Options.Without.
type Cues uint16

// The cues; docs/tracking.md says what each is worth.
const (
	CueModel    Cues = 1 << iota // the decoder's answer
	CueFeatures                  // what the encoder saw
	CueColours                   // the pixels' colours
	CueMotion                    // whether a place moves with the object or with the scene
	CueCover                     // what lies in front of an object: another one, or what rests with the scene
	CueSnap                      // colours draw the edge of what is shown
	CueSize                      // how large the motion leads to expect the object
	CueCrop                      // keyframes that show only the objects and what is around them
	CueLocal                     // parts of an object that move their own way
)

// The weights of the cues, in log odds, and the bounds of each.
const (
	priorWeight, priorClip     = 0.8, 6
	priorRadius                = 4 // pixels by which the warped edge may be off
	growth                     = 16
	modelWeight, modelClip     = 1.1, 6
	modelCrowded               = 0.5
	featureWeight, featureClip = 1.2, 2
	colourWeight, colourClip   = 0.7, 3
	voteWeight, voteClip       = 1, 3
	voteContrast               = 1.5 // between inside and outside at which votes count in full
	otherWeight                = 4   // against a place where another object is
)

func (t *Tracker) uses(c Cues) bool { return t.opt.Without&c == 0 }

// evidence is all that speaks about an object in a keyframe.
type evidence struct {
	seq   uint64
	e     *motion.Entry
	prior *track      // the object's past, carried there; nil without one
	model *seg.Logits // the model's answer
	sight *sight      // nil without features
	body  float64     // the object's expected size from here on, cells; 0 where nothing leads to one
}

// fuse makes one patch of the evidence: where the object was, what the model says, what looks like the object rather than like its
// surroundings, and what moves with it rather than with the scene, as a sum of log odds.
func (t *Tracker) fuse(o *object, ev *evidence) *patch {
	w, h := ev.e.Gray.W, ev.e.Gray.H
	r, said := coreOf(ev.model, w, h)
	if ev.prior != nil {
		r = r.Union(ev.prior.bounds().Inset(-growth))
	}
	u := &t.sum
	u.reset(w, h, r)
	if t.uses(CueModel) {
		u.addMap(ev.model, t.trustInModel(o, ev), modelClip)
	}
	if ev.prior != nil {
		u.addPrior(ev.prior, priorRadius, priorWeight, priorClip)
		t.addVotes(u, o, ev)
	}
	if ev.sight != nil && o.likeIn(ev.sight).frames > 0 {
		u.addMap(o.likeIn(ev.sight).odds(ev.sight, u.box()), featureWeight, featureClip)
	}
	if o.paint.ready && t.uses(CueColours) {
		u.addColours(&o.paint, ev.e.BGR, colourWeight, colourClip)
	}
	for _, q := range t.objects {
		if q == o || q.track == nil || !q.state.Visible() || !t.uses(CueCover) {
			continue
		}
		there, ok := q.track.at(ev.seq)
		switch {
		case !ok:
		case o.cover == q && ev.prior != nil:
			u.leave(&there, ev.prior)
		case q.cover == o && ev.prior != nil:
			u.exclude(&there, ev.prior, otherWeight)
		default:
			u.exclude(&there, nil, otherWeight)
		}
	}
	if ev.prior != nil && o.body > 0 && t.uses(CueSize) {
		ev.body = o.bodyAt(ev.prior)
		n := float64(u.limit(int(ev.body)))
		if n > ev.body {
			n = max(ev.body, min(n, float64(said)))
		}
		ev.body += bodyRate(n/ev.body) * (min(n, mostSwell*ev.body) - ev.body)
	}
	return u.patch()
}

// trustInModel is the weight of the decoder's answer. Where another object is near, the answer may be about that one.
func (t *Tracker) trustInModel(o *object, ev *evidence) float32 {
	if ev.prior == nil {
		return modelWeight
	}
	r := ev.prior.bounds()
	for _, q := range t.objects {
		if q == o || q.track == nil || !q.state.Visible() {
			continue
		}
		if there, ok := q.track.at(ev.seq); ok && there.bounds().Overlaps(r) {
			return modelCrowded
		}
	}
	return modelWeight
}

// What was not part of an object a moment ago seldom becomes so, and a mask that spills over does it a little at a time. So a mask is no larger
// than the motion leads to expect: of what speaks for more, the surest counts. The expected size grows slowly, where all the evidence and the model's
// answer alone both say so, and by no more than mostSwell at once; it falls more slowly still, since most that shrinks is hidden and comes back.
const (
	bodyUp, bodyDown = 0.06, 0.01 // a keyframe
	mostSwell        = 1.5
)

func bodyRate(ratio float64) float64 {
	if ratio > 1 {
		return bodyUp
	}
	return bodyDown
}

// bodyAt is the size that an object is expected to have where its track is.
func (o *object) bodyAt(tr *track) float64 {
	s := tr.back.Scale()
	return o.body / max(s*s, 1e-3)
}

// addVotes adds the motion votes of the vectors that led to the keyframe, as far as they tell the object from what is around it: on water, the
// ground itself moves with a swan.
func (t *Tracker) addVotes(u *unary, o *object, ev *evidence) {
	before, ok := t.before(o, ev.seq)
	if !ok || !t.uses(CueMotion) {
		return
	}
	t.follow(&before, ev.e, true, nil, t.paintOf(o))
	if before.seen.Inliers < 0.3 {
		return
	}
	l := t.votes(ev.e, before.seen.Affine)
	if l == nil {
		return
	}
	in, out := contrast(l, ev.prior, u.r)
	shift(l, float32(min(max((in+out)/2, 0), 1)))
	u.addMap(l, voteWeight*float32(min(max((in-out)/voteContrast, 0), 1)), voteClip)
}

// contrast is the mean of a map inside and outside a prior, within r.
func contrast(l *seg.Logits, prior *track, r image.Rectangle) (in, out float64) {
	m := likenessMap{l}
	w, h := float64(prior.patch.w), float64(prior.patch.h)
	var n [2]float64
	for i, v := range l.Data {
		x, y := m.middle(i)
		x, y = x*w-0.5, y*h-0.5
		if !(image.Point{X: int(x), Y: int(y)}).In(r) {
			continue
		}
		if prior.value(x, y) > 0 {
			in += float64(v)
			n[1]++
		} else {
			out += float64(v)
			n[0]++
		}
	}
	return in / max(n[1], 1), out / max(n[0], 1)
}

func shift(l *seg.Logits, d float32) {
	for i := range l.Data {
		l.Data[i] -= d
	}
}

// before is an object's track in the frame before seq.
func (t *Tracker) before(o *object, seq uint64) (track, bool) {
	i, exact := t.scene.Find(seq)
	if !exact || i == 0 {
		return track{}, false
	}
	return o.track.at(t.scene.At(i - 1).Seq)
}

// coreOf is the rectangle of a grid of w×h cells where a model's answer is positive, with a margin, and the number of such cells.
func coreOf(l *seg.Logits, w, h int) (image.Rectangle, int) {
	m := l.Cut(w, h, seg.Threshold)
	if m.Rect.Empty() {
		return m.Rect, 0
	}
	return m.Rect.Inset(-patchMargin).Intersect(image.Rect(0, 0, w, h)), m.Count()
}

// learn remembers what the object looks like in a keyframe.
func (t *Tracker) learn(o *object, p *patch, ev *evidence) {
	m, steps := newTrack(p, ev.seq).mask(t.steps)
	t.steps = steps
	if ev.sight != nil {
		o.likeIn(ev.sight).learn(ev.sight, t.spreadOf(ev.sight), covers(ev.sight, m))
	}
	r := m.Rect
	g := max(8, (r.Dx()+r.Dy())/4)
	o.paint.learn(ev.e.BGR, p.w, p, r.Inset(-g).Intersect(image.Rect(0, 0, p.w, p.h)))
}

// What is shown has its edge drawn by the colours; the patch, which comes from maps a few pixels a cell, says where to look.
const (
	snapRadius, snapPrior = 1, 1
	snapColour            = 1
	snapMargin            = 4
	snapPixels            = 40000 // of the working grid in a frame, at most, over all objects
)

// snapped is the mask in the newest frame, its edge drawn to the colours where there is time for it.
func (t *Tracker) snapped(o *object) *seg.Mask {
	e := t.scene.Last()
	r := o.track.bounds().Inset(-snapMargin)
	n := r.Dx() * r.Dy()
	if !o.paint.ready || !t.uses(CueSnap) || t.snapLeft < n {
		var m *seg.Mask
		m, t.steps = o.track.mask(t.steps)
		return m
	}
	t.snapLeft -= n
	u := &t.sum
	u.reset(e.Gray.W, e.Gray.H, r)
	u.addPrior(o.track, snapRadius, snapPrior, priorClip)
	u.addColours(&o.paint, e.BGR, snapColour, colourClip)
	return u.mask()
}
