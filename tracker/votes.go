package tracker

import (
	"math"

	"github.com/segedge/segedge/seg"
)

// votes asks each vector that led to a frame whether it moves with the object or with the scene, on a coarse map over the frame: log odds
// where the two motions differ, 0 where they agree or nothing was measured.
func (t *Tracker) votes(e *entry, object affine) *seg.Logits {
	if len(e.vec) == 0 {
		return nil
	}
	w, h := e.gray.W, e.gray.H
	step := e.step
	l := &t.voteMap
	l.W, l.H = (w+step-1)/step, (h+step-1)/step
	l.Extent = seg.Point{X: float64(l.W*step) / float64(w), Y: float64(l.H*step) / float64(h)}
	n := l.W * l.H
	l.Data, t.voteN = grown(l.Data, n), grown(t.voteN, n)
	clear(l.Data)
	clear(t.voteN)
	for i, v := range e.vec {
		if !v.OK {
			continue
		}
		p := pair{x: float64(e.pts[i].X), y: float64(e.pts[i].Y), u: float64(e.pts[i].X + v.D.X), v: float64(e.pts[i].Y + v.D.Y)}
		cx, cy := int(p.u)/step, int(p.v)/step
		if p.u < 0 || p.v < 0 || cx >= l.W || cy >= l.H {
			continue
		}
		l.Data[cy*l.W+cx] += vote(object.miss2(p), e.scene.m.miss2(p))
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
