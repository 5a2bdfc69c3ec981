package tracker

import (
	"image"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/shape"
)

// hold is the box that an object was prompted with, on its way with it: what lies beyond it by more than a margin is not what the box was
// put around. It gives way slowly to what the object becomes. Sides at the edge of the picture are open: more of the object may come from
// there. It is in cells of the frame of the object's patch, and immutable.
type hold struct {
	x0, y0, x1, y1 float64
	open           [4]bool // left, top, right, bottom
}

const (
	holdMargin = 0.1 // of the sides, as at the answer (inference)
	holdRate   = 0.1 // at which a side follows the mask's, a keyframe
)

// heldBy is the hold of a first answer; nil where no box was given, or a mask beside it.
func heldBy(p *seg.Prompt, w, h int) *hold {
	if p.Box == nil || p.Mask != nil {
		return nil
	}
	b := *p.Box
	for _, c := range p.Clicks {
		if c.Label == seg.Positive {
			b = seg.Box{X0: min(b.X0, c.X), Y0: min(b.Y0, c.Y), X1: max(b.X1, c.X), Y1: max(b.Y1, c.Y)}
		}
	}
	fw, fh := float64(w), float64(h)
	out := &hold{x0: b.X0 * fw, y0: b.Y0 * fh, x1: b.X1 * fw, y1: b.Y1 * fh}
	out.open = [4]bool{out.x0 < 1, out.y0 < 1, out.x1 > fw-1, out.y1 > fh-1}
	return out
}

// carried is the hold where the motion leads its object.
func (h *hold) carried(m *track) hold {
	fwd := m.Back.Inverse()
	out := hold{open: h.open}
	for i, c := range [4][2]float64{{h.x0, h.y0}, {h.x1, h.y0}, {h.x0, h.y1}, {h.x1, h.y1}} {
		x, y := fwd.At(c[0], c[1])
		if i == 0 {
			out.x0, out.y0, out.x1, out.y1 = x, y, x, y
		}
		out.x0, out.y0, out.x1, out.y1 = min(out.x0, x), min(out.y0, y), max(out.x1, x), max(out.y1, y)
	}
	return out
}

// rect is what the hold leaves an object of a grid of w×h cells.
func (h *hold) rect(w, hh int) image.Rectangle {
	dx, dy := holdMargin*(h.x1-h.x0)+1, holdMargin*(h.y1-h.y0)+1
	r := image.Rect(int(h.x0-dx), int(h.y0-dy), int(h.x1+dx+1), int(h.y1+dy+1)).Intersect(image.Rect(0, 0, w, hh))
	if h.open[0] {
		r.Min.X = 0
	}
	if h.open[1] {
		r.Min.Y = 0
	}
	if h.open[2] {
		r.Max.X = w
	}
	if h.open[3] {
		r.Max.Y = hh
	}
	return r
}

// after is the hold once the object has a mask of those bounds there.
func (h hold) after(r image.Rectangle, w, hh int) *hold {
	if r.Empty() {
		return &h
	}
	move := func(side *float64, to int, open *bool, edge bool) {
		rate := holdRate
		if *open {
			rate = 1
		}
		*side += rate * (float64(to) - *side)
		*open = edge
	}
	move(&h.x0, r.Min.X, &h.open[0], r.Min.X <= 0)
	move(&h.y0, r.Min.Y, &h.open[1], r.Min.Y <= 0)
	move(&h.x1, r.Max.X, &h.open[2], r.Max.X >= w)
	move(&h.y1, r.Max.Y, &h.open[3], r.Max.Y >= hh)
	return &h
}

// held is an object's hold in the frame of the evidence, where it has the new mask m.
func (t *Tracker) held(o *object, m *shape.Track, ev *evidence) *hold {
	r := t.readout.cut.Mask(m).Rect
	switch {
	case o.asked:
		return o.hold // it is of that very frame
	case ev.prior == nil: // it was found without a past
		return (&hold{open: [4]bool{true, true, true, true}}).after(r, m.Patch.W, m.Patch.H)
	}
	return o.hold.carried(ev.prior).after(r, m.Patch.W, m.Patch.H)
}
