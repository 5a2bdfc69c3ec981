package tracker

import (
	"errors"
	"fmt"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// ErrForgotten is a frame that the history does not reach.
var ErrForgotten = errors.New("the frame has left the history")

// Carry moves a prompt given on frame from to frame to, in either direction, by the recorded motion around each of its parts. The trust
// is 1 for no way at all and falls with what the motion leaves unexplained; it is 0 for what leaves the picture, which stays where it was.
func (t *Tracker) Carry(p seg.Prompt, from, to uint64) (seg.Prompt, float64, error) {
	i, _ := t.scene.Find(from)
	j, _ := t.scene.Find(to)
	if i < 0 || j < 0 {
		return p, 0, fmt.Errorf("%w: carrying %d to %d, which holds %d to %d", ErrForgotten, from, to, t.Oldest(), t.Newest())
	}
	out, trust := p.Clone(), 1.0
	for k := range out.Clicks {
		q, s := t.scene.Point(out.Clicks[k].Point, i, j)
		out.Clicks[k].Point, trust = q, min(trust, s)
	}
	if b := out.Box; b != nil {
		s := 0.0
		*b, s = t.scene.Box(*b, i, j)
		trust = min(trust, s)
	}
	if out.Mask != nil && i != j {
		g := &t.scene.Last().Gray
		tr := newTrack(patchOf(out.Mask, g.W, g.H), from)
		trust = min(trust, t.replay(tr, i, j))
		out.Mask = tr.logits(out.Mask.W, out.Mask.H, out.Mask.Origin, out.Mask.Extent)
	}
	return out, trust, nil
}

// replay walks a track from entry i to entry j and returns the trust that is left of 1.
func (t *Tracker) replay(tr *track, i, j int) float64 {
	return t.scene.Propagate(i, j, func(e *motion.Entry, forward bool) float64 {
		pairs := t.follow(tr, e, forward, nil, nil)
		tr.advance(t.tuning, tr.seen.Affine, t.localMotion(tr, e, pairs), e.Seq, t.opt.History)
		return tr.seen.Inliers
	})
}

// present walks a new track of o from entry i to the newest.
func (t *Tracker) present(o *object, tr *track, i int) {
	for i++; i < t.scene.Len(); i++ {
		t.stride(o, tr, i)
	}
}
