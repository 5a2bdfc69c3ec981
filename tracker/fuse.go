package tracker

import (
	"image"

	"github.com/segedge/segedge/seg"
)

// Tune is for experiments.
var Tune = map[string]float64{
	"wp": 0.8, "P": 6, "wm": 0.5, "M": 6, "wf": 1.5, "Fc": 2, "wc": 0.7, "C": 3, "sig": 4, "grow": 16, "miniou": 1, "bias": 0,
	"likekeep": 0.9, "la": 0.5, "ridge": 0.02, "clicks": 1, "wx": 4, "smooth": 0, "wv": 1, "vd": 1.5, "vs": 1, "fs": 0, "pa": 4, "mean": 0.2, "skip": 4,
}

// evidence is all that speaks about an object in a keyframe.
type evidence struct {
	seq   uint64
	e     *entry
	prior *track      // the object's past, carried there; nil without one
	model *seg.Logits // the model's answer
	sight *sight      // nil without features
}

// fuse makes one patch of the evidence: where the object was, what the model says, and what looks like the object rather than like its
// surroundings, as a sum of log odds.
func (t *Tracker) fuse(o *object, ev *evidence) *patch {
	w, h := ev.e.gray.W, ev.e.gray.H
	r := coreOf(ev.model, w, h)
	if ev.prior != nil {
		r = r.Union(ev.prior.bounds().Inset(-int(Tune["grow"])))
	}
	u := &t.sum
	u.reset(w, h, r)
	u.addMap(ev.model, float32(Tune["wm"]), float32(Tune["M"]))
	if ev.prior != nil {
		u.addPrior(ev.prior, int(Tune["sig"]), float32(Tune["wp"]), float32(Tune["P"]))
	}
	if ev.prior != nil && Tune["wv"] > 0 {
		if before, ok := t.before(o, ev.seq); ok {
			t.pairs = before.follow(ev.e, true, nil, t.pairs)
			if before.seen.inliers > 0.3 {
				if l := t.votes(ev.e, before.seen.m); l != nil {
					in, out := contrast(l, ev.prior, u.r)
					k := min(max((in-out)/Tune["vd"], 0), 1)
					if Tune["vd"] == 0 {
						k = 1
					}
					shift(l, float32(Tune["vs"]*min(max((in+out)/2, 0), 1)))
					u.addMap(l, float32(k*Tune["wv"]), 3)
				}
			}
		}
	}
	if ev.sight != nil && o.like.frames > 0 {
		l := o.like.odds(ev.sight)
		if ev.prior != nil && Tune["fs"] > 0 {
			in, out := contrast(l, ev.prior, u.r)
			shift(l, float32(Tune["fs"]*(in+out)/2))
		}
		u.addMap(l, float32(Tune["wf"]), float32(Tune["Fc"]))
	}
	if o.paint.ready {
		u.addColours(&o.paint, ev.e.bgr, float32(Tune["wc"]), float32(Tune["C"]))
	}
	for _, q := range t.objects {
		if q != o && q.track != nil && q.state.Visible() && q.cover != o {
			if there, ok := q.track.at(ev.seq); ok {
				u.exclude(&there, float32(Tune["wx"]))
			}
		}
	}
	return u.patch()
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
		if prior.patch.at(prior.back.at(x, y)) > 0 {
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
	i, exact := t.past.find(seq)
	if !exact || i == 0 {
		return track{}, false
	}
	return o.track.at(t.past.at(i - 1).seq)
}

// coreOf is the rectangle of a grid of w×h cells where a model's answer is positive, with a margin.
func coreOf(l *seg.Logits, w, h int) image.Rectangle {
	m := l.Cut(w, h, seg.Threshold)
	if m.Rect.Empty() {
		return m.Rect
	}
	return m.Rect.Inset(-patchMargin).Intersect(image.Rect(0, 0, w, h))
}

// learn remembers what the object looks like in a keyframe.
func (t *Tracker) learn(o *object, p *patch, ev *evidence) {
	m, steps := newTrack(p, ev.seq).mask(t.steps)
	t.steps = steps
	if ev.sight != nil {
		o.like.learn(ev.sight, &t.spread, covers(ev.sight, m))
	}
	r := m.Rect
	g := max(8, (r.Dx()+r.Dy())/4)
	o.paint.learn(ev.e.bgr, p.w, p, r.Inset(-g).Intersect(image.Rect(0, 0, p.w, p.h)))
}
