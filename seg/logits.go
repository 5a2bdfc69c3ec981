package seg

import (
	"image"
	"math"
)

// Threshold is where logits are cut into a mask: positive is inside (Segment Anything, mask_threshold).
const Threshold = 0

// Cut is the mask of the cells where the bilinearly upsampled logits exceed threshold, on a grid of w×h cells over
// the whole frame. Only the surroundings of positive logits are upsampled. NaN is outside.
func (l *Logits) Cut(w, h int, threshold float32) *Mask {
	r := l.positive(threshold)
	if r.Empty() {
		return &Mask{W: w, H: h}
	}
	// A grid cell's centre in logits cells: (x+0.5)/w · W/Extent − 0.5.
	sx, sy := float64(l.W)/l.Extent.X/float64(w), float64(l.H)/l.Extent.Y/float64(h)
	m := NewMask(w, h, image.Rect(
		int(math.Floor(float64(r.Min.X-1)/sx)), int(math.Floor(float64(r.Min.Y-1)/sy)),
		int(math.Ceil(float64(r.Max.X+1)/sx))+1, int(math.Ceil(float64(r.Max.Y+1)/sy))+1))
	type tap struct {
		i0, i1 int
		f      float32
	}
	cols := make([]tap, m.Rect.Dx())
	for i := range cols {
		i0, i1, f := taps((float64(m.Rect.Min.X+i)+0.5)*sx-0.5, l.W)
		cols[i] = tap{i0, i1, f}
	}
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		j0, j1, fy := taps((float64(y)+0.5)*sy-0.5, l.H)
		a, b := l.Data[j0*l.W:][:l.W], l.Data[j1*l.W:][:l.W]
		dst := m.Row(y)
		for i, c := range cols {
			top := a[c.i0] + (a[c.i1]-a[c.i0])*c.f
			bottom := b[c.i0] + (b[c.i1]-b[c.i0])*c.f
			if top+(bottom-top)*fy > threshold {
				dst[i] = 1
			}
		}
	}
	return m.Trim()
}

// Finite reports whether every logit is a number; a model that answers otherwise is broken.
func (l *Logits) Finite() bool {
	for _, v := range l.Data {
		if v-v != 0 { // NaN and ±Inf
			return false
		}
	}
	return true
}

// StabilityScore is the IoU of the masks cut at +offset and −offset, counted on the grid itself within the picture:
// 1 for a mask that hardly depends on the threshold, 0 for an empty one (Segment Anything, calculate_stability_score).
func (l *Logits) StabilityScore(offset float32) float64 {
	inter, union := 0, 0
	w := min(l.W, int(math.Ceil(float64(l.W)/l.Extent.X)))
	h := min(l.H, int(math.Ceil(float64(l.H)/l.Extent.Y)))
	for j := range h {
		for _, v := range l.Data[j*l.W:][:w] {
			if v > offset {
				inter++
			}
			if v > -offset {
				union++
			}
		}
	}
	if union == 0 {
		return 0
	}
	return float64(inter) / float64(union)
}

// LogitsOf turns a mask into logits of ±amplitude on a grid of w×h cells with the given extent: a mask prompt. Cells are averaged,
// so that the edge is graded.
func LogitsOf(m *Mask, w, h int, extent Point, amplitude float32) *Logits {
	l := &Logits{W: w, H: h, Extent: extent, Data: make([]float32, w*h)}
	for i := range l.Data {
		l.Data[i] = -amplitude
	}
	if m.Rect.Empty() {
		return l
	}
	cw, ch := extent.X/float64(w)*float64(m.W), extent.Y/float64(h)*float64(m.H) // a logit's size in mask cells
	for j := max(0, int(float64(m.Rect.Min.Y)/ch)); j < min(h, int(float64(m.Rect.Max.Y)/ch)+1); j++ {
		y0, y1 := cells(float64(j)*ch, float64(j+1)*ch, m.H)
		for i := max(0, int(float64(m.Rect.Min.X)/cw)); i < min(w, int(float64(m.Rect.Max.X)/cw)+1); i++ {
			x0, x1 := cells(float64(i)*cw, float64(i+1)*cw, m.W)
			set, n := 0, (x1-x0)*(y1-y0)
			for y := y0; y < y1; y++ {
				for x := x0; x < x1; x++ {
					set += int(m.At(x, y))
				}
			}
			if n > 0 {
				l.Data[j*w+i] = amplitude * (2*float32(set)/float32(n) - 1)
			}
		}
	}
	return l
}

// positive is the rectangle of cells above threshold.
func (l *Logits) positive(threshold float32) image.Rectangle {
	minX, minY, maxX, maxY := l.W, -1, -1, -1
	for j := range l.H {
		for i, v := range l.Data[j*l.W:][:l.W] {
			if v > threshold {
				if minY < 0 {
					minY = j
				}
				maxY, minX, maxX = j, min(minX, i), max(maxX, i)
			}
		}
	}
	if minY < 0 {
		return image.Rectangle{}
	}
	return image.Rect(minX, minY, maxX+1, maxY+1)
}

// taps are the two neighbours of position v on an axis of n cells, and the weight of the second.
func taps(v float64, n int) (i0, i1 int, f float32) {
	v = min(max(v, 0), float64(n-1))
	i0 = int(v)
	return i0, min(i0+1, n-1), float32(v - float64(i0))
}

// cells are the whole cells that the interval a..b touches by at least half a cell, at least one, within 0..n.
func cells(a, b float64, n int) (lo, hi int) {
	lo, hi = int(a+0.5), int(b+0.5)
	if hi <= lo {
		hi = lo + 1
	}
	return min(lo, n), min(hi, n)
}
