package tracker

import (
	"errors"
	"fmt"
	"math"

	"github.com/segedge/segedge/seg"
)

// ErrForgotten is a frame that the history does not reach.
var ErrForgotten = errors.New("the frame has left the history")

// Carry moves a prompt given on frame from to frame to, in either direction, by the recorded motion around each of its parts. The trust
// is 1 for no way at all and falls with what the motion leaves unexplained; it is 0 for what leaves the picture, which stays where it was.
func (t *Tracker) Carry(p seg.Prompt, from, to uint64) (seg.Prompt, float64, error) {
	i, _ := t.past.find(from)
	j, _ := t.past.find(to)
	if i < 0 || j < 0 {
		return p, 0, fmt.Errorf("%w: carrying %d to %d, which holds %d to %d", ErrForgotten, from, to, t.Oldest(), t.Newest())
	}
	out, trust := p.Clone(), 1.0
	for k := range out.Clicks {
		q, s := t.carryPoint(out.Clicks[k].Point, i, j)
		out.Clicks[k].Point, trust = q, min(trust, s)
	}
	if b := out.Box; b != nil {
		s := 0.0
		*b, s = t.carryBox(*b, i, j)
		trust = min(trust, s)
	}
	if out.Mask != nil && i != j {
		g := &t.past.newest().gray
		tr := newTrack(patchOf(out.Mask, g.W, g.H), from)
		trust = min(trust, t.replay(tr, i, j))
		out.Mask = tr.logits(out.Mask.W, out.Mask.H, out.Mask.Origin, out.Mask.Extent)
	}
	return out, trust, nil
}

// replay walks a track from entry i to entry j and returns the trust that is left of 1.
func (t *Tracker) replay(tr *track, i, j int) float64 {
	return t.walk(i, j, func(e *entry, forward bool) float64 {
		t.pairs = tr.follow(e, forward, nil, nil, t.pairs)
		tr.advance(tr.seen.m, t.localMotion(tr, e), e.seq, t.opt.History)
		return tr.seen.inliers
	})
}

// present walks a new track of o from entry i to the newest.
func (t *Tracker) present(o *object, tr *track, i int) {
	for i++; i < t.past.n; i++ {
		t.stride(o, tr, i)
	}
}

// carryPoint follows one point by the vectors around it.
func (t *Tracker) carryPoint(p seg.Point, i, j int) (seg.Point, float64) {
	g := &t.past.newest().gray
	x, y := p.X*float64(g.W)-0.5, p.Y*float64(g.H)-0.5
	reach := float64(g.W) / 24
	trust := t.walk(i, j, func(e *entry, forward bool) float64 {
		f := t.around(e, forward, x, y, reach, reach)
		x, y = f.m.at(x, y)
		return f.inliers
	})
	q := seg.Point{X: (x + 0.5) / float64(g.W), Y: (y + 0.5) / float64(g.H)}
	if in := (seg.Point{X: clamp01(q.X), Y: clamp01(q.Y)}); math.Hypot((q.X-in.X)*float64(g.W), (q.Y-in.Y)*float64(g.H)) <= edgeSlack {
		return in, trust
	}
	return p, 0 // what was pointed at has left the picture: nothing there is it
}

// carryBox follows a box by the vectors inside it.
func (t *Tracker) carryBox(b seg.Box, i, j int) (seg.Box, float64) {
	g := &t.past.newest().gray
	w, h := float64(g.W), float64(g.H)
	cx, cy := b.Center().X*w-0.5, b.Center().Y*h-0.5
	rx, ry := (b.X1-b.X0)/2*w, (b.Y1-b.Y0)/2*h
	trust := t.walk(i, j, func(e *entry, forward bool) float64 {
		f := t.around(e, forward, cx, cy, rx, ry)
		cx, cy = f.m.at(cx, cy)
		rx, ry = rx*f.m.scale(), ry*f.m.scale()
		return f.inliers
	})
	out := seg.Box{X0: (cx - rx + 0.5) / w, Y0: (cy - ry + 0.5) / h, X1: (cx + rx + 0.5) / w, Y1: (cy + ry + 0.5) / h}.Clip()
	if !out.Valid() {
		return b, 0
	}
	return out, trust
}

// walk calls step for each entry between i and j and multiplies what each leaves of the trust.
func (t *Tracker) walk(i, j int, step func(e *entry, forward bool) float64) float64 {
	trust := 1.0
	for ; i < j; i++ {
		trust *= 0.9 + 0.1*step(t.past.at(i+1), true)
	}
	for ; i > j; i-- {
		trust *= 0.9 + 0.1*step(t.past.at(i), false)
	}
	return trust
}

// around fits the motion of the vectors about a place, near ones weighing more.
func (t *Tracker) around(e *entry, forward bool, cx, cy, rx, ry float64) fitted {
	t.pairs = t.pairs[:0]
	for i, v := range e.vec {
		if !v.OK {
			continue
		}
		x, y := float64(e.pts[i].X), float64(e.pts[i].Y)
		u, w := x+float64(v.D.X), y+float64(v.D.Y)
		if !forward {
			x, y, u, w = u, w, x, y
		}
		if d := (x-cx)*(x-cx)/(rx*rx) + (y-cy)*(y-cy)/(ry*ry); d < 1 {
			t.pairs = append(t.pairs, pair{x, y, u, w, math.Exp(-2*d) / (0.25 + float64(v.FB))})
		}
	}
	f := fit(t.pairs)
	if len(t.pairs) == 0 {
		f.m = e.scene.m
		if !forward {
			f.m = f.m.inverse()
		}
	}
	return f
}

// edgeSlack is how far beyond the picture's edge, cells, a carried point may come to lie before it counts as gone: motion is not measured better.
const edgeSlack = 2

func clamp01(v float64) float64 { return min(max(v, 0), 1) }
