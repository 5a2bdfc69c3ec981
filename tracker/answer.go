package tracker

import (
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// Answer is the model's answer to a query. Err is set where the model failed for it.
type Answer struct {
	ID         seg.ID
	Prompt     seg.Prompt // the query's
	Prediction seg.Prediction
	Err        error

	Believed bool // set by Tracker.Answer: the object's mask has been made of it
}

// Answer takes the model's answers for frame seq, carries each to the present by the motion recorded since, and accepts it or not.
func (t *Tracker) Answer(seq uint64, as []Answer) {
	t.budget.note(t.Newest())
	if len(as) == 0 || !t.prompted(as) {
		t.budget.pay(seq, t.Newest())
	}
	at, exact := t.scene.Find(seq)
	for i := range as {
		o := t.objects.find(as[i].ID)
		switch {
		case o == nil:
		case as[i].Err != nil:
			o.retract()
		case !exact: // so late that it says nothing of the present: it is asked again
		default:
			t.answer(o, &as[i], &evidence{seq: seq, at: at, e: t.scene.At(at), view: t.looks.At(seq)})
		}
	}
	t.objects.sweep()
}

// prompted says whether all that is answered is a person's prompts, which cost no budget.
func (t *Tracker) prompted(as []Answer) bool {
	return !slices.ContainsFunc(as, func(a Answer) bool {
		o := t.objects.find(a.ID)
		return o == nil || !o.asked
	})
}

func (t *Tracker) answer(o *object, a *Answer, ev *evidence) {
	if o.given {
		t.take(o, ev, a)
		return
	}
	best := a.Prediction.Best()
	if best == nil || best.Logits == nil || !best.Logits.Finite() {
		t.refuse(o)
		return
	}
	w, h := ev.e.Gray.W, ev.e.Gray.H
	if a.Prompt.Mask == nil && !o.asked && o.track != nil {
		best = t.likeliest(o, &a.Prediction, w, h)
	}
	ev.model = best.Logits
	first := o.asked || o.track == nil
	if !first && (o.state.Visible() || o.coasting && o.emerged == ev.seq) {
		if m, ok := t.trackAt(o, ev.seq); ok {
			ev.prior = &m
		}
	}
	if ev.prior != nil && (t.passing(o, ev.seq) || o.track.resting > t.opt.Tuning.Most) {
		o.key = ev.seq // whose answer this is, motion alone can tell
		return
	}
	var p *shape.Patch
	if first {
		p = t.opt.Tuning.Shape.PatchOf(best.Logits, w, h) // a person's word is not outvoted
	} else {
		p = t.fuse(o, ev)
		if ev.prior == nil {
			p = t.asItWas(o, p, ev)
		}
	}
	if !t.believable(o, p, ev, best) {
		t.refuse(o)
		return
	}
	if first {
		o.candidates, o.offered, o.offeredAt = t.candidates(&a.Prediction, w, h), ev.seq, p.Middle()
	} else {
		t.rebase(o, ev.seq)
	}
	t.adopt(o, p, ev, best)
	t.accept(o)
	a.Believed = true
}

// likeliest is the answer whose size is nearest to the one expected, among those that the model believes nearly as much.
func (t *Tracker) likeliest(o *object, a *seg.Prediction, w, h int) *seg.Candidate {
	best, most := a.Best(), math.Inf(-1)
	for i := range a.Candidates {
		c := &a.Candidates[i]
		if c.Logits == nil || !c.Logits.Finite() {
			continue
		}
		n := float64(c.Logits.Cut(w, h, seg.Threshold).Count())
		if score := c.PredictedIoU - t.opt.Tuning.SizeOdds*math.Abs(math.Log2(max(n, 1)/max(o.size, 1))); score > most {
			best, most = c, score
		}
	}
	return best
}

// candidates are the other valid answers to an ambiguous prompt.
func (t *Tracker) candidates(a *seg.Prediction, w, h int) []candidate {
	if !a.Ambiguous {
		return nil
	}
	var out []candidate
	for _, c := range a.Candidates[1:] {
		if c.Logits != nil && c.Logits.Finite() {
			out = append(out, candidate{t.opt.Tuning.Shape.PatchOf(c.Logits, w, h), motion.Identity, c.PredictedIoU, c.Stability})
		}
	}
	return out
}

// rebase ties the candidates of an object, whose mask is about to be replaced by a newer one of frame seq, to that frame.
func (t *Tracker) rebase(o *object, seq uint64) {
	if len(o.candidates) == 0 {
		return
	}
	m, ok := t.trackAt(o, seq)
	if !ok {
		t.withdraw(o)
		return
	}
	o.candidates = slices.Clone(o.candidates) // undo may keep the old ones
	for i := range o.candidates {
		o.candidates[i].offset = o.candidates[i].offset.After(m.Back.Affine)
	}
}

// take learns from a mask that a person gave: it needs no answer to be believed.
func (t *Tracker) take(o *object, ev *evidence, a *Answer) {
	m, ok := t.trackAt(o, ev.seq)
	if !ok {
		return
	}
	p := m.Resampled()
	if p.Area() == 0 {
		t.refuse(o)
		return
	}
	o.given, o.vouched, o.area, o.size = false, true, float64(p.Area()), float64(p.Area())
	t.learn(o, p, ev)
	t.hold(o, p, ev)
	o.key, o.iou, o.stab = ev.seq, 1, 1
	if best := a.Prediction.Best(); best != nil {
		o.iou, o.stab = best.PredictedIoU, best.Stability
		a.Believed = true
	}
	t.accept(o)
}

// believable says whether a mask can be the object's. It learns what is usual of one that can, and keeps as a rival what only looks like a
// lost one.
func (t *Tracker) believable(o *object, p *shape.Patch, ev *evidence, best *seg.Candidate) bool {
	k := t.opt.Tuning
	area := p.Area()
	n := float64(area)
	if area < LeastCells {
		return false
	}
	if o.track == nil || o.asked {
		return true
	}
	if most := t.opt.MaxArea * float64(p.W*p.H); n > most && o.area <= most {
		return false // unless it is so large because a person asked for it
	}
	most, least := k.MostGrowth, k.LeastPart
	if o.away { // another view may show it from nearer, or from further away
		most, least = most*most, least*least
	}
	if ratio := n / max(o.area, 1); ratio > most && n > o.size || ratio < least {
		return false
	}
	if t.mistaken(o, p, ev) {
		return false
	}
	if ev.prior == nil || !o.state.Visible() {
		return t.recognised(o, p, ev) && !t.rival(o, p, ev.seq)
	}
	return t.familiar(o, p, ev, best)
}

// mistaken says whether what was answered has the colours of another object rather than this one's. Where things pass each other a mask may
// go on with the wrong one, and learns that one's looks then; what each was before tells them apart.
func (t *Tracker) mistaken(o *object, p *shape.Patch, ev *evidence) bool {
	k := t.opt.Tuning
	if len(t.objects) == 1 || !o.Colours.Ready() {
		return false
	}
	cover, covered := shape.Track{}, false
	if o.cover != nil && o.cover.track != nil {
		cover, covered = o.cover.track.In(ev.seq)
	}
	t.fusion.seen = look.Sample(t.fusion.seen[:0], ev.e, p, func(x, y int) bool { return covered && cover.Value(float64(x), float64(y)) > 0 })
	return slices.ContainsFunc(t.objects, func(q *object) bool {
		return q != o && o.Colours.Rather(&q.Colours, t.fusion.seen, k.Look.ColourClip) > k.Mistaken
	})
}

// familiar takes what a mask of a visible object looks like for usual, and believes it: where features are known, what was fused is held to
// the object by them. Where they are not, the model must believe in its answer itself.
func (t *Tracker) familiar(o *object, p *shape.Patch, ev *evidence, best *seg.Candidate) bool {
	l := o.known(ev)
	if l == nil {
		return best.PredictedIoU >= t.opt.MinIoU
	}
	// One too thin to cover the middle of a cell has no likeness.
	if mean, ok := t.looks.Resemblance(l, ev.view, t.readout.uncovered(o, p, ev.seq)); ok {
		if l.Usual == 0 {
			l.Usual = mean
		}
		l.Usual += t.opt.Tuning.UsualRate * (mean - l.Usual)
	}
	return true
}

// adopt makes a patch on the evidence's frame the object's mask and carries it to the present.
func (t *Tracker) adopt(o *object, p *shape.Patch, ev *evidence, best *seg.Candidate) {
	n := float64(p.Area())
	if o.track == nil || o.asked {
		o.area = n
	} else {
		o.area += t.opt.Tuning.UsualRate * (n - o.area)
	}
	if o.asked || o.track == nil {
		o.reply = reply{ev.seq, p}
	}
	if o.asked {
		o.size, o.vouched = 0, false
		o.Forget()
	}
	if !o.shared(p, ev.seq) {
		t.learn(o, p, ev)
	}
	if o.asked || ev.prior == nil || o.past.empty() {
		t.hold(o, p, ev)
	} else {
		o.past.note(p, ev.seq, t.opt.Tuning.Fresh)
		if ev.rests {
			o.still = t.opt.Tuning.referenceOf(p, ev.e)
		}
	}
	m := newTrack(p, ev.seq)
	if ev.prior != nil {
		m.pace = o.track.pace
	}
	t.present(o, m, ev.at)
	if ev.size > 0 {
		o.size = ev.size
	} else {
		o.size = max(o.size, n) // it may come back in parts
	}
	o.track, o.mask, o.key, o.iou, o.stab = m, nil, ev.seq, best.PredictedIoU, best.Stability
	o.base = t.colourShare(o, p, ev)
}

// hold begins anew what an object is held to while nothing moves: a mask that is not its own word, a person's or what was found.
func (t *Tracker) hold(o *object, p *shape.Patch, ev *evidence) {
	o.past, o.still = pastOf(p, ev.seq), t.opt.Tuning.referenceOf(p, ev.e)
	o.picture = t.scene.glimpses.of(ev.e)
}

// shared says whether the object's cover overlaps a patch: what it looks like then is not worth learning.
func (o *object) shared(p *shape.Patch, seq uint64) bool {
	if o.track == nil || o.cover == nil {
		return false
	}
	there, ok := o.cover.in(seq)
	return ok && there.Bounds().Overlaps(p.Rect)
}

// accept moves the object's state on after an answer that was believed.
func (t *Tracker) accept(o *object) {
	was, asked := o.state, o.asked
	o.answered()
	o.coasting, o.returning, o.away, o.misses, o.doubts, o.rivals = false, false, false, 0, 0, nil
	o.become(seg.Tracking, t.Newest())
	switch {
	case o.shown == nil:
		t.paint(o)
		t.change(seg.ObjectNew, o)
	case was == seg.Lost || was == seg.Occluded:
		t.change(seg.ObjectRecovered, o)
	}
	if asked && len(o.candidates) > 0 {
		t.change(seg.ObjectAmbiguous, o)
	}
}

// refuse deals with an answer that was not believed: a first one ends the object, one to what a person said takes that back, others make
// the object doubtful.
func (t *Tracker) refuse(o *object) {
	o.retract()
	o.answered()
	if o.state == seg.Tentative {
		t.end(o)
		return
	}
	if o.state.Visible() && !(o.vouched && o.misses == 0) {
		if o.doubts++; o.doubts == 1 {
			o.doubted = t.Newest()
		}
	}
}
