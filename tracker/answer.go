package tracker

import "github.com/segedge/segedge/seg"

// Query appends what to ask the model about frame seq: for each object named, or for ids nil each that wants the model's opinion, its prompt
// carried to that frame. An object without a mask sends what a person said; one with a mask sends the mask, warped to that frame, and the
// clicks that can be trusted there. Objects that cannot be carried there are left out.
func (t *Tracker) Query(seq uint64, ids []seg.ID, dst []Query) []Query {
	if ids == nil {
		for _, o := range t.objects {
			dst = t.query(o, seq, dst)
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

// queryGrid is the longer side of the mask prompts that are sent, cells.
const queryGrid = 96

func (t *Tracker) query(o *object, seq uint64, dst []Query) []Query {
	p, ok := t.anchored(o, seq)
	if o.track != nil {
		at, exact := t.past.find(seq)
		if !exact {
			return dst
		}
		tr := *o.track
		t.replay(&tr, t.past.n-1, at)
		w, h := tr.patch.w, tr.patch.h
		lw, lh := queryGrid, max(1, queryGrid*h/w)
		if h > w {
			lw, lh = max(1, queryGrid*w/h), queryGrid
		}
		p.Mask, p.Single, ok = tr.logits(lw, lh, seg.Point{X: 1, Y: 1}), true, true
		if !o.asked {
			p.Box = nil
		}
	}
	if !ok {
		return dst
	}
	return append(dst, Query{o.id, p})
}

// anchored merges what a person said into one prompt on frame seq, leaving out what the motion cannot carry there.
func (t *Tracker) anchored(o *object, seq uint64) (p seg.Prompt, ok bool) {
	for _, a := range o.anchors {
		q, trust, err := a.prompt, 1.0, error(nil)
		if a.seq != seq {
			if q, trust, err = t.Carry(a.prompt, a.seq, seq); err != nil || trust < 0.5 {
				continue
			}
		}
		p.Clicks = append(p.Clicks, q.Clicks...)
		if q.Box != nil {
			p.Box = q.Box
		}
		if q.Mask != nil {
			p.Mask = q.Mask
		}
		if q.Text != "" {
			p.Text = q.Text
		}
		p.Single = q.Single
	}
	if over := len(p.Clicks) - seg.MaxClicks; over > 0 {
		p.Clicks = p.Clicks[over:]
	}
	return p, p.Validate() == nil
}

// Answer takes the model's answers for frame seq, carries each to the present by the motion recorded since, and accepts it or not.
func (t *Tracker) Answer(seq uint64, as []Answer) {
	at, exact := t.past.find(seq)
	for i := range as {
		if o := t.find(as[i].ID); o != nil {
			t.answer(o, seq, at, exact, &as[i])
		}
	}
	t.sweepEnded()
}

func (t *Tracker) answer(o *object, seq uint64, at int, exact bool, a *Answer) {
	if a.Err != nil {
		o.failures++
		return
	}
	o.failures = 0
	best := a.Prediction.Best()
	g := t.past.newest()
	if best == nil || !best.Logits.Finite() || g == nil || !exact {
		t.refuse(o)
		return
	}
	p := patchOf(best.Logits, g.gray.W, g.gray.H)
	if n := p.area(); n == 0 || float64(n) > t.opt.MaxArea*float64(p.w*p.h) || (o.track != nil && best.PredictedIoU < t.opt.MinIoU) {
		t.refuse(o)
		return
	}
	tr := newTrack(p)
	t.replay(tr, at, t.past.n-1)
	o.track, o.mask, o.key, o.iou, o.stab = tr, nil, seq, best.PredictedIoU, best.Stability
	o.candidates = nil
	if a.Prediction.Ambiguous {
		for _, c := range a.Prediction.Candidates[1:] {
			if c.Logits.Finite() {
				o.candidates = append(o.candidates, rival{patchOf(c.Logits, p.w, p.h), c.PredictedIoU, c.Stability})
			}
		}
	}
	t.accept(o)
}

// accept moves the object's state on after an answer that was believed.
func (t *Tracker) accept(o *object) {
	was := o.state
	o.state, o.asked, o.misses = seg.Tracking, false, 0
	switch {
	case o.shown == nil:
		t.change(seg.ObjectNew, o)
	case was == seg.Lost || was == seg.Occluded:
		t.change(seg.ObjectRecovered, o)
	}
	if len(o.candidates) > 0 {
		t.change(seg.ObjectAmbiguous, o)
	}
}

// refuse deals with an answer that was not believed: a first one ends the object.
func (t *Tracker) refuse(o *object) {
	o.asked = false
	if o.state == seg.Tentative {
		t.end(o)
	}
}
