package tracker

import (
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// Answer takes the model's answers for frame seq, carries each to the present by the motion recorded since, and accepts it or not.
func (t *Tracker) Answer(seq uint64, as []Answer) {
	if len(as) == 0 || !t.prompted(as) {
		t.pay(seq)
	}
	at, exact := t.scene.Find(seq)
	for i := range as {
		o := t.find(as[i].ID)
		switch {
		case o == nil:
		case as[i].Err != nil:
			o.retract()
		case !exact:
			t.refuse(o)
		default:
			t.answer(o, seq, at, &as[i])
		}
	}
	t.sweepEnded()
}

// prompted says whether all that is answered is a person's prompts, which cost no budget.
func (t *Tracker) prompted(as []Answer) bool {
	return !slices.ContainsFunc(as, func(a Answer) bool {
		o := t.find(a.ID)
		return o == nil || !o.asked
	})
}

func (t *Tracker) answer(o *object, seq uint64, at int, a *Answer) {
	ev := &evidence{seq: seq, e: t.scene.At(at), sight: t.sightOf(seq)}
	if o.given {
		t.take(o, ev, a)
		return
	}
	best := a.Prediction.Best()
	if best == nil || best.Logits == nil || !best.Logits.Finite() {
		t.refuse(o)
		return
	}
	if a.Prompt.Mask == nil && !o.asked && o.track != nil {
		best = o.likeliest(&a.Prediction, ev.e.Gray.W, ev.e.Gray.H)
	}
	ev.model = best.Logits
	if o.track != nil && (o.state.Visible() || o.coasting && o.emerged == seq) && !o.asked {
		if tr, ok := t.trackAt(o, seq); ok {
			ev.prior = &tr
		}
	}
	if ev.prior != nil && (t.passing(o, seq) || o.track.resting > restingHalf) {
		o.key = seq // whose answer this is, motion alone can tell
		return
	}
	var p *patch
	if o.asked || o.track == nil {
		p = patchOf(best.Logits, ev.e.Gray.W, ev.e.Gray.H) // a person's word is not outvoted
	} else {
		p = t.fuse(o, ev)
	}
	if !t.believable(o, p, ev, best) {
		t.refuse(o)
		return
	}
	if o.asked || o.track == nil {
		o.candidates, o.offered, o.offeredAt = rivals(&a.Prediction, p.w, p.h), seq, p.rect.Min.Add(p.rect.Max).Div(2)
	} else {
		t.rebase(o, seq)
	}
	t.adopt(o, p, ev, at, best)
	t.accept(o)
}

// likeliest is the answer whose size is nearest to the one expected, among those that the model believes nearly as much.
func (o *object) likeliest(a *seg.Prediction, w, h int) *seg.Candidate {
	best, most := a.Best(), math.Inf(-1)
	for i := range a.Candidates {
		c := &a.Candidates[i]
		if c.Logits == nil || !c.Logits.Finite() {
			continue
		}
		n := float64(c.Logits.Cut(w, h, seg.Threshold).Count())
		if score := c.PredictedIoU - math.Abs(math.Log2(max(n, 1)/max(o.body, 1)))/2; score > most {
			best, most = c, score
		}
	}
	return best
}

// rivals are the other valid answers to an ambiguous prompt.
func rivals(a *seg.Prediction, w, h int) []rival {
	if !a.Ambiguous {
		return nil
	}
	var out []rival
	for _, c := range a.Candidates[1:] {
		if c.Logits != nil && c.Logits.Finite() {
			out = append(out, rival{patchOf(c.Logits, w, h), motion.Identity, c.PredictedIoU, c.Stability})
		}
	}
	return out
}

// The other answers to a prompt are offered for offerFor seconds, and until the object has come offerWay of its sizes from where it was prompted:
// they move with the one that is believed, and say less and less about what is there.
const offerFor, offerWay = 10, 1.0

// expire withdraws an offer whose time is up.
func (t *Tracker) expire(o *object, now uint64) {
	if len(o.candidates) == 0 {
		return
	}
	x, y := o.track.center()
	way := math.Hypot(x-float64(o.offeredAt.X), y-float64(o.offeredAt.Y))
	if !o.state.Visible() || now-min(o.offered, now) > uint64(t.frames(offerFor)) || way > offerWay*math.Sqrt(o.area) {
		t.withdraw(o)
	}
}

// withdraw takes the other answers to a prompt back, and says so.
func (t *Tracker) withdraw(o *object) {
	if len(o.candidates) > 0 {
		o.candidates = nil
		t.change(seg.ObjectUpdated, o)
	}
}

// rebase ties the rivals of an object, whose mask is about to be replaced by a newer one of frame seq, to that frame.
func (t *Tracker) rebase(o *object, seq uint64) {
	if len(o.candidates) == 0 {
		return
	}
	tr, ok := t.trackAt(o, seq)
	if !ok {
		t.withdraw(o)
		return
	}
	o.candidates = slices.Clone(o.candidates) // undo may keep the old ones
	for i := range o.candidates {
		o.candidates[i].base = o.candidates[i].base.After(tr.back.Affine)
	}
}

// take learns from a mask that a person gave: it needs no answer to be believed.
func (t *Tracker) take(o *object, ev *evidence, a *Answer) {
	tr, ok := t.trackAt(o, ev.seq)
	if !ok {
		return
	}
	p := tr.resampled()
	if p.area() == 0 {
		t.refuse(o)
		return
	}
	o.given, o.area, o.body = false, float64(p.area()), float64(p.area())
	t.learn(o, p, ev)
	o.key, o.iou, o.stab = ev.seq, 1, 1
	if best := a.Prediction.Best(); best != nil {
		o.iou, o.stab = best.PredictedIoU, best.Stability
	}
	t.accept(o)
}

// Limits of a believable answer.
const (
	mostGrowth  = 2.5 // area over the usual one
	leastGrowth = 0.25
	leastUsual  = 0.2 // likeness over the usual one
	fewestCells = 6   // on the working grid
)

// believable says whether a mask can be the object's.
func (t *Tracker) believable(o *object, p *patch, ev *evidence, best *seg.Candidate) bool {
	n := float64(p.area())
	if n < fewestCells {
		return false
	}
	if o.track == nil || o.asked {
		return true
	}
	if most := t.opt.MaxArea * float64(p.w*p.h); n > most && o.area <= most {
		return false // unless it is so large because a person asked for it
	}
	if ratio := n / max(o.area, 1); ratio > mostGrowth && n > o.body || ratio < leastGrowth {
		return false
	}
	if ev.prior == nil || !o.state.Visible() {
		return t.recognised(o, p, ev)
	}
	if ev.sight == nil || o.likeIn(ev.sight).frames == 0 {
		return best.PredictedIoU >= t.opt.MinIoU
	}
	mean, ok := resemblance(o, t.uncovered(o, p, ev.seq), ev.sight)
	if !ok {
		return true // too thin to cover the middle of a cell
	}
	l := o.likeIn(ev.sight)
	if l.usual == 0 {
		l.usual = mean
	}
	if mean < leastUsual*l.usual && o.misses > 0 {
		return false // with the motion in order it is only another side of it
	}
	if t.way = t.inTheWay(o, ev.prior, ev.seq, t.way[:0]); len(t.way) > 0 {
		return true // and some of what was seen may be another's
	}
	l.usual += 0.1 * (mean - l.usual)
	return true
}

// adopt makes a patch on frame ev.seq the object's mask and carries it to the present.
func (t *Tracker) adopt(o *object, p *patch, ev *evidence, at int, best *seg.Candidate) {
	n := float64(p.area())
	if o.track == nil || o.asked {
		o.area = n
	} else {
		o.area += 0.2 * (n - o.area)
	}
	if o.asked {
		o.body = 0
		o.forget()
	}
	if !t.shared(o, p, ev.seq) {
		t.learn(o, p, ev)
	}
	tr := newTrack(p, ev.seq)
	if ev.prior != nil {
		tr.pace = o.track.pace
	}
	t.present(o, tr, at)
	if ev.body > 0 {
		o.body = ev.body
	} else {
		o.body = max(o.body, n) // it may come back in parts
	}
	o.track, o.mask, o.key, o.iou, o.stab = tr, nil, ev.seq, best.PredictedIoU, best.Stability
	o.base = t.colourShare(o, p, motion.Still, ev.e)
}

// shared says whether another visible object overlaps a patch: what it looks like then is not worth learning.
func (t *Tracker) shared(o *object, p *patch, seq uint64) bool {
	return slices.ContainsFunc(t.objects, func(q *object) bool {
		if q == o || q.track == nil || !q.state.Visible() {
			return false
		}
		there, ok := q.track.at(seq)
		return ok && there.bounds().Overlaps(p.rect) && o.track != nil && o.cover == q
	})
}

// accept moves the object's state on after an answer that was believed.
func (t *Tracker) accept(o *object) {
	was, now, asked := o.state, t.Newest(), o.asked
	o.answered()
	o.coasting, o.misses, o.doubts, o.found = false, 0, 0, 0
	o.become(seg.Tracking, now)
	switch {
	case o.shown == nil:
		t.change(seg.ObjectNew, o)
	case was == seg.Lost || was == seg.Occluded:
		t.change(seg.ObjectRecovered, o)
	}
	if asked && len(o.candidates) > 0 {
		t.change(seg.ObjectAmbiguous, o)
	}
}

// refuse deals with an answer that was not believed: a first one ends the object, one to what a person said takes that back, others make the
// object doubtful.
func (t *Tracker) refuse(o *object) {
	o.retract()
	o.answered()
	if o.state == seg.Tentative {
		t.end(o)
		return
	}
	if o.state.Visible() {
		o.doubts++
	}
}
