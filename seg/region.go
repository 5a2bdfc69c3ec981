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
	best := 0
	for i, n := range g.cells {
		if n > g.cells[best] {
			best = i
		}
	}
	if len(g.cells) < 2 {
		return m
	}
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

// Clean is the mask without holes, and then without islands, of fewer than minArea cells; of islands that are all
// smaller the largest stays (Segment Anything, remove_small_regions). Islands hang together by edges or corners, holes by
// edges.
func (m *Mask) Clean(minArea int) *Mask {
	if m.Rect.Empty() || minArea < 2 {
		return m
	}
	grown := m.Rect.Inset(-1).Intersect(image.Rect(0, 0, m.W, m.H))
	holes := regions(m, grown, 0)
	small := func(i int) bool { return holes.cells[i] < minArea && !holes.open[i] }
	filled := holes.paint(m, small, 1)
	islands := regions(filled, filled.Rect, 1)
	largest := 0
	for _, n := range islands.cells {
		largest = max(largest, n)
	}
	drop := func(i int) bool { return islands.cells[i] < min(minArea, largest) }
	return islands.paint(filled, drop, 0).Trim()
}

// regionMap names, for each cell of a rectangle, the connected region that it belongs to.
type regionMap struct {
	rect   image.Rectangle
	labels []int32 // −1 for cells of the other value
	cells  []int   // of each region
	open   []bool  // region goes on outside the rectangle
}

// regions finds the connected regions of cells of the given value in rect: joined by edges, and for value 1 by corners.
func regions(m *Mask, rect image.Rectangle, value uint8) *regionMap {
	g := &regionMap{rect: rect, labels: make([]int32, rect.Dx()*rect.Dy())}
	for i := range g.labels {
		g.labels[i] = -1
	}
	grid := image.Rect(0, 0, m.W, m.H)
	var stack []image.Point
	visit := func(p image.Point) {
		i := (p.Y-rect.Min.Y)*rect.Dx() + p.X - rect.Min.X
		if g.labels[i] < 0 && m.At(p.X, p.Y) == value {
			g.labels[i] = int32(len(g.cells))
			stack = append(stack, p)
		}
	}
	near := []image.Point{{X: 1}, {X: -1}, {Y: 1}, {Y: -1}, {X: 1, Y: 1}, {X: 1, Y: -1}, {X: -1, Y: 1}, {X: -1, Y: -1}}
	near = near[:4+4*int(value)]
	for y := rect.Min.Y; y < rect.Max.Y; y++ {
		for x := rect.Min.X; x < rect.Max.X; x++ {
			visit(image.Pt(x, y))
			if len(stack) == 0 {
				continue
			}
			n, open := 0, false
			for len(stack) > 0 {
				p := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				n++
				for _, d := range near {
					if q := p.Add(d); q.In(rect) {
						visit(q)
					} else if q.In(grid) {
						open = true
					}
				}
			}
			g.cells, g.open = append(g.cells, n), append(g.open, open)
		}
	}
	return g
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
