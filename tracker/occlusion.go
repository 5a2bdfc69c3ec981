package tracker

import (
	"image"
	"math"

	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// hiders are the visible objects, as they were in frame seq, that may hide a part of o's track there: all that touch it and are not known
// to lie behind. They are valid until the next call.
func (t *Tracker) hiders(o *object, m *shape.Track, seq uint64) []shape.Track {
	t.fitter.hiders = t.fitter.hiders[:0]
	if !t.uses(CueCover) {
		return nil
	}
	r := m.Bounds().Inset(-int(t.opt.Tuning.HideMargin))
	for q, there := range t.objects.others(o, seq) {
		if q.cover != o && there.Bounds().Overlaps(r) {
			t.fitter.hiders = append(t.fitter.hiders, there.Track)
		}
	}
	return t.fitter.hiders
}

// occlude decides which visible objects hide a part of which others in the newest frame.
func (t *Tracker) occlude(e *motion.Entry) {
	for _, o := range t.objects {
		if c := o.cover; c != nil && (!c.visible() || o.track == nil || !c.track.Bounds().Overlaps(o.track.Bounds())) {
			o.cover = nil
		}
	}
	for i, o := range t.objects {
		if !o.visible() {
			continue
		}
		r := o.track.Bounds()
		for _, q := range t.objects[i+1:] {
			if q.visible() && r.Overlaps(q.track.Bounds()) {
				t.order(o, q, e)
			}
		}
	}
}

// order decides which of two objects that overlap lies in front: the one whose motion explains the vectors there. Without vectors to tell,
// it stays as it was.
func (t *Tracker) order(o, q *object, e *motion.Entry) {
	last := t.scene.At(t.scene.Len() - 2).Seq
	a, okA := o.in(last)
	b, okB := q.in(last)
	if !okA || !okB {
		return
	}
	r := a.Bounds().Intersect(b.Bounds())
	votes, n := 0.0, 0.0
	for i := range e.Vectors {
		p, ok := t.opt.Tuning.Motion.Pair(e, i, true)
		if !ok || !(image.Point{X: int(p.X), Y: int(p.Y)}).In(r) || a.Value(p.X, p.Y) <= 0 || b.Value(p.X, p.Y) <= 0 {
			continue
		}
		n++
		mo, mq := math.Sqrt(o.track.last.Miss2(p)), math.Sqrt(q.track.last.Miss2(p))
		votes += (mq - mo) / (mq + mo + 1) // a ratio of the misses, so that a few pixels of error do not matter where the two move apart
	}
	switch {
	case n > 0 && votes > t.opt.Tuning.Some*n:
		o.hide(q)
	case n > 0 && votes < -t.opt.Tuning.Some*n:
		q.hide(o)
	}
}

// hide notes that o lies in front of another object.
func (o *object) hide(behind *object) {
	behind.cover, behind.mask = o, nil
	if o.cover == behind {
		o.cover, o.mask = nil, nil
	}
}

// hidden is the share of an object's mask that its cover hides in frame seq.
func (t *Tracker) hidden(o *object, seq uint64) float64 {
	if o.cover == nil || o.cover.track == nil {
		return 0
	}
	m, ok := o.track.In(seq)
	c, known := o.cover.track.In(seq)
	if !ok || !known {
		return 0
	}
	return m.ShareUnder(&c)
}

// passing says whether another visible object is passing in front of o or behind it in frame seq, and which of these is not known: what the
// model and the colours say there may be about either of them.
func (t *Tracker) passing(o *object, seq uint64) bool {
	m, ok := o.track.In(seq)
	if !ok || !t.uses(CueCover) || o.track.steady < t.opt.Tuning.SteadyAfter {
		return false
	}
	r := m.Bounds()
	for q, there := range t.objects.others(o, seq) {
		if o.cover == q || q.cover == o {
			continue
		}
		mine, its := o.track.speed, q.track.speed
		if math.Hypot(mine[0]-its[0], mine[1]-its[1]) <= t.opt.Tuning.RestSpeed*math.Hypot(mine[0], mine[1]) {
			continue
		}
		if there.Bounds().Overlaps(r) && (m.ShareUnder(&there.Track) > 0 || there.ShareUnder(&m) > 0) {
			return true
		}
	}
	return false
}

// emerging says whether an object that went behind another is expected to be in sight again in frame seq, and notes when it was not yet.
func (t *Tracker) emerging(o *object, seq uint64) bool {
	if !o.coasting {
		return false
	}
	if h := t.hidden(o, seq); h > 0 {
		o.due = seq
		return h < t.opt.Tuning.Most
	}
	return seq-min(o.due, seq) < uint64(t.clock.frames(t.opt.LostAfter))
}
