package tracker

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// seek looks for an object that is hidden or lost in what the encoder saw: the connected place that looks most like it, up to where it
// looks as much like the rest, and not where another object is. It prompts with that place and its best point.
func (t *Tracker) seek(o *object, seq uint64) (seg.Prompt, bool) {
	v := t.looks.At(seq)
	at, exact := t.scene.Find(seq)
	if v == nil || !exact || v.Crop() || !o.In(v).Known() {
		return seg.Prompt{}, false
	}
	e := t.scene.At(at)
	places := t.looks.Read(o.In(v), v, look.Everywhere)
	o.Colours.AddToMap(&t.opt.Tuning.Look, places, e)
	t.veto(o, places, e)
	best := places.Peak()
	if best < 0 || places.Data[best] <= 0 {
		return seg.Prompt{}, false
	}
	x, y := places.Middle(best)
	return seg.Prompt{
		Clicks: []seg.Click{{Point: seg.Point{X: x, Y: y}, Label: seg.Positive}},
		Mask:   places.Flood(best, 0), Single: true,
	}, true
}

// nowhere is a likeness that no place has.
const nowhere = -2

// veto takes out what cannot be the object: where others and its rivals are.
func (t *Tracker) veto(o *object, places *look.Map, e *motion.Entry) {
	w, h := float64(e.Gray.W), float64(e.Gray.H)
	out := func(there *track) {
		for i := range places.Data {
			if x, y := places.Middle(i); there.Value(x*w, y*h) > 0 {
				places.Data[i] = nowhere
			}
		}
	}
	for _, there := range t.objects.others(o, e.Seq) {
		out(&there)
	}
	for _, r := range o.rivals {
		if there, ok := r.in(e.Seq); ok {
			out(&there)
		}
	}
}

// recognised says whether a mask that was found without a past is the object: it looks like it all over, and is nobody else.
func (t *Tracker) recognised(o *object, p *shape.Patch, ev *evidence) bool {
	k := t.opt.Tuning
	m := t.readout.uncovered(o, p, ev.seq)
	if t.another(o, p, m, ev) || t.elsewhere(o, ev.e) {
		return false
	}
	colours := 1.0 // share of the usual
	if o.Colours.Ready() && o.base > 0 {
		colours = t.colourShare(o, p, ev) / o.base
	}
	l := o.known(ev)
	if l == nil {
		return colours > k.Most
	}
	size := float64(p.Area()) / max(o.size, 1)
	if o.coasting && colours >= k.Most && size >= k.Half && p.Middle().In(o.track.Bounds()) {
		return true // beside what it went behind, the encoder sees it in other company
	}
	enters := !p.Rect.Inset(-1).In(image.Rect(0, 0, p.W, p.H)) // and may be seen only in part
	mean, ok := t.looks.Resemblance(l, ev.view, m)
	if !ok {
		mean = math.Inf(-1)
	}
	whole := size >= k.WholeSize || enters && !o.away && size >= k.LeastPart && colours >= k.Most
	if l.Usual < k.FoundLike { // what the encoder sees hardly tells it from the rest: its colours have to
		return colours >= k.Most && whole
	}
	return ok && mean >= max(k.FoundLike, o.leastLike(k, p)*l.Usual) && colours >= k.Half && whole
}

// asItWas is what was found of an object that was lost; where the picture about its place is the very same again, what it was there: a
// model that is asked anew may say more or less.
func (t *Tracker) asItWas(o *object, p *shape.Patch, ev *evidence) *shape.Patch {
	k := t.opt.Tuning
	if !o.still.holds(k, ev.e, &t.fusion.same) {
		return p
	}
	if t.maskOf(p, ev.seq).IoU(t.maskOf(o.still.patch, ev.seq)) < k.Half {
		return p
	}
	return o.still.patch
}

// leastLike is the share of its usual likeness that an object must have where it is found. In a picture that is another than the one in
// which it was seen last, something else in another place is more likely than it.
func (o *object) leastLike(k *Tuning, p *shape.Patch) float64 {
	if o.away && !o.overLast(p) {
		return k.Most
	}
	return k.Half
}

// overLast says whether the middle of a patch lies where the object was last.
func (o *object) overLast(p *shape.Patch) bool { return p.Middle().In(o.track.Bounds()) }

// elsewhere says whether an entry shows another place than the one that an object was in when its picture went away.
func (t *Tracker) elsewhere(o *object, e *motion.Entry) bool {
	return o.away && o.picture != nil && o.picture.another(t.scene.glimpses.of(e), t.opt.Tuning)
}

// another says whether a patch that was found is another object that is seen, by m, what the object's cover leaves of it, or the cover
// itself; or whether what the model said is one, of which the patch is what is left beside it. The other's own mask may be of a newer
// frame: what is found may have been asked about an older one.
func (t *Tracker) another(o *object, p *shape.Patch, m *seg.Mask, ev *evidence) bool {
	k := t.opt.Tuning
	said := m
	if ev.model != nil {
		said = ev.model.Cut(p.W, p.H, seg.Threshold)
	}
	return slices.ContainsFunc(t.objects, func(q *object) bool {
		if q == o || !q.visible() {
			return false
		}
		there, ok := t.trackAt(q, ev.seq)
		if ok && q == o.cover {
			return there.Cover(t.maskOf(p, ev.seq)) > k.Most // less of it comes out beside what hides it
		}
		return ok && (there.Cover(m) > k.Some || there.Cover(said) > k.Half)
	})
}

// colourShare is the share of a patch's cells, in the frame of the evidence, whose colour is the object's.
func (t *Tracker) colourShare(o *object, p *shape.Patch, ev *evidence) float64 {
	alone := shape.NewTrack(p, ev.seq)
	return o.Colours.Share(&t.opt.Tuning.Look, &alone, ev.e)
}
