package tracker

import (
	"image"
	"math"

	"github.com/segedge/segedge/seg"
)

// track is a patch on its way through the frames: where a place of the present frame lay in the patch's own frame. It warps the
// patch from its source each time, so that edges stay sharp however long the way.
type track struct {
	patch *patch
	back  affine  // present → patch
	trust float64 // 0..1, falls with what the motion leaves unexplained
	seen  fitted  // of the last step
}

func newTrack(p *patch) *track { return &track{patch: p, back: identity, trust: 1} }

// step moves the track over one entry, to it (forward) or from it to the frame before. pairs is scratch space and comes back, grown.
func (t *track) step(e *entry, forward bool, pairs []pair) []pair {
	pairs = t.gather(e, forward, pairs[:0])
	f := fit(pairs)
	if len(pairs) < 3 || f.inliers < 0.2 {
		f.m = e.scene.m
		if !forward {
			f.m = f.m.inverse()
		}
		f.inliers = 0
	}
	t.back = t.back.after(f.m.inverse())
	t.trust *= 0.9 + 0.1*f.inliers
	t.seen = f
	return pairs
}

// gather collects the vectors that start on the object.
func (t *track) gather(e *entry, forward bool, pairs []pair) []pair {
	for i, v := range e.vec {
		if !v.OK {
			continue
		}
		x, y := float64(e.pts[i].X), float64(e.pts[i].Y)
		u, w := x+float64(v.D.X), y+float64(v.D.Y)
		if !forward {
			x, y, u, w = u, w, x, y
		}
		if t.patch.at(t.back.at(x, y)) > 0 {
			pairs = append(pairs, pair{x, y, u, w, 1 / (0.25 + float64(v.FB))})
		}
	}
	return pairs
}

// mask cuts the warped patch on its grid.
func (t *track) mask() *seg.Mask {
	m := seg.NewMask(t.patch.w, t.patch.h, t.bounds())
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		row := m.Row(y)
		for i := range row {
			if t.patch.at(t.back.at(float64(m.Rect.Min.X+i), float64(y))) > 0 {
				row[i] = 1
			}
		}
	}
	return m.Trim()
}

// logits is the warped patch on a grid of w×h cells over the frame, in logits.
func (t *track) logits(w, h int, extent seg.Point) *seg.Logits {
	l := &seg.Logits{W: w, H: h, Extent: extent, Data: make([]float32, w*h)}
	sx, sy := extent.X/float64(w)*float64(t.patch.w), extent.Y/float64(h)*float64(t.patch.h)
	for j := range h {
		y := (float64(j)+0.5)*sy - 0.5
		for i := range w {
			x := (float64(i)+0.5)*sx - 0.5
			l.Data[j*w+i] = t.patch.at(t.back.at(x, y)) / patchScale
		}
	}
	return l
}

// bounds is the rectangle of the present frame that can hold a part of the patch.
func (t *track) bounds() image.Rectangle {
	r := t.patch.rect
	if r.Empty() {
		return image.Rectangle{}
	}
	fwd := t.back.inverse()
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range [4][2]int{{r.Min.X, r.Min.Y}, {r.Max.X, r.Min.Y}, {r.Min.X, r.Max.Y}, {r.Max.X, r.Max.Y}} {
		x, y := fwd.at(float64(c[0]), float64(c[1]))
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	grid := image.Rect(0, 0, t.patch.w, t.patch.h)
	if !(x1-x0 < 1e5 && y1-y0 < 1e5) {
		return grid
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1))+1, int(math.Ceil(y1))+1).Intersect(grid)
}
