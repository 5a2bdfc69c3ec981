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

// Flood is the connected cells above floor around a cell, as a mask prompt.
func (p Map) Flood(from int, floor float32) *seg.Logits {
	out := &seg.Logits{W: p.W, H: p.H, Origin: p.Origin, Extent: p.Extent, Data: make([]float32, len(p.Data))}
	for i := range out.Data {
		out.Data[i] = -sure
	}
	seg.Flood(p.W, p.H, from, false, func(cell int) bool {
		if out.Data[cell] > 0 || cell != from && p.Data[cell] <= floor {
			return false
		}
		out.Data[cell] = sure
		return true
	})
	return out
}
