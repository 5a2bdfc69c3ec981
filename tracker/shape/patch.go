// Package shape carries a mask through the frames of a camera and adds up what speaks for each of its pixels. A Patch is what a keyframe
// showed, a Track the way that a patch has come, which is all that mask propagation needs; a Sum adds log-odds up into a new patch. It
// moves and compares masks, but decides nothing: how they move is told by package motion, what is believed by package tracker.
package shape

import (
	"image"
	"math"

	"github.com/segedge/segedge/seg"
)

// Patch holds the logits of one object in one frame on the reduced picture's grid, in steps of 1/Scale, only where they are worth keeping;
// all around it is outside. Immutable.
type Patch struct {
	W, H int // the grid
	Rect image.Rectangle
	data []int8
}

// What a patch is made of; arithmetic depends on it, and so it is not for tuning.
const (
	Scale   = 8.0  // int8 steps in a logit: ±15.9
	Outside = -127 // what lies outside the stored rectangle, in steps
)

// PatchOf puts a model's logits onto a grid of w×h cells.
func (k *Tuning) PatchOf(l *seg.Logits, w, h int) *Patch {
	core := l.Cut(w, h, seg.Threshold)
	p := &Patch{W: w, H: h}
	if core.Rect.Empty() {
		return p
	}
	p.Rect = core.Rect.Inset(-k.Margin).Intersect(l.Covered(w, h))
	p.data = make([]int8, 0, p.Rect.Dx()*p.Rect.Dy())
	sx, sy, ox, oy := l.Scale(w, h)
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		v := (float64(y)+0.5)*sy - oy - 0.5
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x++ {
			p.data = append(p.data, quantised(bilinear(l, (float64(x)+0.5)*sx-ox-0.5, v)))
		}
	}
	return p
}

// bilinear reads logits at a place in cells, held within them, in float64, where seg.Tap has float32: rounding to steps comes after, and a
// mask that hangs on it should not change with the last bit.
func bilinear(l *seg.Logits, x, y float64) float64 {
	x, y = min(max(x, 0), float64(l.W-1)), min(max(y, 0), float64(l.H-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, l.W-1), min(y0+1, l.H-1)
	fx, fy := x-float64(x0), y-float64(y0)
	a, b := float64(l.Data[y0*l.W+x0]), float64(l.Data[y0*l.W+x1])
	c, d := float64(l.Data[y1*l.W+x0]), float64(l.Data[y1*l.W+x1])
	top, bottom := a+(b-a)*fx, c+(d-c)*fx
	return top + (bottom-top)*fy
}

func quantised(v float64) int8 {
	return int8(math.Round(min(max(v*Scale, -127), 127)))
}

// At is the value at a place of the grid, bilinear, in steps.
func (p *Patch) At(x, y float64) float32 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int(fx)-p.Rect.Min.X, int(fy)-p.Rect.Min.Y
	dx, dy := p.Rect.Dx(), p.Rect.Dy()
	if uint(i) >= uint(dx) || uint(j) >= uint(dy) {
		return Outside
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
func (p *Patch) line(u, v, du, dv float64, dst []float32) {
	dx, dy := p.Rect.Dx(), p.Rect.Dy()
	u, v = u-float64(p.Rect.Min.X), v-float64(p.Rect.Min.Y)
	for i := range dst {
		out := float32(Outside)
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

// Cell is the value of a cell of the grid, in steps.
func (p *Patch) Cell(x, y int) int {
	if !(image.Point{X: x, Y: y}).In(p.Rect) {
		return Outside
	}
	return int(p.data[(y-p.Rect.Min.Y)*p.Rect.Dx()+x-p.Rect.Min.X])
}

// Area is the number of cells inside.
func (p *Patch) Area() int {
	n := 0
	for _, v := range p.data {
		if v > 0 {
			n++
		}
	}
	return n
}

// Middle is the middle of the stored rectangle.
func (p *Patch) Middle() image.Point { return p.Rect.Min.Add(p.Rect.Max).Div(2) }
