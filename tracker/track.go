package tracker

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// track is a patch on its way through the frames: where a place of the present frame lay in the patch's own frame. It warps the
// patch from its source each time, so that edges stay sharp however long the way.
type track struct {
	patch *patch
	back  motion.Warp // present → patch
	seen  motion.Fit  // of the last step
	trail []waypoint  // oldest first, the present last
	pace
	resting float64 // share of the vectors of the last step that rested with the scene, and not with it
}

// waypoint is where a track was.
type waypoint struct {
	seq  uint64
	back motion.Warp // its mesh, which only the newest keep, is the track's own
}

func newTrack(p *patch, seq uint64) *track {
	return &track{patch: p, back: motion.Still, trail: []waypoint{{seq, motion.Still}}}
}

// clone is an independent copy, of whose meshes only the present one is kept; the patch is shared.
func (t *track) clone() *track {
	c := *t
	c.trail = slices.Clone(t.trail)
	for i := range c.trail {
		c.trail[i].back.Mesh = motion.Mesh{}
	}
	c.back = t.back.Clone()
	c.trail[len(c.trail)-1].back = c.back
	return &c
}

// value is what the warped patch has at a place of the present frame, in steps.
func (t *track) value(x, y float64) float32 { return t.patch.at(t.back.At(x, y)) }

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
func (t *track) advance(k *Tuning, m motion.Affine, local *motion.Mesh, seq uint64, limit int) {
	var spare motion.Mesh
	if i := len(t.trail) - meshTrail; i >= 0 {
		spare, t.trail[i].back.Mesh = t.trail[i].back.Mesh, motion.Mesh{}
	}
	moved := track{patch: t.patch, back: t.back}
	moved.back.Affine = t.back.After(m.Inverse())
	r := moved.bounds()
	if local != nil {
		r = moved.boundsWithin(t.back.Mesh.Reach() + local.Reach()*t.back.Scale())
	}
	t.back = t.back.Stepped(&k.Motion, m, local, r, spare)
	if len(t.trail) >= limit {
		t.trail = t.trail[:copy(t.trail, t.trail[len(t.trail)-limit+1:])]
	}
	t.trail = append(t.trail, waypoint{seq, t.back})
}

// follow fits the vectors of e that start on a track's patch, that none of way may hide and that do not, by paint, rest with the scene while it
// moves, and returns them. Without enough of them the scene's own motion stands in, and the fit has no inliers.
func (t *Tracker) follow(tr *track, e *motion.Entry, forward bool, way []track, paint *palette) []motion.Pair {
	k := &t.tuning.Motion
	t.pairs = tr.gather(k, e, forward, way, t.pairs[:0])
	pairs := t.pairs
	tr.resting = 0
	if forward && tr.steady >= steadyAfter {
		tr.favour(pairs, e)
		pairs = tr.own(pairs, e, paint)
	}
	tr.seen = k.Bend(k.Fit(pairs), pairs)
	if len(pairs) < 3 || tr.seen.Inliers < 0.2 {
		tr.seen.Affine, tr.seen.Inliers = e.WholeMotion(forward), 0
	}
	return pairs
}

// gather collects the vectors that start on the object.
func (t *track) gather(k *motion.Tuning, e *motion.Entry, forward bool, way []track, pairs []motion.Pair) []motion.Pair {
	r := t.bounds()
	for i := range e.Vectors {
		p, ok := k.Pair(e, i, forward)
		if ok && (image.Point{X: int(p.X), Y: int(p.Y)}).In(r) && t.shows(p.X, p.Y, way) {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// meshTrail is the number of newest waypoints of a track that keep their meshes.
const meshTrail = 16

// localMotion is what the pairs for which tr was just fitted over e say about parts of it that move their own way; nil where there is too
// little to go by. It is valid until the next call.
func (t *Tracker) localMotion(tr *track, e *motion.Entry, pairs []motion.Pair) *motion.Mesh {
	k := &t.tuning.Motion
	first := tr.trail[0].seq
	if !t.uses(CueLocal) || len(pairs) < k.BendPairs || tr.seen.Inliers == 0 || max(e.Seq, first)-min(e.Seq, first) > localFor {
		return nil
	}
	moved := track{patch: tr.patch, back: tr.back}
	moved.back.Affine = tr.back.After(tr.seen.Inverse())
	r := moved.boundsWithin(tr.back.Mesh.Reach() + k.MeshStray*tr.back.Scale())
	if r.Empty() {
		return nil
	}
	return t.local.Fit(k, pairs, tr.seen.Affine, r, k.MeshRadius*float64(e.Spacing))
}

// localFor is the number of frames from a mask's own one on in which it is bent: after that, small errors would add up.
const localFor = 8

// sample writes the warped patch's steps in r into dst, row by row.
func (t *track) sample(r image.Rectangle, dst []float32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := dst[(y-r.Min.Y)*r.Dx():][:r.Dx()]
		if t.back.Mesh.Empty() {
			u, v := t.back.Affine.At(float64(r.Min.X), float64(y))
			t.patch.line(u, v, t.back.A, t.back.D, row)
			continue
		}
		for x := r.Min.X; x < r.Max.X; {
			next := min(t.back.Mesh.Next(x), r.Max.X)
			u, v := t.back.At(float64(x), float64(y))
			du, dv := t.back.At(float64(next), float64(y))
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
func (t *track) bounds() image.Rectangle { return t.boundsWithin(t.back.Mesh.Reach()) }

// boundsWithin is the same for a mesh of that reach.
func (t *track) boundsWithin(reach float64) image.Rectangle {
	r := t.patch.rect
	if r.Empty() {
		return image.Rectangle{}
	}
	fwd := t.back.Inverse()
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range [4][2]int{{r.Min.X, r.Min.Y}, {r.Max.X, r.Min.Y}, {r.Min.X, r.Max.Y}, {r.Max.X, r.Max.Y}} {
		x, y := fwd.At(float64(c[0]), float64(c[1]))
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	reach *= max(math.Hypot(fwd.A, fwd.B), math.Hypot(fwd.D, fwd.E))
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
	return t.back.Inverse().At(float64(r.Min.X+r.Max.X)/2, float64(r.Min.Y+r.Max.Y)/2)
}
