package tracker

import "image"

// cover decides which visible objects hide a part of which others in the newest frame: where two masks overlap, the one whose motion
// explains the vectors there lies in front. Without vectors to tell, it stays as it was.
func (t *Tracker) coverAll(e *entry) {
	for _, o := range t.objects {
		if o.cover != nil && (o.cover.track == nil || !o.cover.state.Visible() || o.track == nil || !o.cover.track.bounds().Overlaps(o.track.bounds())) {
			o.cover = nil
		}
	}
	for i, o := range t.objects {
		if o.track == nil || !o.state.Visible() {
			continue
		}
		r := o.track.bounds()
		for _, q := range t.objects[i+1:] {
			if q.track != nil && q.state.Visible() && r.Overlaps(q.track.bounds()) {
				t.coverPair(o, q, e)
			}
		}
	}
}

func (t *Tracker) coverPair(o, q *object, e *entry) {
	last := t.past.at(t.past.n - 2).seq
	a, okA := o.track.at(last)
	b, okB := q.track.at(last)
	if !okA || !okB {
		return
	}
	r := a.bounds().Intersect(b.bounds())
	votes, n := 0.0, 0
	for i, v := range e.vec {
		x, y := float64(e.pts[i].X), float64(e.pts[i].Y)
		if !v.OK || !(image.Point{X: int(x), Y: int(y)}).In(r) || a.patch.at(a.back.at(x, y)) <= 0 || b.patch.at(b.back.at(x, y)) <= 0 {
			continue
		}
		p := pair{x, y, x + float64(v.D.X), y + float64(v.D.Y), 1}
		n++
		votes += robust(o.track.seen.m.miss2(p), fitSigma) - robust(q.track.seen.m.miss2(p), fitSigma)
	}
	switch {
	case n > 0 && votes > 0.3*float64(n):
		q.cover, q.mask = o, nil
		uncover(o, q)
	case n > 0 && votes < -0.3*float64(n):
		o.cover, o.mask = q, nil
		uncover(q, o)
	}
}

func uncover(front, back *object) {
	if front.cover == back {
		front.cover, front.mask = nil, nil
	}
}

// hidden is the share of an object's mask that its cover hides.
func (t *Tracker) hidden(o *object) float64 {
	c, r := o.cover.track, o.track.bounds()
	n, both := 0, 0
	for y := r.Min.Y; y < r.Max.Y; y += 3 {
		for x := r.Min.X; x < r.Max.X; x += 3 {
			if o.track.patch.at(o.track.back.at(float64(x), float64(y))) <= 0 {
				continue
			}
			n++
			if c.patch.at(c.back.at(float64(x), float64(y))) > 0 {
				both++
			}
		}
	}
	return float64(both) / float64(max(n, 1))
}
