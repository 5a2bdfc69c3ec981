package tracker

import (
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/shape"
)

// Query is what to ask the model about one object in one frame: its prompts, carried to that frame. A model that remembers objects is also
// asked about what is hidden or lost where no place looks like it: the prompt is empty then.
type Query struct {
	ID     seg.ID
	Prompt seg.Prompt
}

// Query appends what to ask the model about frame seq: for each object named, or for ids nil each that wants the model's opinion, its
// prompt carried to that frame. An object without a mask sends what a person said; one with a mask sends the mask, warped to that frame,
// and the clicks that can be trusted there, or, every other time while it is much smaller than expected, a click into what is left; one
// that is hidden or lost sends the place in that frame that looks most like it, or its mask where it is expected to come into sight.
// Objects that have nothing to ask there are left out.
func (t *Tracker) Query(seq uint64, ids []seg.ID, dst []Query) []Query {
	if ids == nil {
		for _, o := range t.objects {
			dst = t.queryRoutine(o, seq, dst)
		}
		return dst
	}
	for _, id := range ids {
		switch o := t.objects.find(id); {
		case o == nil:
		case o.suspect != nil:
			dst = t.querySuspect(o, seq, dst)
		default:
			dst = t.query(o, seq, dst)
		}
	}
	return dst
}

// QueryPart is Query of objects that want the model's opinion of frame seq and were not queried about it yet, of at most n of them:
// building many questions, and taking as many answers, would keep the next frame waiting. Those that were queried longest ago come first: a
// keyframe may be too old before its last part is asked. It appends nothing when none is left.
func (t *Tracker) QueryPart(seq uint64, n int, dst []Query) []Query {
	for n += len(dst); len(dst) < n; {
		o := t.objects.leastQueried(seq)
		if o == nil {
			break
		}
		o.queried = seq
		dst = t.queryRoutine(o, seq, dst)
	}
	return dst
}

// queryRoutine appends what to ask about an object in a keyframe that nobody asked for, if it has not been answered about it.
func (t *Tracker) queryRoutine(o *object, seq uint64, dst []Query) []Query {
	if !o.asked && o.state.Visible() && seq == t.crops.aside {
		return dst // a crop tells more
	}
	if !o.asked && o.key >= seq {
		return dst // it was answered about this frame, or a newer one
	}
	return t.query(o, seq, dst)
}

func (t *Tracker) query(o *object, seq uint64, dst []Query) []Query {
	p, ok := t.wording(o, seq)
	if !o.asked {
		o.alternate = !o.alternate
	}
	expected := o.alternate && t.emerging(o, seq)
	switch {
	case o.asked && ok && !o.visible():
		return append(dst, Query{o.id, p})
	case o.track == nil:
		return dst
	case (o.state == seg.Lost || o.state == seg.Occluded) && !expected:
		if p, ok = t.lookFor(o, seq); ok || t.looks.recalls {
			dst = append(dst, Query{o.id, p})
		}
		return dst
	}
	m, ok := t.trackAt(o, seq)
	if !ok || m.Bounds().Empty() {
		return dst // forgotten, or out of the picture
	}
	if !o.asked {
		p.Box, p.Others, p.Text = nil, nil, ""
		p.Clicks = agreeing(p.Clicks, &m.Track)
	}
	if !o.state.Visible() {
		o.emerged = seq
	}
	if !o.asked && o.alternate && t.shrunk(o, &m.Track, seq) {
		return append(dst, Query{o.id, t.anew(&m.Track)})
	}
	p.Mask, p.Single = t.maskPrompt(o, &m, seq), true
	return append(dst, Query{o.id, p})
}

// querySuspect appends the question about where a hidden or lost object may be, which is asked once.
func (t *Tracker) querySuspect(o *object, seq uint64, dst []Query) []Query {
	a := o.suspect
	o.suspect = nil
	if o.track == nil || o.asked || o.state != seg.Lost && o.state != seg.Occluded {
		return dst
	}
	p, trust, err := t.Carry(a.prompt, a.seq, seq)
	if err != nil || trust < promptTrust {
		return dst
	}
	return append(dst, Query{o.id, p})
}

// maskPrompt asks by the mask where the motion carried it, and, of an object that stands alone, by what looks like the object in and around
// it in the frame that is asked about: a model says back what it is shown, so a part that was lost stays lost unless the question has it.
// The likeness weighs by the square of what the motion leaves unexplained: where the mask was carried well, a look-alike beside it would
// only be asked about too.
func (t *Tracker) maskPrompt(o *object, m *track, seq uint64) *seg.Logits {
	k, v := t.opt.Tuning, t.looks.At(seq)
	if v == nil || o.asked || !o.In(v).Known() || !t.uses(CueFeatures) {
		return k.Shape.Prompt(&m.Track)
	}
	r := m.Bounds()
	r = r.Inset(-int(k.Margin * float64(r.Dx()+r.Dy())))
	for _, there := range t.objects.others(o, seq) {
		if there.Bounds().Overlaps(r) {
			return k.Shape.Prompt(&m.Track)
		}
	}
	unexplained := 1 - m.last.Inliers
	s := &t.fusion.sum
	s.Reset(m.Patch.W, m.Patch.H, r)
	s.AddPrior(&m.Track, 0, 1, float32(k.MaskClip))
	s.AddMap(t.looks.Read(o.In(v), v, s.Box()).Logits, float32(k.AskWeight*unexplained*unexplained), float32(k.FeatureClip))
	p := k.Shape.Patch(s)
	if p.Rect.Empty() {
		return k.Shape.Prompt(&m.Track)
	}
	both := shape.NewTrack(p, seq)
	return k.Shape.Prompt(&both)
}

// lookFor is where to look for an object that is hidden or lost. One that was restored, or whose picture went away, is asked about in its
// former place, and elsewhere in turn.
func (t *Tracker) lookFor(o *object, seq uint64) (seg.Prompt, bool) {
	stays := o.returning || o.away
	if stays && o.alternate {
		return t.formerPlace(o)
	}
	if p, ok := t.seek(o, seq); ok || !stays {
		return p, ok
	}
	return t.formerPlace(o)
}

// shrunk says whether an object that no other may cover has lost parts of itself: a mask prompt of what is left would only be answered with
// what is left.
func (t *Tracker) shrunk(o *object, m *shape.Track, seq uint64) bool {
	if o.cover != nil || float64(m.Patch.Area()) >= t.opt.Tuning.Half*o.size { // both in the patch's own frame
		return false
	}
	return len(t.hiders(o, m, seq)) == 0
}

// anew asks what lies in the middle of what is left.
func (t *Tracker) anew(m *shape.Track) seg.Prompt {
	return seg.Prompt{Clicks: []seg.Click{{Point: t.readout.cut.Mask(m).Center(), Label: seg.Positive}}}
}

// agreeing is the clicks that the mask bears out: a carried click that it contradicts has lost its place.
func agreeing(clicks []seg.Click, m *shape.Track) []seg.Click {
	kept := clicks[:0]
	for _, c := range clicks {
		x, y := c.X*float64(m.Patch.W)-0.5, c.Y*float64(m.Patch.H)-0.5
		if (m.Value(x, y) > 0) == (c.Label == seg.Positive) {
			kept = append(kept, c)
		}
	}
	return kept
}

// wording merges what a person said into one prompt on frame seq, leaving out what the motion cannot carry there. What was carried to a
// newer frame stays there, so that the way is walked once.
func (t *Tracker) wording(o *object, seq uint64) (p seg.Prompt, ok bool) {
	for i := range o.anchors {
		a := &o.anchors[i]
		q, trust, err := a.prompt, a.trust, error(nil)
		if a.seq != seq && !a.dead {
			if o.track != nil && !o.asked {
				q.Mask, q.Box, q.Others = nil, nil, nil // the track knows better
			}
			var way float64
			q, way, err = t.Carry(q, a.seq, seq)
			trust *= way
		}
		if err != nil || trust < promptTrust || a.dead {
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
		p.Box, p.Others = later.Box, later.Others
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
