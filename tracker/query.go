package tracker

import (
	"image"

	"github.com/segedge/segedge/seg"
)

// Query appends what to ask the model about frame seq: for each object named, or for ids nil each that wants the model's opinion, its prompt
// carried to that frame. An object without a mask sends what a person said; one with a mask sends the mask, warped to that frame, and the
// clicks that can be trusted there; one that is hidden or lost sends the place in that frame that looks most like it. Objects that have
// nothing to ask there are left out.
func (t *Tracker) Query(seq uint64, ids []seg.ID, dst []Query) []Query {
	if ids == nil {
		for _, o := range t.objects {
			dst = t.queryRoutine(o, seq, dst)
		}
		return dst
	}
	for _, id := range ids {
		if o := t.find(id); o != nil {
			dst = t.query(o, seq, dst)
		}
	}
	return dst
}

// QueryPart is Query of objects that want the model's opinion of frame seq and were not queried about it yet, of at most n of them: building many
// questions, and taking as many answers, would keep the next frame waiting. It appends nothing when none is left.
func (t *Tracker) QueryPart(seq uint64, n int, dst []Query) []Query {
	n += len(dst)
	for _, o := range t.objects {
		if len(dst) == n {
			break
		}
		if o.queried < seq {
			o.queried = seq
			dst = t.queryRoutine(o, seq, dst)
		}
	}
	return dst
}

// queryRoutine appends what to ask about an object in a keyframe that nobody asked for, if it has not been answered about it.
func (t *Tracker) queryRoutine(o *object, seq uint64, dst []Query) []Query {
	if !o.asked && o.state.Visible() && seq == t.cropper.aside {
		return dst // a crop tells more
	}
	if !o.asked && o.key >= seq {
		return dst // it was answered about this frame, or a newer one
	}
	return t.query(o, seq, dst)
}

// Mask prompts are sent on a grid of at most queryGrid cells on the longer side, over the object and queryMargin pixels around it.
const queryGrid, queryMargin = 96, 8

// mold is the track as a mask prompt: where it is in the present frame, and nothing of the rest.
func (t *track) mold() *seg.Logits {
	r := t.bounds().Inset(-queryMargin).Intersect(image.Rect(0, 0, t.patch.w, t.patch.h))
	if r.Empty() {
		r = image.Rect(0, 0, t.patch.w, t.patch.h)
	}
	cell := max(1, float64(max(r.Dx(), r.Dy()))/queryGrid)
	w, h := max(1, int(float64(r.Dx())/cell)), max(1, int(float64(r.Dy())/cell))
	fw, fh := float64(t.patch.w), float64(t.patch.h)
	return t.logits(w, h, seg.Point{X: float64(r.Min.X) / fw, Y: float64(r.Min.Y) / fh}, seg.Point{X: float64(r.Dx()) / fw, Y: float64(r.Dy()) / fh})
}

func (t *Tracker) query(o *object, seq uint64, dst []Query) []Query {
	p, ok := t.anchored(o, seq)
	if !o.asked {
		o.other = !o.other
	}
	expected := o.other && t.emerging(o, seq)
	switch {
	case o.asked && ok && (o.track == nil || !o.state.Visible()):
		return append(dst, Query{o.id, p})
	case o.track == nil:
		return dst
	case (o.state == seg.Lost || o.state == seg.Occluded) && !expected:
		if p, ok = t.seek(o, seq); ok {
			dst = append(dst, Query{o.id, p})
		}
		return dst
	}
	tr, ok := t.trackAt(o, seq)
	if !ok || tr.bounds().Empty() {
		return dst // forgotten, or out of the picture
	}
	if !o.asked {
		p.Box, p.Text = nil, ""
		p.Clicks = agreeing(p.Clicks, &tr)
	}
	if !o.state.Visible() {
		o.emerged = seq
	}
	if !o.asked && o.other && t.shrunk(o, &tr, seq) {
		return append(dst, Query{o.id, t.anew(&tr)})
	}
	p.Mask, p.Single = tr.mold(), true
	return append(dst, Query{o.id, p})
}

// leastShare is the share of its expected size below which an object that no other may cover has lost parts of itself: a mask prompt of what
// is left would only be answered with what is left.
const leastShare = 0.6

func (t *Tracker) shrunk(o *object, tr *track, seq uint64) bool {
	if o.cover != nil || float64(tr.patch.area()) >= leastShare*o.body { // both in the patch's own frame
		return false
	}
	t.way = t.inTheWay(o, tr, seq, t.way[:0])
	return len(t.way) == 0
}

// anew asks what lies at the heart of what is left.
func (t *Tracker) anew(tr *track) seg.Prompt {
	var m *seg.Mask
	m, t.steps = tr.mask(t.steps)
	return seg.Prompt{Clicks: []seg.Click{{Point: m.Center(), Label: seg.Positive}}}
}

// agreeing is the clicks that the mask bears out: a carried click that it contradicts has lost its place.
func agreeing(clicks []seg.Click, t *track) []seg.Click {
	kept := clicks[:0]
	for _, c := range clicks {
		x, y := c.X*float64(t.patch.w)-0.5, c.Y*float64(t.patch.h)-0.5
		if (t.value(x, y) > 0) == (c.Label == seg.Positive) {
			kept = append(kept, c)
		}
	}
	return kept
}

// trackAt is an object's track at frame seq: where it was then, or, before its mask's own frame, where the motion leads back to.
func (t *Tracker) trackAt(o *object, seq uint64) (track, bool) {
	if tr, ok := o.track.at(seq); ok {
		return tr, true
	}
	first := o.track.trail[0]
	i, there := t.scene.Find(first.seq)
	j, exact := t.scene.Find(seq)
	if !there || !exact || seq > first.seq {
		return track{}, false
	}
	tr := track{patch: o.track.patch, back: first.back, trail: []waypoint{first}}
	for ; i > j; i-- {
		e := t.scene.At(i)
		pairs := t.follow(&tr, e, false, nil, nil)
		tr.advance(t.tuning, tr.seen.Affine, t.localMotion(&tr, e, pairs), t.scene.At(i-1).Seq, t.opt.History)
	}
	return tr, true
}

// leastTrust is the trust below which a carried prompt is not used.
const leastTrust = 0.5

// anchored merges what a person said into one prompt on frame seq, leaving out what the motion cannot carry there. What was carried to a newer
// frame stays there, so that the way is walked once.
func (t *Tracker) anchored(o *object, seq uint64) (p seg.Prompt, ok bool) {
	for i := range o.anchors {
		a := &o.anchors[i]
		q, trust, err := a.prompt, a.trust, error(nil)
		if a.seq != seq && !a.dead {
			if o.track != nil && !o.asked {
				q.Mask, q.Box = nil, nil // the track knows better
			}
			var way float64
			q, way, err = t.Carry(q, a.seq, seq)
			trust *= way
		}
		if err != nil || trust < leastTrust || a.dead {
			a.dead = a.dead || err != nil || seq >= a.seq && !o.asked
			continue
		}
		if seq > a.seq {
			a.prompt, a.seq, a.trust = q, seq, trust
		}
		p = merged(p, q)
	}
	if over := len(p.Clicks) - seg.MaxClicks; over > 0 {
		p.Clicks = p.Clicks[over:]
	}
	return p, p.Validate() == nil
}

// merged is what a person said with what was said later.
func merged(p, later seg.Prompt) seg.Prompt {
	p.Clicks = append(p.Clicks, later.Clicks...)
	if later.Box != nil {
		p.Box = later.Box
	}
	if later.Mask != nil {
		p.Mask = later.Mask
	}
	if later.Text != "" {
		p.Text = later.Text
	}
	p.Single = later.Single
	return p
}
