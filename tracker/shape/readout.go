package shape

import (
	"image"
	"slices"

	"github.com/segedge/segedge/seg"
)

// sample writes the warped patch's steps in r into dst, row by row.
func (t *Track) sample(r image.Rectangle, dst []float32) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := dst[(y-r.Min.Y)*r.Dx():][:r.Dx()]
		if t.Back.Mesh.Empty() {
			u, v := t.Back.Affine.At(float64(r.Min.X), float64(y))
			t.Patch.line(u, v, t.Back.A, t.Back.D, row)
			continue
		}
		for x := r.Min.X; x < r.Max.X; {
			next := min(t.Back.Mesh.Next(x), r.Max.X)
			u, v := t.Back.At(float64(x), float64(y))
			du, dv := t.Back.At(float64(next), float64(y))
			n := float64(next - x)
			t.Patch.line(u, v, (du-u)/n, (dv-v)/n, row[x-r.Min.X:next-r.Min.X])
			x = next
		}
	}
}

// Readout cuts masks out of tracks. It keeps its memory between uses.
type Readout struct{ steps []float32 }

// Mask is the warped patch cut at 0 on its grid.
func (o *Readout) Mask(t *Track) *seg.Mask {
	r := t.Bounds()
	n := r.Dx() * r.Dy()
	o.steps = slices.Grow(o.steps[:0], n)[:n]
	t.sample(r, o.steps)
	return cut(t.Patch.W, t.Patch.H, r, o.steps)
}

// cut is the mask of what lies above 0 in the rectangle r of a grid of w×h cells. The mask is all that it allocates: those who are shown
// one may keep it, so its memory cannot be used again.
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
