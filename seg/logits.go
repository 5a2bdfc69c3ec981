package seg

import (
	"bytes"
	"image"
	"math"
)

// Threshold is where logits are cut into a mask: positive is inside (Segment Anything, mask_threshold).
const Threshold = 0

// Scale turns a place (x, y) on a grid of w×h cells over the whole frame into logits cells, both counted from the corner of the first:
// (x·sx − ox, y·sy − oy).
func (l *Logits) Scale(w, h int) (sx, sy, ox, oy float64) {
	kx, ky := float64(l.W)/l.Extent.X, float64(l.H)/l.Extent.Y
	return kx / float64(w), ky / float64(h), l.Origin.X * kx, l.Origin.Y * ky
}

// Covered is the rectangle of cells of a grid of w×h over the whole frame of which the logits speak.
func (l *Logits) Covered(w, h int) image.Rectangle {
	return image.Rect(int(math.Ceil(l.Origin.X*float64(w)-0.5)), int(math.Ceil(l.Origin.Y*float64(h)-0.5)),
		int(math.Ceil((l.Origin.X+l.Extent.X)*float64(w)-0.5)), int(math.Ceil((l.Origin.Y+l.Extent.Y)*float64(h)-0.5)),
	).Intersect(image.Rect(0, 0, w, h))
}

// Box is the normalised box around the cells above threshold, the zero box where there are none.
func (l *Logits) Box(threshold float32) Box {
	r := l.positive(threshold)
	if r.Empty() {
		return Box{}
	}
	kx, ky := l.Extent.X/float64(l.W), l.Extent.Y/float64(l.H)
	return Box{
		X0: l.Origin.X + kx*float64(r.Min.X), Y0: l.Origin.Y + ky*float64(r.Min.Y),
		X1: l.Origin.X + kx*float64(r.Max.X), Y1: l.Origin.Y + ky*float64(r.Max.Y),
	}.Clip()
}

// Cut is the mask of the cells where the bilinearly upsampled logits exceed threshold, on a grid of w×h cells over
// the whole frame. Only the surroundings of positive logits are upsampled, and only where the sign changes. A cell that
// touches a NaN is outside.
func (l *Logits) Cut(w, h int, threshold float32) *Mask {
	r := l.positive(threshold)
	if r.Empty() || w <= 0 || h <= 0 {
		return &Mask{W: w, H: h}
	}
	// A grid cell's centre in logits cells: (x+0.5)·s − o − 0.5.
	sx, sy, ox, oy := l.Scale(w, h)
	m := NewMask(w, h, image.Rect(
		int(math.Floor((float64(r.Min.X-1)+ox)/sx)), int(math.Floor((float64(r.Min.Y-1)+oy)/sy)),
		int(math.Ceil((float64(r.Max.X+1)+ox)/sx))+1, int(math.Ceil((float64(r.Max.Y+1)+oy)/sy))+1,
	).Intersect(l.Covered(w, h)))
	if m.Rect.Empty() {
		return m
	}
	cols := make([]Tap, m.Rect.Dx())
	for i := range cols {
		cols[i] = TapAt((float64(m.Rect.Min.X+i)+0.5)*sx-ox-0.5, l.W)
	}
	first, last := cols[0].I, cols[len(cols)-1].J+1
	spans, ones := spansOf(cols), bytes.Repeat([]byte{1}, len(cols))
	row := make([]float32, l.W)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		t := TapAt((float64(y)+0.5)*sy-oy-0.5, l.H)
		a, b := l.Data[t.I*l.W:][:last], l.Data[t.J*l.W:][:last]
		for i := first; i < last; i++ {
			row[i] = a[i] + (b[i]-a[i])*t.F
		}
		cutRow(m.Row(y), row, cols, spans, ones, threshold)
	}
	m.compact()
	return m
}

// spansOf is where each run of columns between the same two neighbours ends.
func spansOf(cols []Tap) []int {
	var ends []int
	for i := range cols {
		if i+1 == len(cols) || cols[i+1].I != cols[i].I {
			ends = append(ends, i+1)
		}
	}
	return ends
}

// cutRow sets the cells of dst, which is all 0, whose interpolated value exceeds threshold. Cells between two values on the
// same side of it need no arithmetic, and these are nearly all.
func cutRow(dst []uint8, row []float32, cols []Tap, spans []int, ones []uint8, threshold float32) {
	from := 0
	for _, end := range spans {
		a, b := row[cols[from].I], row[cols[from].J]
		switch above := a > threshold; {
		case above != (b > threshold):
			for k, c := range cols[from:end] {
				if a+(b-a)*c.F > threshold {
					dst[from+k] = 1
				}
			}
		case above:
			copy(dst[from:end], ones)
		}
		from = end
	}
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
	w := min(l.W, int(math.Ceil(float64(l.W)/l.Extent.X*(1-l.Origin.X))))
	h := min(l.H, int(math.Ceil(float64(l.H)/l.Extent.Y*(1-l.Origin.Y))))
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

// LogitsOf turns a mask into logits of ±amplitude on a grid of w×h cells with the given extent: a mask prompt. A logit is
// graded by the share of its cell that the mask covers, so the edge lies where the mask's does, to a fraction of a cell;
// padding outside the picture is −amplitude. The grid begins at the frame's corner; LogitsOn has one that begins elsewhere.
func LogitsOf(m *Mask, w, h int, extent Point, amplitude float32) *Logits {
	return LogitsOn(m, w, h, Point{}, extent, amplitude)
}

// LogitsOn is LogitsOf on a grid that begins at origin.
func LogitsOn(m *Mask, w, h int, origin, extent Point, amplitude float32) *Logits {
	l := &Logits{W: w, H: h, Origin: origin, Extent: extent, Data: make([]float32, w*h)}
	for i := range l.Data {
		l.Data[i] = -amplitude
	}
	if m.Rect.Empty() {
		return l
	}
	cw, ch := extent.X/float64(w)*float64(m.W), extent.Y/float64(h)*float64(m.H) // a logit's size in mask cells
	ox, oy := origin.X*float64(m.W), origin.Y*float64(m.H)
	left, right := covering(float64(m.Rect.Min.X)-ox, float64(m.Rect.Max.X)-ox, cw, w)
	top, bottom := covering(float64(m.Rect.Min.Y)-oy, float64(m.Rect.Max.Y)-oy, ch, h)
	sum := make([]float64, m.Rect.Dx()+1)
	scale := 2 * float64(amplitude) / (cw * ch)
	for j := top; j < bottom; j++ {
		m.coverage(oy+float64(j)*ch, oy+float64(j+1)*ch, sum)
		row := l.Data[j*w:][:w]
		at := integral(sum, ox+float64(left)*cw-float64(m.Rect.Min.X))
		for i := left; i < right; i++ {
			next := integral(sum, ox+float64(i+1)*cw-float64(m.Rect.Min.X))
			row[i] = float32((next-at)*scale) - amplitude
			at = next
		}
	}
	return l
}

// covering are the cells of the given size, of n, that touch lo..hi.
func covering(lo, hi, size float64, n int) (first, end int) {
	return max(0, int(lo/size)), min(n, int(math.Ceil(hi/size)))
}

// coverage writes into sum, of length Rect.Dx()+1, the area that the mask covers between the heights y0 and y1 and left
// of each stored column's left edge, in cells.
func (m *Mask) coverage(y0, y1 float64, sum []float64) {
	clear(sum)
	first := max(m.Rect.Min.Y, int(y0))
	for y := first; y < m.Rect.Max.Y && float64(y) < y1; y++ {
		share := min(y1, float64(y+1)) - max(y0, float64(y))
		for i, b := range m.Row(y) {
			sum[i+1] += share * float64(b)
		}
	}
	for i := 1; i < len(sum); i++ {
		sum[i] += sum[i-1]
	}
}

// integral is the running sum at the real place v, flat outside.
func integral(sum []float64, v float64) float64 {
	v = min(max(v, 0), float64(len(sum)-1))
	i := int(v)
	if i+1 >= len(sum) {
		return sum[len(sum)-1]
	}
	return sum[i] + (sum[i+1]-sum[i])*(v-float64(i))
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
