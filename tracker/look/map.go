package look

import "github.com/segedge/segedge/seg"

// Map says of each of its cells how much it looks like an object; the cells are those of Logits.
type Map struct{ *seg.Logits }

// Everywhere is the box of the whole frame and its padding.
var Everywhere = seg.Box{X1: 2, Y1: 2}

// Middle is the normalised centre of cell i.
func (m Map) Middle(i int) (x, y float64) {
	return m.Origin.X + (float64(i%m.W)+0.5)/float64(m.W)*m.Extent.X, m.Origin.Y + (float64(i/m.W)+0.5)/float64(m.H)*m.Extent.Y
}

// Peak is the cell in the picture, not in its padding, with the largest value; -1 without one.
func (m Map) Peak() int {
	best := -1
	for i, s := range m.Data {
		if best >= 0 && s <= m.Data[best] {
			continue
		}
		if x, y := m.Middle(i); (seg.Point{X: x, Y: y}).In01() {
			best = i
		}
	}
	return best
}

// sure is the logit of what a flood has reached, and its negative that of the rest: the amplitude of a mask prompt.
const sure = 6

// Flood is the connected cells above floor around a cell, as a mask prompt.
func (m Map) Flood(from int, floor float32) *seg.Logits {
	out := &seg.Logits{W: m.W, H: m.H, Origin: m.Origin, Extent: m.Extent, Data: make([]float32, len(m.Data))}
	for i := range out.Data {
		out.Data[i] = -sure
	}
	stack := []int{from}
	out.Data[from] = sure
	visit := func(i int) {
		if m.Data[i] > floor && out.Data[i] < 0 {
			out.Data[i] = sure
			stack = append(stack, i)
		}
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x, y := i%m.W, i/m.W
		if x > 0 {
			visit(i - 1)
		}
		if x < m.W-1 {
			visit(i + 1)
		}
		if y > 0 {
			visit(i - m.W)
		}
		if y < m.H-1 {
			visit(i + m.W)
		}
	}
	return out
}
