package seg

import "image"

// Minus is the mask of the cells of m that are not in o, which lies on the same grid.
func (m *Mask) Minus(o *Mask) *Mask {
	out := NewMask(m.W, m.H, m.Rect)
	copy(out.Bits, m.Bits)
	r := m.Rect.Intersect(o.Rect)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		a := out.Row(y)[r.Min.X-out.Rect.Min.X:][:r.Dx()]
		for i, b := range o.Row(y)[r.Min.X-o.Rect.Min.X:][:r.Dx()] {
			a[i] &^= b
		}
	}
	return out.Trim()
}

// Largest is the largest part of the mask whose cells hang together by edges or corners; the first in scan order where
// several are.
func (m *Mask) Largest() *Mask {
	g := regions(m, m.Rect, 1)
	if len(g.cells) < 2 {
		return m
	}
	best := g.largest()
	return g.paint(m, func(i int) bool { return i != best }, 0).Trim()
}

// Piece is the part of the mask under p whose cells hang together by edges or corners, or the largest where p is not in the mask.
func (m *Mask) Piece(p Point) *Mask {
	x, y := int(p.X*float64(m.W)), int(p.Y*float64(m.H))
	if m.At(x, y) == 0 {
		return m.Largest()
	}
	g := regions(m, m.Rect, 1)
	if len(g.cells) < 2 {
		return m
	}
	own := int(g.labels[(y-m.Rect.Min.Y)*m.Rect.Dx()+x-m.Rect.Min.X])
	return g.paint(m, func(i int) bool { return i != own }, 0).Trim()
}

// Clean is the mask without holes, and then without islands, of fewer than minArea cells; where every island is that small the first
// of the largest stays (Segment Anything, remove_small_regions). Holes and islands hang together by edges or corners.
func (m *Mask) Clean(minArea int) *Mask {
	if m.Rect.Empty() || minArea < 2 {
		return m
	}
	holes := regions(m, m.Rect.Inset(-1).Intersect(image.Rect(0, 0, m.W, m.H)), 0)
	filled := holes.paint(m, func(i int) bool { return holes.cells[i] < minArea && !holes.open[i] }, 1)
	islands := regions(filled, filled.Rect, 1)
	largest := islands.largest()
	return islands.paint(filled, func(i int) bool { return islands.cells[i] < minArea && i != largest }, 0).Trim()
}

// regionMap names, for each cell of a rectangle, the connected region that it belongs to.
type regionMap struct {
	rect   image.Rectangle
	labels []int32 // −1 for cells of the other value
	cells  []int   // of each region
	open   []bool  // region reaches an edge of the rectangle behind which the grid goes on
}

// regions finds the regions of cells of the given value in rect that hang together by edges or corners.
func regions(m *Mask, rect image.Rectangle, value uint8) *regionMap {
	w, h := rect.Dx(), rect.Dy()
	g := &regionMap{rect: rect, labels: make([]int32, w*h)}
	for i := range g.labels {
		g.labels[i] = -1
	}
	grid := image.Rect(0, 0, m.W, m.H)
	n, open := 0, false
	take := func(i int) bool {
		x, y := rect.Min.X+i%w, rect.Min.Y+i/w
		if g.labels[i] >= 0 || m.At(x, y) != value {
			return false
		}
		g.labels[i] = int32(len(g.cells))
		open = open || !image.Rect(x-1, y-1, x+2, y+2).Intersect(grid).In(rect)
		n++
		return true
	}
	for from := range g.labels {
		n, open = 0, false
		if Flood(w, h, from, true, take); n > 0 {
			g.cells, g.open = append(g.cells, n), append(g.open, open)
		}
	}
	return g
}

// largest is the region of the most cells, the first of them in scan order.
func (g *regionMap) largest() int {
	best := 0
	for i, n := range g.cells {
		if n > g.cells[best] {
			best = i
		}
	}
	return best
}

// paint is m on the map's rectangle, the chosen regions set to value.
func (g *regionMap) paint(m *Mask, choose func(region int) bool, value uint8) *Mask {
	out := NewMask(m.W, m.H, g.rect)
	i := 0
	for y := g.rect.Min.Y; y < g.rect.Max.Y; y++ {
		for x := g.rect.Min.X; x < g.rect.Max.X; x++ {
			out.Bits[i] = m.At(x, y)
			if l := g.labels[i]; l >= 0 && choose(int(l)) {
				out.Bits[i] = value
			}
			i++
		}
	}
	return out
}
