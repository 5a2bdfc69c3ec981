package motion

import (
	"math"

	"github.com/segedge/segedge/seg"
)

// Propagate calls step for each entry on the way from entry i to entry j, in either direction, and returns the trust that is left of 1:
// step says what share of the motion over an entry was explained, 0..1.
func (s *Scene) Propagate(i, j int, step func(e *Entry, forward bool) float64) float64 {
	trust, doubt := 1.0, s.tuning.StepDoubt
	for ; i < j; i++ {
		trust *= 1 - doubt + doubt*step(s.At(i+1), true)
	}
	for ; i > j; i-- {
		trust *= 1 - doubt + doubt*step(s.At(i), false)
	}
	return trust
}

// Point propagates a normalised point from entry i to entry j by the vectors around it. One that leaves the picture stays where it was,
// with no trust: nothing there is what was pointed at.
func (s *Scene) Point(p seg.Point, i, j int) (q seg.Point, trust float64) {
	w, h := s.grid()
	x, y := p.X*w-0.5, p.Y*h-0.5
	reach := w * s.tuning.PointReach
	trust = s.Propagate(i, j, func(e *Entry, forward bool) float64 {
		f := s.around(e, forward, x, y, reach, reach)
		x, y = f.At(x, y)
		return f.Inliers
	})
	q = seg.Point{X: (x + 0.5) / w, Y: (y + 0.5) / h}
	in := seg.Point{X: clamp01(q.X), Y: clamp01(q.Y)}
	if math.Hypot((q.X-in.X)*w, (q.Y-in.Y)*h) > edgeSlack {
		return p, 0
	}
	return in, trust
}

// Box propagates a normalised box from entry i to entry j by the vectors inside it. One that nothing is left of in the picture stays where
// it was, with no trust.
func (s *Scene) Box(b seg.Box, i, j int) (q seg.Box, trust float64) {
	w, h := s.grid()
	cx, cy := b.Center().X*w-0.5, b.Center().Y*h-0.5
	rx, ry := (b.X1-b.X0)/2*w, (b.Y1-b.Y0)/2*h
	trust = s.Propagate(i, j, func(e *Entry, forward bool) float64 {
		f := s.around(e, forward, cx, cy, rx, ry)
		cx, cy = f.At(cx, cy)
		rx, ry = rx*f.Scale(), ry*f.Scale()
		return f.Inliers
	})
	q = seg.Box{X0: (cx - rx + 0.5) / w, Y0: (cy - ry + 0.5) / h, X1: (cx + rx + 0.5) / w, Y1: (cy + ry + 0.5) / h}.Clip()
	if !q.Valid() {
		return b, 0
	}
	return q, trust
}

func (s *Scene) grid() (w, h float64) {
	g := &s.Last().Gray
	return float64(g.W), float64(g.H)
}

// around fits the motion of the vectors within an ellipse about a place; the picture's own motion where there are
// none.
func (s *Scene) around(e *Entry, forward bool, cx, cy, rx, ry float64) Fit {
	s.pairs = s.pairs[:0]
	for i := range e.Vectors {
		p, ok := e.ends(i, forward)
		if !ok {
			continue
		}
		if d := (p.X-cx)*(p.X-cx)/(rx*rx) + (p.Y-cy)*(p.Y-cy)/(ry*ry); d < 1 {
			p.W = 1 / (s.tuning.BackFloor + float64(e.Vectors[i].FB))
			s.pairs = append(s.pairs, p)
		}
	}
	f := s.tuning.Fit(s.pairs)
	if len(s.pairs) == 0 {
		f.Affine = e.WholeMotion(forward)
	}
	return f
}

func clamp01(v float64) float64 { return min(max(v, 0), 1) }
