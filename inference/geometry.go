package inference

import (
	"image"

	"github.com/segedge/segedge/seg"
)

// stride is the size of a logit in pixels of the model's input, for families without a fixed grid.
const stride = 4

// geometry is where a picture of one size lies in a model's input.
type geometry struct {
	fw, fh int // the frame
	sw, sh int // the picture inside the input
	tw, th int // the input tensor
	ew, eh int // what the logits cover, in pixels of the input: the tensor, or more where the model pads by itself, or a window of it
	ox, oy int // where that begins, pixels of the input: 0 but for a window
}

// window is the geometry of a part of the input.
func (g geometry) window(r image.Rectangle) geometry {
	g.ox, g.oy, g.ew, g.eh = r.Min.X, r.Min.Y, r.Dx(), r.Dy()
	return g
}

// place computes the geometry of a frame of w×h.
func (r *ImageRule) place(w, h int) geometry {
	g := geometry{fw: w, fh: h}
	switch r.Fit {
	case FitFrame:
		g.sw, g.sh = w, h
	case FitSquash:
		g.sw, g.sh = r.Side, r.Side
	case FitGrid:
		g.sw, g.sh = r.longest(w, h, min(r.Side, max(w, h)))
	case FitPad, FitLong:
		g.sw, g.sh = r.longest(w, h, r.Side)
	}
	g.tw, g.th = g.sw, g.sh
	if r.Fit == FitGrid {
		g.tw, g.th = roundUp(g.sw, r.Grid), roundUp(g.sh, r.Grid)
	}
	if r.Fit == FitPad {
		g.tw, g.th = r.Side, r.Side
	}
	g.ew, g.eh = g.tw, g.th
	if r.Fit == FitLong {
		g.ew, g.eh = r.Side, r.Side
	}
	return g
}

// longest is w×h scaled so that the longer side is side.
func (r *ImageRule) longest(w, h, side int) (int, int) {
	half := 0.5 // int(x·scale + 0.5), ResizeLongestSide of Segment Anything
	if r.Truncate {
		half = 0
	}
	scale := float64(side) / float64(max(w, h))
	short := func(n int) int { return max(1, int(float64(n)*scale+half)) }
	if w >= h {
		return side, short(h)
	}
	return short(w), side
}

// extent is the part of the picture that the logits cover, above 1 where there is padding.
func (g *geometry) extent() seg.Point {
	return seg.Point{X: float64(g.ew) / float64(g.sw), Y: float64(g.eh) / float64(g.sh)}
}

// origin is where the logits begin in the picture.
func (g *geometry) origin() seg.Point {
	return seg.Point{X: float64(g.ox) / float64(g.sw), Y: float64(g.oy) / float64(g.sh)}
}

// grid is the size of a mask prompt and of the logits.
func (f *Family) grid(g geometry) (w, h int) {
	if f.Ask.Grid > 0 {
		return f.Ask.Grid, f.Ask.Grid
	}
	return g.ew / stride, g.eh / stride
}

// answer is the size that a decoder is told to answer at, where it asks: the points' own grid, or the picture at the
// size of the logits, so that the enlargement inside the graph, which nobody needs, costs the least.
func (f *Family) answer(g geometry) (w, h int) {
	if f.Ask.Frame > 0 {
		return f.Ask.Frame, f.Ask.Frame
	}
	w, h = f.grid(g)
	return max(1, w*g.sw/g.ew), max(1, h*g.sh/g.eh)
}

// points is what normalised coordinates are multiplied with and what is then added, on both axes.
func (f *Family) points(g geometry) (sx, sy, dx, dy float64) {
	a := &f.Ask
	sx, sy, dx, dy = float64(g.sw), float64(g.sh), a.Offset, a.Offset
	switch {
	case a.Frame > 0:
		sx, sy = float64(a.Frame), float64(a.Frame)
	case a.Square > 0:
		sx, sy = sx*float64(a.Square)/float64(g.ew), sy*float64(a.Square)/float64(g.eh)
	}
	if a.HalfOf > 0 {
		dx, dy = -0.5*sx/float64(a.HalfOf), -0.5*sy/float64(a.HalfOf)
	}
	return sx, sy, dx - float64(g.ox), dy - float64(g.oy)
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
