package lk

import (
	"slices"

	"github.com/segedge/segedge/tracker"
)

// plane is one level of a pyramid.
type plane struct {
	w, h int
	pix  []byte
}

// pyramid holds a picture and its halves, each smoothed by [1 2 1]/4 both ways and then thinned, so that pixel (x, y) of a level lies at
// (2x, 2y) of the one below.
type pyramid struct {
	stamp  uint64
	levels []plane
	rows   []uint16 // one smoothed row, scratch
}

// leastSide is the least side of a level that is worth searching, pixels.
const leastSide = 24

// build fills the pyramid from a picture, unless it holds that very picture. Buffers are kept.
func (p *pyramid) build(g *tracker.Gray, most int) {
	if g.Stamp != 0 && p.stamp == g.Stamp {
		return
	}
	p.stamp = g.Stamp
	n := 1
	for w, h := g.W, g.H; n < most && (w+1)/2 >= leastSide && (h+1)/2 >= leastSide; n++ {
		w, h = (w+1)/2, (h+1)/2
	}
	for len(p.levels) < n {
		p.levels = append(p.levels, plane{})
	}
	p.levels = p.levels[:n]
	first := &p.levels[0]
	first.w, first.h = g.W, g.H
	first.pix = append(first.pix[:0], g.Pix...)
	for i := 1; i < n; i++ {
		p.halve(&p.levels[i], &p.levels[i-1])
	}
}

func (p *pyramid) halve(dst, src *plane) {
	dst.w, dst.h = (src.w+1)/2, (src.h+1)/2
	dst.pix = slices.Grow(dst.pix[:0], dst.w*dst.h)[:dst.w*dst.h]
	p.rows = slices.Grow(p.rows[:0], src.w)[:src.w]
	for y := range dst.h {
		mid := src.pix[2*y*src.w:][:src.w]
		up := src.pix[max(2*y-1, 0)*src.w:][:src.w]
		down := src.pix[min(2*y+1, src.h-1)*src.w:][:src.w]
		row := p.rows[:len(mid)]
		for x, v := range mid {
			row[x] = uint16(up[x]) + 2*uint16(v) + uint16(down[x])
		}
		out := dst.pix[y*dst.w:][:dst.w]
		for x := range out {
			l, r := max(2*x-1, 0), min(2*x+1, src.w-1)
			out[x] = byte((row[l] + 2*row[2*x] + row[r] + 8) >> 4)
		}
	}
}
