package tracker

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
)

// track is a patch on its way through the frames: where a place of the present frame lay in the patch's own frame. It warps the
// patch from its source each time, so that edges stay sharp however long the way.
type track struct {
	patch *patch
	back  warp       // present → patch
	seen  fitted     // of the last step
	trail []waypoint // oldest first, the present last
	pace
	resting float64 // share of the vectors of the last step that rested with the scene, and not with it
}

// waypoint is where a track was.
type waypoint struct {
	seq  uint64
	back warp // its mesh, which only the newest keep, is the track's own
}

func newTrack(p *patch, seq uint64) *track {
	return &track{patch: p, back: identityWarp, trail: []waypoint{{seq, identityWarp}}}
}

// clone is an independent copy, of whose meshes only the present one is kept; the patch is shared.
func (t *track) clone() *track {
	c := *t
	c.trail = slices.Clone(t.trail)
	for i := range c.trail {
		c.trail[i].back.mesh = mesh{}
	}
	c.back.mesh.d = slices.Clone(t.back.mesh.d)
	c.trail[len(c.trail)-1].back = c.back
	return &c
}

// value is what the warped patch has at a place of the present frame, in steps.
func (t *track) value(x, y float64) float32 { return t.patch.at(t.back.at(x, y)) }

// at is the track as it was at frame seq, if it was there.
func (t *track) at(seq uint64) (track, bool) {
	for i := len(t.trail) - 1; i >= 0; i-- {
		if t.trail[i].seq == seq {
			return track{patch: t.patch, back: t.trail[i].back, seen: t.seen, pace: t.pace}, true
		}
	}
	return track{}, false
}

// advance moves the track by m, and by what local adds to it (nil: nothing), to frame seq, and keeps at most limit waypoints.
func (t *track) advance(m affine, local *mesh, seq uint64, limit int) {
	var spare []offset
	if i := len(t.trail) - meshTrail; i >= 0 {
		spare, t.trail[i].back.mesh = t.trail[i].back.mesh.d, mesh{}
	}
	moved := track{patch: t.patch, back: t.back}
	moved.back.affine = t.back.after(m.inverse())
	r := moved.bounds()
	if local != nil {
		r = moved.boundsWithin(t.back.mesh.reach + local.reach*t.back.scale())
	}
	t.back = t.back.stepped(m, local, r, spare)
	if len(t.trail) >= limit {
		t.trail = t.trail[:copy(t.trail, t.trail[len(t.trail)-limit+1:])]
	}
	t.trail = append(t.trail, waypoint{seq, t.back})
}

// follow fits the vectors of e that start on the patch, that none of way may hide and that do not, by paint, rest with the scene while it moves.
// Without enough of them the scene's own motion stands in, and the fit has no inliers. pairs is scratch space and comes back, grown, with those
// that were fitted.
func (t *track) follow(e *entry, forward bool, way []track, paint *palette, pairs []pair) []pair {
	pairs = t.gather(e, forward, way, pairs[:0])
	t.resting = 0
	if forward && t.steady >= steadyAfter {
		t.favour(pairs, e)
		pairs = t.own(pairs, e, paint)
	}
	t.seen = fit(pairs)
	t.seen.bend(pairs)
	if len(pairs) < 3 || t.seen.inliers < 0.2 {
		t.seen.m = e.scene.m
		if !forward {
			t.seen.m = t.seen.m.inverse()
		}
		t.seen.inliers = 0
	}
	return pairs
}

// gather collects the vectors that start on the object.
func (t *track) gather(e *entry, forward bool, way []track, pairs []pair) []pair {
	r := t.bounds()
	for i, v := range e.vec {
		if !v.OK {
			continue
		}
		x, y := float64(e.pts[i].X), float64(e.pts[i].Y)
		u, w := x+float64(v.D.X), y+float64(v.D.Y)
		if !forward {
			x, y, u, w = u, w, x, y
		}
		if !(image.Point{X: int(x), Y: int(y)}).In(r) || !t.shows(x, y, way) {
			continue
		}
		pairs = append(pairs, pair{x, y, u, w, 1 / (0.25 + float64(v.FB))})
	}
	return pairs
}

// sample writes the warped patch's steps in r into dst, row by row.
func (t *track) sample(r image.Rectangle, dst []float32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := dst[(y-r.Min.Y)*r.Dx():][:r.Dx()]
		if t.back.mesh.w == 0 {
			u, v := t.back.affine.at(float64(r.Min.X), float64(y))
			t.patch.line(u, v, t.back.a, t.back.d, row)
			continue
		}
		for x := r.Min.X; x < r.Max.X; {
			next := min((floorDiv(x)+1)*meshStep, r.Max.X)
			u, v := t.back.at(float64(x), float64(y))
			du, dv := t.back.at(float64(next), float64(y))
			n := float64(next - x)
			t.patch.line(u, v, (du-u)/n, (dv-v)/n, row[x-r.Min.X:next-r.Min.X])
			x = next
		}
	}
}

// mask cuts the warped patch on its grid. steps is scratch space and comes back, grown.
func (t *track) mask(steps []float32) (*seg.Mask, []float32) {
	r := t.bounds()
	steps = grown(steps, r.Dx()*r.Dy())
	t.sample(r, steps)
	return cut(t.patch.w, t.patch.h, r, steps), steps
}

// cut is the mask of what lies above 0 in the rectangle r of a grid of w×h cells. The mask is all that it allocates: those who are shown one
// may keep it, so its memory cannot be used again.
func cut(w, h int, r image.Rectangle, values []float32) *seg.Mask {
	m := seg.NewMask(w, h, positive(r, values))
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		dst := m.Row(y)
		for x, v := range values[(y-r.Min.Y)*r.Dx()+m.Rect.Min.X-r.Min.X:][:len(dst)] {
			if v > 0 {
				dst[x] = 1
			}
		}
	}
	return m
}

// positive is the least rectangle that holds what lies above 0 in r.
func positive(r image.Rectangle, values []float32) image.Rectangle {
	dx := r.Dx()
	out := image.Rectangle{}
	for y := range r.Dy() {
		first, last := -1, -1
		for x, v := range values[y*dx:][:dx] {
			if v > 0 {
				if first < 0 {
					first = x
				}
				last = x
			}
		}
		if first >= 0 {
			out = out.Union(image.Rect(first, y, last+1, y+1))
		}
	}
	return out.Add(r.Min)
}

// logits is the warped patch on a grid of w×h cells over a part of the frame, in logits.
func (t *track) logits(w, h int, origin, extent seg.Point) *seg.Logits {
	l := &seg.Logits{W: w, H: h, Origin: origin, Extent: extent, Data: make([]float32, w*h)}
	sx, sy := extent.X/float64(w)*float64(t.patch.w), extent.Y/float64(h)*float64(t.patch.h)
	ox, oy := origin.X*float64(t.patch.w)-0.5, origin.Y*float64(t.patch.h)-0.5
	for j := range h {
		y := (float64(j)+0.5)*sy + oy
		for i := range w {
			x := (float64(i)+0.5)*sx + ox
			l.Data[j*w+i] = t.value(x, y) / patchScale
		}
	}
	return l
}

// resampled is the warped patch as a patch of the present frame.
func (t *track) resampled() *patch {
	r := t.bounds()
	p := &patch{w: t.patch.w, h: t.patch.h, rect: r, data: make([]int8, r.Dx()*r.Dy())}
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p.data[i] = int8(t.value(float64(x), float64(y)))
			i++
		}
	}
	return p
}

// bounds is the rectangle of the present frame that can hold a part of the patch.
func (t *track) bounds() image.Rectangle { return t.boundsWithin(t.back.mesh.reach) }

// boundsWithin is the same for a mesh of that reach.
func (t *track) boundsWithin(reach float64) image.Rectangle {
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
	reach *= max(math.Hypot(fwd.a, fwd.b), math.Hypot(fwd.d, fwd.e))
	x0, y0, x1, y1 = x0-reach, y0-reach, x1+reach, y1+reach
	grid := image.Rect(0, 0, t.patch.w, t.patch.h)
	if !(x1-x0 < 1e5 && y1-y0 < 1e5 && math.Abs(x0)+math.Abs(y0) < 1e6) {
		return image.Rectangle{}
	}
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1))+1, int(math.Ceil(y1))+1).Intersect(grid)
}

// center is where the middle of the patch is now.
func (t *track) center() (x, y float64) {
	r := t.patch.rect
	return t.back.inverse().at(float64(r.Min.X+r.Max.X)/2, float64(r.Min.Y+r.Max.Y)/2)
}
