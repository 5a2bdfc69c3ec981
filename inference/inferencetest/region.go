package inferencetest

import (
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// picture is a small BGR image.
type picture struct {
	w, h int
	pix  []byte
}

// reduce takes the frame's pixel under each cell's centre: flat shapes stay flat.
func reduce(f *frame.Frame, w, h int) picture {
	p := picture{w: w, h: h, pix: make([]byte, 3*w*h)}
	for y := range h {
		row := f.Pix[(2*y+1)*f.Height/(2*h)*f.Stride():]
		for x := range w {
			copy(p.pix[3*(y*w+x):][:3], row[(2*x+1)*f.Width/(2*w)*3:])
		}
	}
	return p
}

// segment is the mask's logits: ±8, negative everywhere but in the regions of the positive clicks, else of the box,
// else of the mask. Nil where nothing is left.
func (e *embedding) segment(p seg.Prompt) *seg.Logits {
	w, h := e.pic.w, e.pic.h
	in := make([]bool, w*h)
	box := [4]int{0, 0, w, h}
	if p.Box != nil {
		x0, y0 := e.cell(seg.Point{X: p.Box.X0, Y: p.Box.Y0})
		x1, y1 := e.cell(seg.Point{X: p.Box.X1, Y: p.Box.Y1})
		box = [4]int{x0, y0, x1 + 1, y1 + 1}
	}
	seeds := e.seedsOf(p)
	for _, s := range seeds {
		e.region(s, box, in, true)
	}
	for _, c := range p.Clicks {
		if c.Label == seg.Negative {
			e.region(c.Point, box, in, false)
		}
	}
	l := &seg.Logits{W: w, H: h, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, w*h)}
	found := false
	for i, v := range in {
		l.Data[i] = -8
		if v {
			l.Data[i], found = 8, true
		}
	}
	if !found {
		return nil
	}
	return l
}

// seedsOf are the places that certainly belong to the object.
func (e *embedding) seedsOf(p seg.Prompt) []seg.Point {
	var seeds []seg.Point
	for _, c := range p.Clicks {
		if c.Label == seg.Positive {
			seeds = append(seeds, c.Point)
		}
	}
	switch {
	case len(seeds) > 0:
	case p.Box != nil:
		seeds = append(seeds, p.Box.Center())
	case p.Mask != nil:
		if m := p.Mask.Cut(e.pic.w, e.pic.h, seg.Threshold); m.Count() > 0 {
			seeds = append(seeds, inside(m))
		}
	}
	return seeds
}

// inside is the cell of the mask nearest to its centroid.
func inside(m *seg.Mask) seg.Point {
	c := m.Centroid()
	best, at := 9.0, c
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for i, b := range m.Row(y) {
			q := seg.Point{X: (float64(m.Rect.Min.X+i) + 0.5) / float64(m.W), Y: (float64(y) + 0.5) / float64(m.H)}
			if d := q.Sub(c); b != 0 && d.X*d.X+d.Y*d.Y < best {
				best, at = d.X*d.X+d.Y*d.Y, q
			}
		}
	}
	return at
}

func (e *embedding) cell(p seg.Point) (x, y int) {
	return min(max(int(p.X*float64(e.pic.w)), 0), e.pic.w-1), min(max(int(p.Y*float64(e.pic.h)), 0), e.pic.h-1)
}

// region writes value to the connected cells within box whose colour is that of the cell under at, or to a disc.
func (e *embedding) region(at seg.Point, box [4]int, in []bool, value bool) {
	x, y := e.cell(at)
	if e.s.opts.Disc > 0 {
		e.disc(x, y, in, value)
		return
	}
	w := e.pic.w
	seed := e.pic.pix[3*(y*w+x):][:3]
	seen := make([]bool, len(in))
	seg.Flood(w, e.pic.h, y*w+x, false, func(cell int) bool {
		x, y := cell%w, cell/w
		if seen[cell] || x < box[0] || y < box[1] || x >= box[2] || y >= box[3] || !e.similar(cell, seed) {
			return false
		}
		seen[cell], in[cell] = true, value
		return true
	})
}

func (e *embedding) similar(i int, seed []byte) bool {
	for c, v := range e.pic.pix[3*i:][:3] {
		if d := int(v) - int(seed[c]); d > e.s.opts.Tolerance || -d > e.s.opts.Tolerance {
			return false
		}
	}
	return true
}

func (e *embedding) disc(cx, cy int, in []bool, value bool) {
	r := e.s.opts.Disc
	for i := range in {
		dx, dy := float64(i%e.pic.w-cx), float64(i/e.pic.w-cy)
		if dx*dx+dy*dy <= r*r {
			in[i] = value
		}
	}
}
