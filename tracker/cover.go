package tracker

import (
	"github.com/segedge/segedge/tracker/motion"
	"image"
	"math"
	"slices"
)

// stride moves a track of o over entry i. Vectors that another object may have hidden say nothing about o; what few are left
// beside it are held to the speed that o had. It returns the weight of what was measured against that speed, 0..1.
func (t *Tracker) stride(o *object, tr *track, i int) (trust float64) {
	e := t.scene.At(i)
	t.way = t.inTheWay(o, tr, t.scene.At(i-1).Seq, t.way[:0])
	pairs := t.follow(tr, e, true, t.way, t.paintOf(o))
	if len(t.way) == 0 && tr.resting <= restingSome {
		tr.advance(t.tuning, tr.seen.Affine, t.localMotion(tr, e, pairs), e.Seq, t.opt.History)
		return 1
	}
	trust = 1
	if tr.steady >= steadyAfter {
		trust = tr.coast(e)
	}
	tr.advance(t.tuning, tr.seen.Affine, nil, e.Seq, t.opt.History)
	return trust
}

// paintOf is the colours by which what rests in front of an object is told from it; nil where that is not asked.
func (t *Tracker) paintOf(o *object) *palette {
	if !t.uses(CueCover) {
		return nil
	}
	return &o.paint
}

// inTheWay appends the tracks, as they were at frame seq, of the visible objects that may hide a part of o's track there: all that touch it and
// are not known to lie behind.
func (t *Tracker) inTheWay(o *object, tr *track, seq uint64, dst []track) []track {
	if !t.uses(CueCover) {
		return dst
	}
	r := tr.bounds().Inset(-wayMargin)
	for _, q := range t.objects {
		if q == o || q.track == nil || !q.state.Visible() || q.cover == o {
			continue
		}
		if there, ok := q.track.at(seq); ok && there.bounds().Overlaps(r) {
			dst = append(dst, there)
		}
	}
	return dst
}

// shows says whether a place is on a track's mask, and none of way may hide it.
func (t *track) shows(x, y float64, way []track) bool {
	return t.value(x, y) > 0 && !slices.ContainsFunc(way, func(w track) bool { return w.hides(x, y) })
}

// hides says whether a track covers a place, or one so near that a vector measured there may be the track's.
func (t *track) hides(x, y float64) bool {
	for _, d := range [5][2]float64{{}, {wayMargin, 0}, {-wayMargin, 0}, {0, wayMargin}, {0, -wayMargin}} {
		if t.value(x+d[0], y+d[1]) > 0 {
			return true
		}
	}
	return false
}

// morePoints adds points where an object that another may partly hide shows, so that its own motion can be told by what is left of it.
func (t *Tracker) morePoints(pts []motion.Pixel, last *motion.Entry, step int) []motion.Pixel {
	limit := len(pts) + mostPoints
	for _, o := range t.objects {
		if o.track == nil || !o.state.Visible() {
			continue
		}
		t.way = t.inTheWay(o, o.track, last.Seq, t.way[:0])
		if len(t.way) == 0 {
			continue
		}
		n := 0
		t.eachShown(o.track, roughStep, func(x, y int) { n++ })
		area := n * roughStep * roughStep
		if area >= fewPoints*step*step {
			continue
		}
		s := max(leastStep, min(step-1, int(math.Sqrt(float64(area)/fewPoints))))
		t.eachShown(o.track, s, func(x, y int) {
			if len(pts) < limit {
				pts = append(pts, motion.Pixel{X: float32(x), Y: float32(y)})
			}
		})
	}
	return pts
}

const (
	fewPoints  = 16  // that tell an object's motion
	mostPoints = 128 // that are added in a frame, over all objects
	leastStep  = 3   // pixels between them
	roughStep  = 4   // in which what shows is counted
)

// eachShown calls do for every step-th place of a track that none of t.way may hide.
func (t *Tracker) eachShown(tr *track, step int, do func(x, y int)) {
	r := tr.bounds()
	for y := r.Min.Y + step/2; y < r.Max.Y; y += step {
		for x := r.Min.X + step/2; x < r.Max.X; x += step {
			if tr.shows(float64(x), float64(y), t.way) {
				do(x, y)
			}
		}
	}
}

const (
	wayMargin  = 7 // pixels: half the window in which a vector is measured
	coastPairs = 4 // vectors that weigh as much as the speed that was
)

// coast holds the fit to the track's speed, the more the fewer vectors there are, and returns the weight of the fit.
func (t *track) coast(e *motion.Entry) (trust float64) {
	n := float64(t.seen.Pairs) * t.seen.Inliers
	trust = n / (n + coastPairs)
	x, y := t.center()
	u, v := t.seen.At(x, y)
	dx, dy := t.expected(e)
	dx, dy = dx+trust*(u-x-dx), dy+trust*(v-y-dy)
	if trust < 0.7 {
		t.seen.Affine = motion.Identity
		u, v = x, y
	}
	t.seen.C += x + dx - u
	t.seen.F += y + dy - v
	return trust
}

// cover decides which visible objects hide a part of which others in the newest frame: where two masks overlap, the one whose motion
// explains the vectors there lies in front. Without vectors to tell, it stays as it was.
func (t *Tracker) coverAll(e *motion.Entry) {
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

func (t *Tracker) coverPair(o, q *object, e *motion.Entry) {
	last := t.scene.At(t.scene.Len() - 2).Seq
	a, okA := o.track.at(last)
	b, okB := q.track.at(last)
	if !okA || !okB {
		return
	}
	r := a.bounds().Intersect(b.bounds())
	votes, n := 0.0, 0
	for i, v := range e.Vectors {
		x, y := float64(e.Points[i].X), float64(e.Points[i].Y)
		if !v.OK || !(image.Point{X: int(x), Y: int(y)}).In(r) || a.value(x, y) <= 0 || b.value(x, y) <= 0 {
			continue
		}
		p := motion.Pair{X: x, Y: y, U: x + float64(v.D.X), V: y + float64(v.D.Y), W: 1}
		n++
		mo, mq := math.Sqrt(o.track.seen.Miss2(p)), math.Sqrt(q.track.seen.Miss2(p))
		votes += (mq - mo) / (mq + mo + 1)
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

// hidden is the share of an object's mask that its cover hides in frame seq.
func (t *Tracker) hidden(o *object, seq uint64) float64 {
	if o.cover == nil || o.cover.track == nil {
		return 0
	}
	tr, ok := o.track.at(seq)
	c, known := o.cover.track.at(seq)
	if !ok || !known {
		return 0
	}
	return shareUnder(&tr, &c)
}

// shareUnder is the share of a track's mask that another's covers, of a third of the rows and columns.
func shareUnder(t, other *track) float64 {
	r := t.bounds()
	n, both := 0, 0
	for y := r.Min.Y; y < r.Max.Y; y += 3 {
		for x := r.Min.X; x < r.Max.X; x += 3 {
			if t.value(float64(x), float64(y)) <= 0 {
				continue
			}
			n++
			if other.value(float64(x), float64(y)) > 0 {
				both++
			}
		}
	}
	return float64(both) / float64(max(n, 1))
}

// passing says whether another visible object is passing in front of o or behind it in frame seq, and which of these is not known: what the model and
// the colours say there may be about either of them.
func (t *Tracker) passing(o *object, seq uint64) bool {
	tr, ok := o.track.at(seq)
	if !ok || !t.uses(CueCover) || tr.steady < steadyAfter {
		return false
	}
	r := tr.bounds()
	for _, q := range t.objects {
		if q == o || q.track == nil || !q.state.Visible() || o.cover == q || q.cover == o {
			continue
		}
		if math.Hypot(o.track.drift[0]-q.track.drift[0], o.track.drift[1]-q.track.drift[1]) < passingSpeed {
			continue
		}
		if there, ok := q.track.at(seq); ok && there.bounds().Overlaps(r) && max(shareUnder(&tr, &there), shareUnder(&there, &tr)) > passingShare {
			return true
		}
	}
	return false
}

const (
	passingSpeed = 1    // pixels a frame between two objects that do not move together
	passingShare = 0.05 // of the smaller one's mask
)

// emerging says whether an object that went behind another is expected to be in sight again in frame seq.
func (t *Tracker) emerging(o *object, seq uint64) bool {
	if !o.coasting {
		return false
	}
	if h := t.hidden(o, seq); h > 0 {
		o.due = seq
		return h < mostHidden-0.2
	}
	return seq-min(o.due, seq) < uint64(t.frames(t.opt.LostAfter))
}
