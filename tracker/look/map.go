package look

import "github.com/segedge/segedge/seg"

// Map says of each of its cells how much it looks like an object; the cells are those of Logits.
type Map struct{ *seg.Logits }

// Everywhere is the box of the whole frame and its padding.
var Everywhere = seg.Box{X1: 2, Y1: 2}

// Middle is the normalised centre of cell i.
func (p Map) Middle(i int) (x, y float64) {
	return p.Origin.X + (float64(i%p.W)+0.5)/float64(p.W)*p.Extent.X, p.Origin.Y + (float64(i/p.W)+0.5)/float64(p.H)*p.Extent.Y
}

// Peak is the cell in the picture, not in its padding, with the largest value; -1 without one.
func (p Map) Peak() int {
	best := -1
	for i, s := range p.Data {
		if best >= 0 && s <= p.Data[best] {
			continue
		}
		if x, y := p.Middle(i); (seg.Point{X: x, Y: y}).In01() {
			best = i
		}
	}
	return best
}

// sure is the logit of what a flood has reached, and its negative that of the rest: the amplitude of a mask prompt.
const sure = 6

// Flood is the connected cells above floor around a cell, as a mask prompt.
func (p Map) Flood(from int, floor float32) *seg.Logits {
	out := &seg.Logits{W: p.W, H: p.H, Origin: p.Origin, Extent: p.Extent, Data: make([]float32, len(p.Data))}
	for i := range out.Data {
		out.Data[i] = -sure
	}
	stack := []int{from}
	out.Data[from] = sure
	visit := func(i int) {
		if p.Data[i] > floor && out.Data[i] < 0 {
			out.Data[i] = sure
			stack = append(stack, i)
		}
	}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x, y := i%p.W, i/p.W
		if x > 0 {
			visit(i - 1)
		}
		if x < p.W-1 {
			visit(i + 1)
		}
		if y > 0 {
			visit(i - p.W)
		}
		if y < p.H-1 {
			visit(i + p.W)
		}
	}
	return out
}
