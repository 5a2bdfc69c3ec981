package view

import (
	"cmp"
	"math"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// run is a part of a row, in bytes of the picture.
type run struct{ from, to int }

// blackout makes polygons black. What it has to fill is worked out once for a size.
type blackout struct {
	w, h int
	runs []run
}

// apply makes the polygons black.
func (b *blackout) apply(f *frame.Frame, polygons [][]seg.Point) {
	if len(polygons) == 0 {
		return
	}
	if b.w != f.Width || b.h != f.Height {
		b.fit(f.Width, f.Height, polygons)
	}
	for _, r := range b.runs {
		clear(f.Pix[r.from:r.to])
	}
}

// fit works the runs out. A pixel that a polygon touches belongs to it: at the edges it is rather too much than too little.
func (b *blackout) fit(w, h int, polygons [][]seg.Point) {
	b.w, b.h, b.runs = w, h, b.runs[:0]
	for _, points := range polygons {
		for y := range h {
			for _, part := range cover(points, w, h, y) {
				b.runs = append(b.runs, run{3 * (y*w + part.from), 3 * (y*w + part.to)})
			}
		}
	}
}

// lookups are the heights within a row at which a polygon is cut.
var lookups = []float64{0, 0.25, 0.5, 0.75, 1}

// cover are the pixels of a row that a polygon touches, from and to.
func cover(points []seg.Point, w, h, y int) []run {
	var out []run
	for _, dy := range lookups {
		out = append(out, cut(points, w, h, float64(y)+dy)...)
	}
	out = append(out, corners(points, w, h, y)...)
	return out
}

// crossing is where an edge crosses a height, and which way it goes.
type crossing struct {
	x   float64
	way int
}

// cut is a polygon at a height in pixels, by the winding rule: what is crossed over itself is inside too.
func cut(points []seg.Point, w, h int, y float64) []run {
	var all []crossing
	for i, p := range points {
		q := points[(i+1)%len(points)]
		y0, y1 := p.Y*float64(h), q.Y*float64(h)
		if (y0 <= y) == (y1 <= y) {
			continue
		}
		way := 1
		if y0 > y1 {
			way = -1
		}
		all = append(all, crossing{(p.X + (q.X-p.X)*(y-y0)/(y1-y0)) * float64(w), way})
	}
	slices.SortFunc(all, func(a, b crossing) int { return cmp.Compare(a.x, b.x) })
	var out []run
	winding := 0
	for i, c := range all {
		if winding != 0 {
			out = append(out, pixels(all[i-1].x, c.x, w))
		}
		winding += c.way
	}
	return out
}

// corners are the pixels of a row that hold a corner, which no cut may meet.
func corners(points []seg.Point, w, h, y int) []run {
	var out []run
	for _, p := range points {
		if int(min(p.Y*float64(h), float64(h-1))) == y {
			out = append(out, pixels(p.X*float64(w), p.X*float64(w), w))
		}
	}
	return out
}

// pixels are those that a part of a row touches.
func pixels(from, to float64, w int) run {
	a, b := int(math.Floor(from)), int(math.Floor(to))+1
	return run{min(max(0, a), w), min(max(0, b), w)}
}
