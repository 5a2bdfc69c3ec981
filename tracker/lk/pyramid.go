package lk

import (
	"slices"

	"github.com/segedge/segedge/tracker/motion"
)

// plane is one level of a pyramid: w×h pixels with pad more on every side, where the edge repeats, so that no window needs to ask where the
// picture ends.
type plane struct {
	w, h, pad int
	stride    int
	pix       []byte
	slope     []slope
}

// slope is the gradient at a pixel by Sobel's kernels: 8 times the grey steps a pixel, ±1020.
type slope struct{ x, y int16 }

// at is the index of a pixel, which may lie in the padding.
func (p *plane) at(x, y int) int { return (y+p.pad)*p.stride + x + p.pad }

// resize sets the size; what the plane holds is then undefined.
func (p *plane) resize(w, h, pad int) {
	p.w, p.h, p.pad, p.stride = w, h, pad, w+2*pad
	n := p.stride * (h + 2*pad)
	p.pix = slices.Grow(p.pix[:0], n)[:n]
	p.slope = slices.Grow(p.slope[:0], n)[:n]
}

// row is a row of the picture without its padding.
func (p *plane) row(y int) []byte { return p.pix[p.at(0, y):][:p.w] }

// finish repeats the edges into the padding and takes the slopes.
func (p *plane) finish() {
	for y := range p.h {
		row := p.pix[p.at(-p.pad, y):][:p.stride]
		for i := range p.pad {
			row[i], row[p.pad+p.w+i] = row[p.pad], row[p.pad+p.w-1]
		}
	}
	for i := 1; i <= p.pad; i++ {
		copy(p.pix[p.at(-p.pad, -i):][:p.stride], p.pix[p.at(-p.pad, 0):])
		copy(p.pix[p.at(-p.pad, p.h-1+i):][:p.stride], p.pix[p.at(-p.pad, p.h-1):])
	}
	for y := 1; y < p.h+2*p.pad-1; y++ {
		p.slopes(y * p.stride)
	}
}

// slopes takes those of the padded row that begins at index i, but for its ends.
func (p *plane) slopes(i int) {
	n := p.stride - 2
	up, mid, down := p.pix[i-p.stride:][:n+2], p.pix[i:][:n+2], p.pix[i+p.stride:][:n+2]
	dst := p.slope[i+1:][:n]
	// Sobel's kernels are separable: columns are summed and differenced once, and each is used three times.
	s0, d0 := column(up[0], mid[0], down[0])
	s1, d1 := column(up[1], mid[1], down[1])
	for x := range dst {
		s2, d2 := column(up[x+2], mid[x+2], down[x+2])
		dst[x] = slope{int16(s2 - s0), int16(d0 + 2*d1 + d2)}
		s0, d0, s1, d1 = s1, d1, s2, d2
	}
}

func column(a, b, c byte) (sum, diff int32) {
	return int32(a) + 2*int32(b) + int32(c), int32(c) - int32(a)
}

// pyramid holds a picture and its halves, each smoothed by [1 2 1]/4 both ways and then thinned, so that pixel (x, y) of a level lies at
// (2x, 2y) of the one below.
type pyramid struct {
	stamp  uint64
	levels []plane
	sums   []uint16 // one smoothed row, scratch
}

// build fills the pyramid from a picture, unless it holds that very picture. Buffers are kept.
func (p *pyramid) build(k *Tuning, g *motion.Gray) {
	if g.Stamp != 0 && p.stamp == g.Stamp {
		return
	}
	p.stamp = g.Stamp
	n, pad := 1, max(k.Radius, k.Coarse)+2
	for w, h := g.W, g.H; (w+1)/2 >= k.LeastSide && (h+1)/2 >= k.LeastSide; n++ {
		w, h = (w+1)/2, (h+1)/2
	}
	for len(p.levels) < n {
		p.levels = append(p.levels, plane{})
	}
	p.levels = p.levels[:n]
	first := &p.levels[0]
	first.resize(g.W, g.H, pad)
	for y := range g.H {
		copy(first.row(y), g.Pix[y*g.W:])
	}
	first.finish()
	for i := 1; i < n; i++ {
		p.halve(&p.levels[i], &p.levels[i-1], pad)
		p.levels[i].finish()
	}
}

func (p *pyramid) halve(dst, src *plane, pad int) {
	dst.resize((src.w+1)/2, (src.h+1)/2, pad)
	n := 2*dst.w + 1
	p.sums = slices.Grow(p.sums[:0], n)[:n]
	for y := range dst.h {
		// From the pixel before the first to the one after the last: the padding serves them.
		up, mid, down := src.pix[src.at(-1, 2*y-1):][:n], src.pix[src.at(-1, 2*y):][:n], src.pix[src.at(-1, 2*y+1):][:n]
		sums := p.sums[:n]
		for x := range sums {
			sums[x] = uint16(up[x]) + 2*uint16(mid[x]) + uint16(down[x])
		}
		out := dst.row(y)
		for x := range out {
			s := sums[2*x:][:3]
			out[x] = byte((s[0] + 2*s[1] + s[2] + 8) >> 4)
		}
	}
}
