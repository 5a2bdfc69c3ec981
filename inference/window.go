package inference

import (
	"cmp"
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
)

// WindowRule says when a prompt that carries a mask is decoded on a part of the embedding alone: an object that is followed concerns its
// surroundings, and a decoder costs by the cell. A prompt that asks for something new, with a box or with a click that the mask
// contradicts, is shown everything. The zero value is never.
type WindowRule struct {
	Margin float64 // on each side of what the prompt shows, as a part of its longer side
	Least  int     // the margin is at least so many pixels of the input
	Most   float64 // the part of the input above which a window is not worth it
	Call   int     // pixels of input that cost as much as one more call of the decoder
	Floor  float32 // the logit outside of the window
}

// window is the part of the input, in whole grid cells, on which a prompt is decoded; empty for all of it.
func (f *Family) window(g *geometry, p *seg.Prompt) image.Rectangle {
	r := &f.Ask.Window
	if r.Margin <= 0 || p.Mask == nil || p.Box != nil {
		return image.Rectangle{}
	}
	b, ok := shown(p)
	if !ok {
		return image.Rectangle{}
	}
	x0, y0, x1, y1 := b.X0*float64(g.sw), b.Y0*float64(g.sh), b.X1*float64(g.sw), b.Y1*float64(g.sh)
	margin, grid := max(r.Margin*max(x1-x0, y1-y0), float64(r.Least)), float64(f.Image.Grid)
	down := func(v float64) int { return f.Image.Grid * int(math.Floor((v-margin)/grid)) }
	up := func(v float64) int { return f.Image.Grid * int(math.Ceil((v+margin)/grid)) }
	w := image.Rect(down(x0), down(y0), up(x1), up(y1)).Intersect(image.Rect(0, 0, g.tw, g.th))
	if float64(area(w.Size())) > r.Most*float64(g.tw*g.th) {
		return image.Rectangle{}
	}
	return w
}

func area(p image.Point) int { return p.X * p.Y }

// shown is the box around all that a prompt with a mask shows, normalised: the mask's positive cells and the clicks. False where there are
// none, or a click contradicts the mask.
func shown(p *seg.Prompt) (seg.Box, bool) {
	l := p.Mask
	x0, y0, x1, y1 := l.W, l.H, 0, 0
	for y := range l.H {
		for x, v := range l.Data[y*l.W:][:l.W] {
			if v > seg.Threshold {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), y+1
			}
		}
	}
	if x1 == 0 {
		return seg.Box{}, false
	}
	from, to := corner(l, x0, y0), corner(l, x1, y1)
	b := seg.Box{X0: from.X, Y0: from.Y, X1: to.X, Y1: to.Y}
	for _, c := range p.Clicks {
		x, y := math.Floor((c.X-from.X)/(to.X-from.X)*float64(x1-x0)), math.Floor((c.Y-from.Y)/(to.Y-from.Y)*float64(y1-y0))
		inside := x >= 0 && x < float64(x1-x0) && y >= 0 && y < float64(y1-y0) && l.Data[(y0+int(y))*l.W+x0+int(x)] > seg.Threshold
		if inside != (c.Label == seg.Positive) {
			return seg.Box{}, false
		}
		b = seg.Box{X0: min(b.X0, c.X), Y0: min(b.Y0, c.Y), X1: max(b.X1, c.X), Y1: max(b.Y1, c.Y)}
	}
	return b.Clip(), true
}

// around is the window of this size around r, within the input, on the family's grid.
func (g *geometry) around(r image.Rectangle, size image.Point, grid int) image.Rectangle {
	place := func(lo, n, size, all int) int { return max(0, min((lo-(size-n)/2)/grid*grid, all-size)) }
	at := image.Pt(place(r.Min.X, r.Dx(), size.X, g.tw), place(r.Min.Y, r.Dy(), size.Y, g.th))
	return image.Rectangle{Min: at, Max: at.Add(size)}
}

// cutOut copies the window r of a map [1,C,H,W], whose cells are stride pixels of the input, to the end of dst.
func cutOut(dst []float32, t *Tensor, r image.Rectangle, stride int) []float32 {
	c, h, w := int(t.Shape[1]), int(t.Shape[2]), int(t.Shape[3])
	x, n := r.Min.X/stride, r.Dx()/stride
	for i := range c {
		for y := r.Min.Y / stride; y < r.Max.Y/stride; y++ {
			dst = append(dst, t.Float32[(i*h+y)*w+x:][:n]...)
		}
	}
	return dst
}

// paste puts the answer about a window into one about the whole input, of w×h cells.
func (g *geometry) paste(window []float32, w, h int, floor float32) []float32 {
	out := make([]float32, w*h)
	for i := range out {
		out[i] = floor
	}
	ww, wh := g.ew/stride, g.eh/stride
	for y := range wh {
		copy(out[(g.oy/stride+y)*w+g.ox/stride:], window[y*ww:][:ww])
	}
	return out
}

// groupWindows sorts the prompts that have windows into calls: those of one call have windows of one size, and where the decoder takes
// only one embedding for all of them, the same window.
func (a *ask) groupWindows(m *model, prompts []seg.Prompt) {
	order := a.order[:0]
	for i := range prompts {
		if !a.windows[i].Empty() {
			order = append(order, i)
		}
	}
	a.order = order
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(area(a.windows[j].Size()), area(a.windows[i].Size())) })
	first := len(a.calls)
	for _, i := range order {
		n := m.family.Ask.tokens(&prompts[i])
		c := a.roomFor(m, i, first)
		c.at = append(c.at, i)
		c.n = max(c.n, n)
		size := a.windows[i].Size()
		c.size = image.Pt(max(c.size.X, size.X), max(c.size.Y, size.Y))
	}
}

// roomFor is the call that prompt i joins most cheaply, or a new one.
func (a *ask) roomFor(m *model, i, first int) *call {
	own := a.windows[i].Size()
	for k := first; k < len(a.calls); k++ {
		c := &a.calls[k]
		both := image.Pt(max(c.size.X, own.X), max(c.size.Y, own.Y))
		more := area(both)*(len(c.at)+1) - area(c.size)*len(c.at)
		switch {
		case len(c.at) >= m.opts.MaxBatch || !m.family.Ask.Batched:
		case m.ports.stacks && more <= area(own)+m.family.Ask.Window.Call, !m.ports.stacks && a.windows[c.at[0]] == a.windows[i]:
			return c
		}
	}
	return a.newCall()
}

// look is what the prompts of a call are shown: the whole input, or each its window.
func (a *ask) look(e *embedding, c *call) []geometry {
	a.views = append(a.views[:0], e.geometry)
	if c.size == (image.Point{}) {
		return a.views
	}
	a.views = a.views[:0]
	for _, i := range c.at {
		a.views = append(a.views, e.geometry.window(e.geometry.around(a.windows[i], c.size, e.m.family.Image.Grid)))
		if !e.m.ports.stacks {
			break
		}
	}
	return a.views
}

// embeds are the decoder's inputs of the picture: all of it, or the windows, one for each view.
func (a *ask) embeds(e *embedding, c *call) []Tensor {
	if c.size == (image.Point{}) {
		return e.inputs
	}
	a.inputs = a.inputs[:0]
	for i := range e.inputs {
		t := &e.inputs[i]
		every := e.m.family.Image.Strides[t.Name]
		a.maps[i] = a.maps[i][:0]
		for _, v := range a.views {
			a.maps[i] = cutOut(a.maps[i], t, image.Rect(v.ox, v.oy, v.ox+v.ew, v.oy+v.eh), every)
		}
		a.dims[i] = [4]int64{int64(len(a.views)), t.Shape[1], int64(c.size.Y / every), int64(c.size.X / every)}
		a.inputs = append(a.inputs, Tensor{Name: t.Name, Shape: a.dims[i][:], Float32: a.maps[i]})
	}
	return a.inputs
}
