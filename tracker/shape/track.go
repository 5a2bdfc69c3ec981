package shape

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// Track is a patch on its way through the frames: where a place of the present frame lay in the patch's own frame. It warps the
// patch from its source each time, so that edges stay sharp however long the way.
type Track struct {
	Patch *Patch
	Back  motion.Warp // present → patch
	trail []waypoint  // oldest first, the present last
}

// waypoint is where a track was.
type waypoint struct {
	seq  uint64
	back motion.Warp // its mesh, which only the newest keep, is the track's own
}

// NewTrack is a patch in its own frame.
func NewTrack(p *Patch, seq uint64) Track {
	return Track{Patch: p, Back: motion.Still, trail: []waypoint{{seq, motion.Still}}}
}

// Clone is an independent copy, of whose meshes only the present one is kept; the patch is shared.
func (t *Track) Clone() Track {
	c := *t
	c.trail = slices.Clone(t.trail)
	for i := range c.trail {
		c.trail[i].back.Mesh = motion.Mesh{}
	}
	c.Back = t.Back.Clone()
	c.trail[len(c.trail)-1].back = c.Back
	return c
}

// First is the frame of the patch, or the oldest that the track still knows; Last is the present one.
func (t *Track) First() uint64 { return t.trail[0].seq }

// Last is the present frame.
func (t *Track) Last() uint64 { return t.trail[len(t.trail)-1].seq }

// Start is the track as it was in its first frame, from where it can be led elsewhere.
func (t *Track) Start() Track {
	first := t.trail[0]
	return Track{Patch: t.Patch, Back: first.back, trail: []waypoint{first}}
}

// In is the track as it was in frame seq, without its past, if it was there.
func (t *Track) In(seq uint64) (Track, bool) {
	for _, v := range slices.Backward(t.trail) {
		if v.seq == seq {
			return Track{Patch: t.Patch, Back: v.back}, true
		}
	}
	return Track{}, false
}

// Advance moves the track by step, and by what local adds to it (nil: nothing), to frame seq, and keeps at most limit waypoints.
func (t *Track) Advance(k *motion.Tuning, step motion.Affine, local *motion.Mesh, seq uint64, limit int) {
	var spare motion.Mesh
	if i := len(t.trail) - motion.MeshKept; i >= 0 {
		spare, t.trail[i].back.Mesh = t.trail[i].back.Mesh, motion.Mesh{}
	}
	stray := 0.0
	if local != nil {
		stray = local.Reach()
	}
	t.Back = t.Back.Stepped(k, step, local, t.BoundsAfter(step, stray), spare)
	if len(t.trail) >= limit {
		t.trail = t.trail[:copy(t.trail, t.trail[len(t.trail)-limit+1:])]
	}
	t.trail = append(t.trail, waypoint{seq, t.Back})
}

// Instead is the track of another patch that has come the same way: offset leads from this patch's frame to the other's.
func (t *Track) Instead(p *Patch, offset motion.Affine) Track {
	c := t.Clone()
	c.Patch, c.Back = p, c.Back.Then(offset)
	for i := range c.trail {
		c.trail[i].back = c.trail[i].back.Then(offset)
	}
	return c
}

// Value is what the warped patch has at a place of the present frame, in steps: above 0 inside.
func (t *Track) Value(x, y float64) float32 { return t.Patch.At(t.Back.At(x, y)) }

// Bounds is the rectangle of the present frame that can hold a part of the patch.
func (t *Track) Bounds() image.Rectangle { return t.boundsWithin(t.Back.Mesh.Reach()) }

// BoundsAfter is the rectangle of the next frame that can hold a part of the patch after a step, of which its places may stray by so many
// pixels.
func (t *Track) BoundsAfter(step motion.Affine, stray float64) image.Rectangle {
	moved := Track{Patch: t.Patch, Back: t.Back}
	moved.Back.Affine = t.Back.After(step.Inverse())
	return moved.boundsWithin(t.Back.Mesh.Reach() + stray*t.Back.Scale())
}

// boundsWithin is the rectangle for a mesh of that reach, in pixels of the patch's frame; empty where the warp leads nowhere near the
// picture.
func (t *Track) boundsWithin(reach float64) image.Rectangle {
	r := t.Patch.Rect
	if r.Empty() {
		return image.Rectangle{}
	}
	fwd := t.Back.Inverse()
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range [4][2]int{{r.Min.X, r.Min.Y}, {r.Max.X, r.Min.Y}, {r.Min.X, r.Max.Y}, {r.Max.X, r.Max.Y}} {
		x, y := fwd.At(float64(c[0]), float64(c[1]))
		x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x), max(y1, y)
	}
	reach *= max(math.Hypot(fwd.A, fwd.B), math.Hypot(fwd.D, fwd.E))
	x0, y0, x1, y1 = x0-reach, y0-reach, x1+reach, y1+reach
	if !(x1-x0 < 1e5 && y1-y0 < 1e5 && math.Abs(x0)+math.Abs(y0) < 1e6) { // no number either
		return image.Rectangle{}
	}
	grid := image.Rect(0, 0, t.Patch.W, t.Patch.H)
	return image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1))+1, int(math.Ceil(y1))+1).Intersect(grid)
}

// Center is where the middle of the patch is now.
func (t *Track) Center() (x, y float64) {
	r := t.Patch.Rect
	return t.Back.Inverse().At(float64(r.Min.X+r.Max.X)/2, float64(r.Min.Y+r.Max.Y)/2)
}

// Logits is the warped patch on a grid of w×h cells over a part of the frame.
func (t *Track) Logits(w, h int, origin, extent seg.Point) *seg.Logits {
	l := &seg.Logits{W: w, H: h, Origin: origin, Extent: extent, Data: make([]float32, w*h)}
	fw, fh := float64(t.Patch.W), float64(t.Patch.H)
	sx, sy := extent.X/float64(w)*fw, extent.Y/float64(h)*fh
	ox, oy := origin.X*fw-0.5, origin.Y*fh-0.5
	for j := range h {
		y := (float64(j)+0.5)*sy + oy
		for i := range w {
			l.Data[j*w+i] = t.Value((float64(i)+0.5)*sx+ox, y) / Scale
		}
	}
	return l
}

// Prompt is a track that has bounds in the picture as a mask prompt: where it is in the present frame with a margin, in cells of a pixel or
// more, and nothing of the rest.
func (k *Tuning) Prompt(t *Track) *seg.Logits {
	r := t.Bounds().Inset(-k.Margin).Intersect(image.Rect(0, 0, t.Patch.W, t.Patch.H))
	cell := max(1, float64(max(r.Dx(), r.Dy()))/float64(promptGrid))
	w, h := max(1, int(float64(r.Dx())/cell)), max(1, int(float64(r.Dy())/cell))
	fw, fh := float64(t.Patch.W), float64(t.Patch.H)
	origin := seg.Point{X: float64(r.Min.X) / fw, Y: float64(r.Min.Y) / fh}
	extent := seg.Point{X: float64(r.Dx()) / fw, Y: float64(r.Dy()) / fh}
	return t.Logits(w, h, origin, extent)
}

// Resampled is the warped patch as a patch of the present frame.
func (t *Track) Resampled() *Patch {
	r := t.Bounds()
	p := &Patch{W: t.Patch.W, H: t.Patch.H, Rect: r, data: make([]int8, 0, r.Dx()*r.Dy())}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p.data = append(p.data, int8(t.Value(float64(x), float64(y))))
		}
	}
	return p
}

// Regridded is the track as a patch of its present frame on another grid, stretched with the picture.
func (k *Tuning) Regridded(t *Track, w, h int) *Patch {
	p := t.Patch
	return k.PatchOf(t.Logits(p.W, p.H, seg.Point{}, seg.Point{X: 1, Y: 1}), w, h)
}
