package tracker

import (
	"image"
	"math"

	"github.com/segedge/segedge/seg"
)

// patch holds the logits of one object in one frame on the working grid, in steps of 1/patchScale, only where they are
// worth keeping; all around it is outside. Immutable.
type patch struct {
	w, h int // the grid
	rect image.Rectangle
	data []int8
}

const (
	patchScale  = 8.0  // int8 steps in a logit: ±15.9
	patchMargin = 6    // cells kept around the positive ones
	patchOut    = -127 // what lies outside the stored rectangle
)

// patchOf puts a model's logits onto a grid of w×h cells.
func patchOf(l *seg.Logits, w, h int) *patch {
	core := l.Cut(w, h, seg.Threshold)
	p := &patch{w: w, h: h}
	if core.Rect.Empty() {
		return p
	}
	p.rect = core.Rect.Inset(-patchMargin).Intersect(l.Covered(w, h))
	p.data = make([]int8, p.rect.Dx()*p.rect.Dy())
	sx, sy, ox, oy := l.Scale(w, h)
	i := 0
	for y := p.rect.Min.Y; y < p.rect.Max.Y; y++ {
		v := (float64(y)+0.5)*sy - oy - 0.5
		for x := p.rect.Min.X; x < p.rect.Max.X; x++ {
			p.data[i] = quantise(sampleLogits(l, (float64(x)+0.5)*sx-ox-0.5, v))
			i++
		}
	}
	return p
}

func sampleLogits(l *seg.Logits, x, y float64) float64 {
	x, y = min(max(x, 0), float64(l.W-1)), min(max(y, 0), float64(l.H-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, l.W-1), min(y0+1, l.H-1)
	fx, fy := x-float64(x0), y-float64(y0)
	a, b := float64(l.Data[y0*l.W+x0]), float64(l.Data[y0*l.W+x1])
	c, d := float64(l.Data[y1*l.W+x0]), float64(l.Data[y1*l.W+x1])
	top, bottom := a+(b-a)*fx, c+(d-c)*fx
	return top + (bottom-top)*fy
}

func quantise(v float64) int8 {
	return int8(math.Round(min(max(v*patchScale, -127), 127)))
}

// at is the value at a place of the grid, bilinear, in steps.
func (p *patch) at(x, y float64) float32 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int(fx)-p.rect.Min.X, int(fy)-p.rect.Min.Y
	dx, dy := p.rect.Dx(), p.rect.Dy()
	if uint(i) >= uint(dx) || uint(j) >= uint(dy) {
		return patchOut
	}
	i1, j1 := min(i+1, dx-1), min(j+1, dy-1)
	ax, ay := float32(x-fx), float32(y-fy)
	r0, r1 := p.data[j*dx:][:dx], p.data[j1*dx:][:dx]
	a, b := float32(r0[i]), float32(r0[i1])
	c, d := float32(r1[i]), float32(r1[i1])
	top, bottom := a+(b-a)*ax, c+(d-c)*ax
	return top + (bottom-top)*ay
}

// line writes what lies along a line, from (u, v) on in steps of (du, dv), into dst, in steps.
func (p *patch) line(u, v, du, dv float64, dst []float32) {
	dx, dy := p.rect.Dx(), p.rect.Dy()
	u, v = u-float64(p.rect.Min.X), v-float64(p.rect.Min.Y)
	for i := range dst {
		out := float32(patchOut)
		if u >= 0 && v >= 0 {
			c, j := int(u), int(v)
			if c < dx-1 && j < dy-1 {
				o := j*dx + c
				top, bottom := p.data[o:o+2], p.data[o+dx:o+dx+2]
				fx, fy := float32(u-float64(c)), float32(v-float64(j))
				a := float32(top[0]) + float32(int(top[1])-int(top[0]))*fx
				b := float32(bottom[0]) + float32(int(bottom[1])-int(bottom[0]))*fx
				out = a + (b-a)*fy
			} else if c < dx && j < dy {
				out = float32(p.data[j*dx+c])
			}
		}
		dst[i] = out
		u, v = u+du, v+dv
	}
}

// cell is the value of a cell of the grid, in steps.
func (p *patch) cell(x, y int) int {
	if !(image.Point{X: x, Y: y}).In(p.rect) {
		return patchOut
	}
	return int(p.data[(y-p.rect.Min.Y)*p.rect.Dx()+x-p.rect.Min.X])
}

// area is the number of cells inside.
func (p *patch) area() int {
	n := 0
	for _, v := range p.data {
		if v > 0 {
			n++
		}
	}
	return n
}
