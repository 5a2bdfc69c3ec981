package tracker

import (
	"math"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// votes asks each vector that led to a frame whether it moves with the object or with the scene, on a coarse map over the frame: log odds
// where the two motions differ, 0 where they agree or nothing was measured.
func (t *Tracker) votes(e *motion.Entry, object motion.Affine) *seg.Logits {
	if len(e.Vectors) == 0 {
		return nil
	}
	w, h := e.Gray.W, e.Gray.H
	step := e.Spacing
	l := &t.voteMap
	l.W, l.H = (w+step-1)/step, (h+step-1)/step
	l.Extent = seg.Point{X: float64(l.W*step) / float64(w), Y: float64(l.H*step) / float64(h)}
	n := l.W * l.H
	l.Data, t.voteN = grown(l.Data, n), grown(t.voteN, n)
	clear(l.Data)
	clear(t.voteN)
	for i, v := range e.Vectors {
		if !v.OK {
			continue
		}
		p := motion.Pair{X: float64(e.Points[i].X), Y: float64(e.Points[i].Y), U: float64(e.Points[i].X + v.D.X), V: float64(e.Points[i].Y + v.D.Y)}
		cx, cy := int(p.U)/step, int(p.V)/step
		if p.U < 0 || p.V < 0 || cx >= l.W || cy >= l.H {
			continue
		}
		l.Data[cy*l.W+cx] += vote(object.Miss2(p), e.Scene.Miss2(p))
		t.voteN[cy*l.W+cx]++
	}
	for i, k := range t.voteN {
		if k > 1 {
			l.Data[i] /= k
		}
	}
	return l
}

// vote compares two squared misses, each forgiven half a pixel and bounded, so that a vector that fits neither says little.
func vote(object, scene float64) float32 {
	const sigma2, floor = 0.5, 0.05
	a, b := math.Exp(-object/(2*sigma2))+floor, math.Exp(-scene/(2*sigma2))+floor
	return float32(math.Log(a / b))
}
