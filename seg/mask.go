package seg

import "image"

// Mask is a binary mask on a grid of W×H cells that covers the whole frame. Only the cells of Rect are stored, all
// others are 0. The grid is often coarser than the frame. Immutable once published.
type Mask struct {
	W, H int
	Rect image.Rectangle // within 0,0–W,H; empty for a mask with no cell set
	Bits []uint8         // 0 or 1, row by row, len Rect.Dx()·Rect.Dy()
}

// NewMask makes an empty mask that stores the cells of rect, clipped to the grid.
func NewMask(w, h int, rect image.Rectangle) *Mask {
	rect = rect.Intersect(image.Rect(0, 0, w, h))
	return &Mask{W: w, H: h, Rect: rect, Bits: make([]uint8, rect.Dx()*rect.Dy())}
}

// At is 1 where the cell belongs to the mask; 0 elsewhere, also outside the grid.
func (m *Mask) At(x, y int) uint8 {
	if !(image.Point{x, y}).In(m.Rect) {
		return 0
	}
	return m.Bits[(y-m.Rect.Min.Y)*m.Rect.Dx()+x-m.Rect.Min.X]
}

// Row is the stored cells of grid row y, or nil where none are stored; its first cell is at column Rect.Min.X.
func (m *Mask) Row(y int) []uint8 {
	if y < m.Rect.Min.Y || y >= m.Rect.Max.Y {
		return nil
	}
	i := (y - m.Rect.Min.Y) * m.Rect.Dx()
	return m.Bits[i : i+m.Rect.Dx()]
}

// Count is the number of cells set.
func (m *Mask) Count() int {
	n := 0
	for _, b := range m.Bits {
		n += int(b)
	}
	return n
}

// Area is the fraction of the frame that the mask covers.
func (m *Mask) Area() float64 {
	if m.W == 0 || m.H == 0 {
		return 0
	}
	return float64(m.Count()) / float64(m.W*m.H)
}

// Contains reports whether the mask covers the normalised point p.
func (m *Mask) Contains(p Point) bool {
	return p.In01() && m.At(min(int(p.X*float64(m.W)), m.W-1), min(int(p.Y*float64(m.H)), m.H-1)) == 1
}

// Box is the tight normalised box of the cells set; the zero box for an empty mask.
func (m *Mask) Box() Box {
	r := m.tight()
	if r.Empty() {
		return Box{}
	}
	w, h := float64(m.W), float64(m.H)
	return Box{float64(r.Min.X) / w, float64(r.Min.Y) / h, float64(r.Max.X) / w, float64(r.Max.Y) / h}
}

// Centroid is the mean place of the cells set, normalised; the middle of the picture for an empty mask.
func (m *Mask) Centroid() Point {
	var n, sx, sy int
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for i, b := range m.Row(y) {
			if b != 0 {
				n++
				sx += m.Rect.Min.X + i
				sy += y
			}
		}
	}
	if n == 0 {
		return Point{0.5, 0.5}
	}
	return Point{(float64(sx)/float64(n) + 0.5) / float64(m.W), (float64(sy)/float64(n) + 0.5) / float64(m.H)}
}

// Trim is the same mask storing only its tight rectangle.
func (m *Mask) Trim() *Mask {
	r := m.tight()
	if r == m.Rect {
		return m
	}
	t := NewMask(m.W, m.H, r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		copy(t.Row(y), m.Row(y)[r.Min.X-m.Rect.Min.X:])
	}
	return t
}

// compact trims a mask that nobody else has seen, in the memory that it has.
func (m *Mask) compact() {
	r := m.tight()
	dx := r.Dx()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		copy(m.Bits[(y-r.Min.Y)*dx:][:dx], m.Row(y)[r.Min.X-m.Rect.Min.X:])
	}
	m.Rect, m.Bits = r, m.Bits[:dx*r.Dy()]
}

// IoU is the intersection over union of two masks on one grid: 1 where both are empty, 0 where the grids differ.
func (m *Mask) IoU(o *Mask) float64 {
	if m.W != o.W || m.H != o.H {
		return 0
	}
	inter := m.both(o)
	union := m.Count() + o.Count() - inter
	if union == 0 {
		return 1
	}
	return float64(inter) / float64(union)
}

// Nested is the share of the smaller of two masks on one grid that lies in the other: 0 where one is empty, or the grids differ.
func (m *Mask) Nested(o *Mask) float64 {
	if m.W != o.W || m.H != o.H {
		return 0
	}
	return float64(m.both(o)) / float64(max(min(m.Count(), o.Count()), 1))
}

// both counts the pixels that two masks on one grid have in common.
func (m *Mask) both(o *Mask) (inter int) {
	r := m.Rect.Intersect(o.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		a := m.Row(y)[r.Min.X-m.Rect.Min.X:][:r.Dx()]
		b := o.Row(y)[r.Min.X-o.Rect.Min.X:][:r.Dx()]
		for i := range a {
			inter += int(a[i] & b[i])
		}
	}
	return inter
}

// Resize is the mask on another grid, each new cell taken from the old cell under its centre.
func (m *Mask) Resize(w, h int) *Mask {
	if w == m.W && h == m.H {
		return m
	}
	if m.Rect.Empty() || w <= 0 || h <= 0 {
		return &Mask{W: w, H: h}
	}
	out := NewMask(w, h, image.Rect(
		m.Rect.Min.X*w/m.W-1, m.Rect.Min.Y*h/m.H-1, m.Rect.Max.X*w/m.W+2, m.Rect.Max.Y*h/m.H+2))
	cols := make([]int, out.Rect.Dx())
	for i := range cols {
		cols[i] = (2*(out.Rect.Min.X+i)+1)*m.W/(2*w) - m.Rect.Min.X
	}
	for y := out.Rect.Min.Y; y < out.Rect.Max.Y; y++ {
		src := m.Row((2*y + 1) * m.H / (2 * h))
		if src == nil {
			continue
		}
		dst := out.Row(y)
		for i, c := range cols {
			if c >= 0 && c < len(src) {
				dst[i] = src[c]
			}
		}
	}
	out.compact()
	return out
}

// tight is the smallest rectangle that holds every cell set.
func (m *Mask) tight() image.Rectangle {
	minX, minY, maxX, maxY := m.Rect.Max.X, -1, -1, -1
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		row := m.Row(y)
		first, last := span(row)
		if first < 0 {
			continue
		}
		if minY < 0 {
			minY = y
		}
		maxY = y
		minX = min(minX, m.Rect.Min.X+first)
		maxX = max(maxX, m.Rect.Min.X+last)
	}
	if minY < 0 {
		return image.Rectangle{}
	}
	return image.Rect(minX, minY, maxX+1, maxY+1)
}

// span is the first and last non-zero index of a row, or -1, -1.
func span(row []uint8) (first, last int) {
	first, last = -1, -1
	for i, b := range row {
		if b != 0 {
			first = i
			break
		}
	}
	if first < 0 {
		return first, last
	}
	for i := len(row) - 1; i >= first; i-- {
		if row[i] != 0 {
			return first, i
		}
	}
	return first, first
}
