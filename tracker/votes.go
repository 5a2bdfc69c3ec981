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

// votes are log-odds, by place, of moving with an object rather than with the scene, on a coarse map over the frame. Their memory is kept
// between uses.
type votes struct {
	odds  seg.Logits
	count []int // vectors by cell
}

// cast asks each vector that led to a frame which of the two motions it follows: log-odds where they differ, 0 where they agree or nothing
// was measured. It is nil without vectors, and valid until the next call.
func (v *votes) cast(k *Tuning, e *motion.Entry, object motion.Affine) *seg.Logits {
	if len(e.Vectors) == 0 {
		return nil
	}
	w, h, step := e.Gray.W, e.Gray.H, e.Spacing
	l := &v.odds
	l.W, l.H = (w+step-1)/step, (h+step-1)/step
	l.Extent = seg.Point{X: float64(l.W*step) / float64(w), Y: float64(l.H*step) / float64(h)}
	n := l.W * l.H
	l.Data, v.count = slices.Grow(l.Data[:0], n)[:n], slices.Grow(v.count[:0], n)[:n]
	clear(l.Data)
	clear(v.count)
	for i, d := range e.Vectors {
		if !d.OK {
			continue
		}
		from := e.Points[i]
		p := motion.Pair{X: float64(from.X), Y: float64(from.Y), U: float64(from.X + d.D.X), V: float64(from.Y + d.D.Y)}
		cx, cy := int(p.U)/step, int(p.V)/step
		if p.U < 0 || p.V < 0 || cx >= l.W || cy >= l.H {
			continue
		}
		l.Data[cy*l.W+cx] += k.vote(object.Miss2(p), e.Scene.Miss2(p))
		v.count[cy*l.W+cx]++
	}
	for i, n := range v.count {
		if n > 1 {
			l.Data[i] /= float32(n)
		}
	}
	return l
}

// vote compares two squared misses, each less what is allowed and bounded, so that a vector that fits neither says little.
func (k *Tuning) vote(object, scene float64) float32 {
	a, b := math.Exp(-object/(2*k.VoteSigma2))+k.VoteFloor, math.Exp(-scene/(2*k.VoteSigma2))+k.VoteFloor
	return float32(math.Log(a / b))
}

// contrast is the mean of a map inside and outside a track, within r.
func contrast(l *seg.Logits, m *shape.Track, r image.Rectangle) (in, out float64) {
	cells := look.Map{Logits: l}
	w, h := float64(m.Patch.W), float64(m.Patch.H)
	var n [2]float64
	for i, v := range l.Data {
		x, y := cells.Middle(i)
		x, y = x*w-0.5, y*h-0.5
		if !(image.Point{X: int(x), Y: int(y)}).In(r) {
			continue
		}
		if m.Value(x, y) > 0 {
			in += float64(v)
			n[1]++
		} else {
			out += float64(v)
			n[0]++
		}
	}
	return in / max(n[1], 1), out / max(n[0], 1)
}
