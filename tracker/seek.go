package tracker

import (
	"image"
	"math"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// Limits of a find.
const (
	seekPeak     = 0.3  // least likeness of the best place
	seekFloor    = 0.0  // likeness at which the find ends
	seekMean     = 0.2  // least mean likeness of the mask that is found
	leastFound   = 0.5  // of its usual likeness
	leastWhole   = 0.35 // of its expected size: a part of something else is small
	leastEntered = 0.2  // the same, of what comes in at the picture's edge
	leastEmerged = 0.5  // the same, of what comes out from behind another
	mostFound    = 8    // finds in a row that have its colours and size, and are not unlike it, after which it is believed
	unlike       = 0.6  // below its usual likeness, where that is low: so much less is another thing
	sameColours  = 0.8  // of the share that its colours usually have
)

// seek looks for an object that is hidden or lost in what the encoder saw: the connected place that looks most like it, not where another
// object is. It prompts with that place and its best point.
func (t *Tracker) seek(o *object, seq uint64) (seg.Prompt, bool) {
	v := t.sightOf(seq)
	at, exact := t.scene.Find(seq)
	if v == nil || !exact || v.crop || o.likeIn(v).frames == 0 {
		return seg.Prompt{}, false
	}
	e := t.scene.At(at)
	l := &likenessMap{o.likeIn(v).odds(v, everywhere)}
	t.addPaint(o, l, e)
	t.veto(o, l, e, seq)
	best := l.peak()
	if best < 0 || l.Data[best] < seekPeak {
		return seg.Prompt{}, false
	}
	place := flood(l, best, seekFloor)
	x, y := l.middle(best)
	return seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: x, Y: y}, Label: seg.Positive}}, Mask: place, Single: true}, true
}

// addPaint adds what the colours say to a likeness map, a few pixels a cell.
func (t *Tracker) addPaint(o *object, l *likenessMap, e *motion.Entry) {
	if !o.paint.ready {
		return
	}
	for i := range l.Data {
		x, y := l.middle(i)
		px, py := int(x*float64(e.Gray.W)), int(y*float64(e.Gray.H))
		if px >= e.Gray.W || py >= e.Gray.H {
			l.Data[i] = -1
			continue
		}
		sum, n := float32(0), float32(0)
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				if u, w := px+2*dx, py+2*dy; u >= 0 && w >= 0 && u < e.Gray.W && w < e.Gray.H {
					sum += min(max(o.paint.logit(e.BGR[3*(w*e.Gray.W+u):]), -2), 2)
					n++
				}
			}
		}
		l.Data[i] = min(max(l.Data[i], -1.5), 1.5) + 0.25*sum/max(n, 1)
	}
}

// veto takes out what cannot be the object: where others are, and, soon after it was hidden, what lies too far away.
func (t *Tracker) veto(o *object, l *likenessMap, e *motion.Entry, seq uint64) {
	cx, cy := o.track.center()
	reach := math.Sqrt(o.area)*1.5 + 0.02*float64(e.Gray.W)*float64(t.Newest()-min(o.since, t.Newest())+1)
	for i := range l.Data {
		x, y := l.middle(i)
		u, w := x*float64(e.Gray.W), y*float64(e.Gray.H)
		if math.Hypot(u-cx, w-cy) > reach {
			l.Data[i] = -2
			continue
		}
		for _, q := range t.objects {
			if q == o || q.track == nil || !q.state.Visible() {
				continue
			}
			if there, ok := q.track.at(seq); ok && there.value(u, w) > 0 {
				l.Data[i] = -2
			}
		}
	}
}

// likenessMap is a map of likeness; its cells are those of Logits.
type likenessMap struct{ *seg.Logits }

// middle is the normalised centre of cell i.
func (l *likenessMap) middle(i int) (x, y float64) {
	return l.Origin.X + (float64(i%l.W)+0.5)/float64(l.W)*l.Extent.X, l.Origin.Y + (float64(i/l.W)+0.5)/float64(l.H)*l.Extent.Y
}

// peak is the cell in the picture, not in its padding, with the largest value; -1 without one.
func (l *likenessMap) peak() int {
	best := -1
	for i, s := range l.Data {
		if best >= 0 && s <= l.Data[best] {
			continue
		}
		if x, y := l.middle(i); (seg.Point{X: x, Y: y}).In01() {
			best = i
		}
	}
	return best
}

// flood is the connected cells above floor around a cell, as logits of a mask prompt.
func flood(l *likenessMap, from int, floor float32) *seg.Logits {
	out := &seg.Logits{W: l.W, H: l.H, Origin: l.Origin, Extent: l.Extent, Data: make([]float32, len(l.Data))}
	for i := range out.Data {
		out.Data[i] = -6
	}
	stack := []int{from}
	out.Data[from] = 6
	visit := func(i int) {
		if l.Data[i] > floor && out.Data[i] < 0 {
			out.Data[i] = 6
			stack = append(stack, i)
		}
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x, y := i%l.W, i/l.W
		if x > 0 {
			visit(i - 1)
		}
		if x < l.W-1 {
			visit(i + 1)
		}
		if y > 0 {
			visit(i - l.W)
		}
		if y < l.H-1 {
			visit(i + l.W)
		}
	}
	return out
}

// recognised says whether a mask that was found without a past is the object: it looks like it all over, and is nobody else.
func (t *Tracker) recognised(o *object, p *patch, ev *evidence) bool {
	m := t.uncovered(o, p, ev.seq)
	for _, q := range t.objects {
		if q == o || q == o.cover || q.track == nil || !q.state.Visible() {
			continue
		}
		if there, ok := q.track.at(ev.seq); ok && overlap(m, &there) > 0.3 {
			return false
		}
	}
	colours := 1.0 // share of the usual
	if o.paint.ready && o.base > 0 {
		colours = t.colourShare(o, p, motion.Still, ev.e) / o.base
	}
	if ev.sight == nil || o.likeIn(ev.sight).frames == 0 {
		return colours > sameColours
	}
	size := float64(p.area()) / max(o.body, 1)
	middle := p.rect.Min.Add(p.rect.Max).Div(2)
	if o.coasting && colours >= sameColours && size >= leastEmerged && middle.In(o.track.bounds()) {
		return true // beside what it went behind, the encoder sees it in other company
	}
	enters := !p.rect.Inset(-1).In(image.Rect(0, 0, p.w, p.h)) // and may be seen only in part
	mean, ok := resemblance(o, m, ev.sight)
	if !ok {
		mean = math.Inf(-1)
	}
	if o.again(mean, o.likeIn(ev.sight).usual, colours, size) {
		return true // seen from another side, again and again
	}
	whole := size >= leastWhole || enters && size >= leastEntered && colours >= sameColours
	return ok && mean >= max(seekMean, leastFound*o.likeIn(ev.sight).usual) && colours >= leastColour && whole
}

// again counts the finds in a row that may be the object, by their mean likeness, which is usual for it, and by the shares of its usual colours and
// size, and says whether they are enough. Where the usual likeness is low, what the encoder sees hardly tells the object from the rest, a look-alike
// perhaps; less is asked of it then.
func (o *object) again(mean, usual, colours, size float64) bool {
	floor, least := -seekMean, leastEmerged
	if usual < seekMean {
		floor, least = min(floor, usual-unlike), leastWhole
	}
	if mean >= floor && colours >= sameColours && size >= least {
		o.found++
	} else {
		o.found = 0
	}
	return o.found >= mostFound
}

// uncovered is the mask of a patch on frame seq, less what the object's cover hides.
func (t *Tracker) uncovered(o *object, p *patch, seq uint64) *seg.Mask {
	m, steps := newTrack(p, seq).mask(t.steps)
	t.steps = steps
	if o.cover != nil && o.cover.track != nil {
		if there, ok := o.cover.track.at(seq); ok {
			return without(m, &there)
		}
	}
	return m
}

// resemblance is the mean likeness of the cells that a mask covers, about 1 for the object itself; not ok without any.
func resemblance(o *object, m *seg.Mask, v *sight) (mean float64, ok bool) {
	l := likenessMap{o.likeIn(v).odds(v, m.Box())}
	sum, n := 0.0, 0.0
	for i, s := range l.Data {
		if x, y := l.middle(i); m.Contains(seg.Point{X: x, Y: y}) {
			sum += float64(s)
			n++
		}
	}
	return sum / max(n, 1), n > 0
}

// overlap is the share of a mask that a track covers.
func overlap(m *seg.Mask, t *track) float64 {
	n, both := 0, 0
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y += 2 {
		for i, b := range m.Row(y) {
			if b != 0 {
				n++
				if t.value(float64(m.Rect.Min.X+i), float64(y)) > 0 {
					both++
				}
			}
		}
	}
	return float64(both) / float64(max(n, 1))
}
