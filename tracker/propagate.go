package tracker

import (
	"errors"
	"fmt"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
)

// ErrForgotten is a frame that the history does not reach.
var ErrForgotten = errors.New("the frame has left the history")

// Carry propagates a prompt given on frame from to frame to, in either direction, by the recorded motion around each of its parts. The
// trust is 1 for no way at all and falls with what the motion leaves unexplained; it is 0 where a click or the box leaves the picture,
// which stay where they were. A mask may leave it; the boxes of what was not meant do not count.
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
	for k := range out.Others {
		out.Others[k], _ = t.scene.Box(out.Others[k], i, j)
	}
	if out.Mask != nil && i != j {
		g := &t.scene.Last().Gray
		m := newTrack(t.opt.Tuning.Shape.PatchOf(out.Mask, g.W, g.H), from)
		trust = min(trust, t.replay(m, i, j))
		out.Mask = m.Logits(out.Mask.W, out.Mask.H, out.Mask.Origin, out.Mask.Extent)
	}
	return out, trust, nil
}

// replay leads a track from entry i to entry j and returns the trust that is left of 1. It is alone in the scene: nothing hides it.
func (t *Tracker) replay(m *track, i, j int) float64 {
	return t.scene.Propagate(i, j, func(e *motion.Entry, forward bool) float64 {
		pairs := t.fitter.follow(m, e, forward, nil, nil)
		m.Advance(&t.opt.Tuning.Motion, m.last.Affine, t.fitter.parts(m, e, pairs), e.Seq, t.opt.History)
		return m.last.Inliers
	})
}

// present leads a new track of o from entry i to the newest.
func (t *Tracker) present(o *object, m *track, i int) {
	for i++; i < t.scene.Len(); i++ {
		t.stride(o, m, i)
	}
}

// stride leads a track of o over entry i. Vectors that another object may have hidden say nothing about o; what few are left beside it are
// held to the speed that o had. It returns the weight of what was measured against that speed, 0..1.
func (t *Tracker) stride(o *object, m *track, i int) (weight float64) {
	e := t.scene.At(i)
	hiders := t.hiders(o, &m.Track, t.scene.At(i-1).Seq)
	pairs := t.fitter.follow(m, e, true, hiders, t.restColours(o))
	var parts *motion.Mesh
	weight = 1
	switch {
	case len(hiders) == 0 && m.resting <= t.opt.Tuning.Some:
		parts = t.fitter.parts(m, e, pairs)
	case m.steady >= t.opt.Tuning.SteadyAfter:
		weight = m.coast(t.opt.Tuning, e)
	}
	m.Advance(&t.opt.Tuning.Motion, m.last.Affine, parts, e.Seq, t.opt.History)
	return weight
}

// restColours are the colours by which what rests in front of an object is told from it; nil where that is not asked.
func (t *Tracker) restColours(o *object) *look.Colours {
	if !t.uses(CueCover) {
		return nil
	}
	return &o.Colours
}

// trackAt is an object's track at frame seq: where it was then, or, before its mask's own frame, where the motion leads back to.
func (t *Tracker) trackAt(o *object, seq uint64) (track, bool) {
	if m, ok := o.track.in(seq); ok {
		return m, true
	}
	first := o.track.First()
	i, there := t.scene.Find(first)
	j, exact := t.scene.Find(seq)
	if !there || !exact || seq > first {
		return track{}, false
	}
	m := track{Track: o.track.Start()}
	for ; i > j; i-- {
		e := t.scene.At(i)
		pairs := t.fitter.follow(&m, e, false, nil, nil)
		m.Advance(&t.opt.Tuning.Motion, m.last.Affine, t.fitter.parts(&m, e, pairs), t.scene.At(i-1).Seq, t.opt.History)
	}
	return m, true
}

// before is an object's track in the frame before seq.
func (t *Tracker) before(o *object, seq uint64) (track, bool) {
	i, exact := t.scene.Find(seq)
	if !exact || i == 0 {
		return track{}, false
	}
	return o.track.in(t.scene.At(i - 1).Seq)
}
