package view

import (
	"math"

	"github.com/segedge/segedge/seg"
)

// plan is where each pixel of the picture comes from, for one size of the source: the first pixel, and how far it is to the next of a
// row and of a column, in bytes.
type plan struct {
	srcW, srcH int
	w, h       int
	start      int
	dx, dy     int
}

// fit plans for a source's size.
func (p *plan) fit(w, h int, o *Options) {
	if p.srcW == w && p.srcH == h {
		return
	}
	*p = plan{srcW: w, srcH: h}
	p.turn(o.Rotate)
	if o.FlipX {
		p.start += (p.w - 1) * p.dx
		p.dx = -p.dx
	}
	if o.FlipY {
		p.start += (p.h - 1) * p.dy
		p.dy = -p.dy
	}
	if o.Crop != (seg.Box{}) {
		x0, x1 := span(o.Crop.X0, o.Crop.X1, p.w)
		y0, y1 := span(o.Crop.Y0, o.Crop.Y1, p.h)
		p.start += y0*p.dy + x0*p.dx
		p.w, p.h = x1-x0, y1-y0
	}
}

// turn plans a rotation clockwise.
func (p *plan) turn(degrees int) {
	w, h, row := p.srcW, p.srcH, 3*p.srcW
	switch degrees {
	case 90: // the first row is the first column, read upwards
		p.w, p.h, p.start, p.dx, p.dy = h, w, (h-1)*row, -row, 3
	case 180:
		p.w, p.h, p.start, p.dx, p.dy = w, h, h*row-3, -3, -row
	case 270:
		p.w, p.h, p.start, p.dx, p.dy = h, w, row-3, row, -3
	default:
		p.w, p.h, p.dx, p.dy = w, h, 3, row
	}
}

// span is a part of n pixels: at least two, and an even number where there are.
func span(from, to float64, n int) (int, int) {
	a := min(int(math.Round(from*float64(n))), max(0, n-2))
	b := max(int(math.Round(to*float64(n))), a+2)
	b = min(b, n)
	if (b-a)%2 == 1 {
		b--
	}
	return a, max(b, a+1)
}

// tile is the side of the blocks in which a turned picture is copied, so that both sides stay in the cache.
const tile = 32

// copy fills a picture of the planned size.
func (p *plan) copy(dst, src []byte) {
	if p.dx == 3 {
		for y := range p.h {
			at := p.start + y*p.dy
			copy(dst[y*3*p.w:(y+1)*3*p.w], src[at:at+3*p.w])
		}
		return
	}
	for y0 := 0; y0 < p.h; y0 += tile {
		for x0 := 0; x0 < p.w; x0 += tile {
			p.copyTile(dst, src, x0, y0)
		}
	}
}

func (p *plan) copyTile(dst, src []byte, x0, y0 int) {
	x1, y1 := min(x0+tile, p.w), min(y0+tile, p.h)
	for y := y0; y < y1; y++ {
		from := p.start + y*p.dy + x0*p.dx
		for to, end := 3*(y*p.w+x0), 3*(y*p.w+x1); to < end; to += 3 {
			dst[to], dst[to+1], dst[to+2] = src[from], src[from+1], src[from+2]
			from += p.dx
		}
	}
}
