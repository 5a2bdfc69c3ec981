package inference

import (
	"fmt"
	"image"

	"github.com/segedge/segedge/seg"
)

// ask is the memory of one Decode: what is asked in which call, and one call's inputs.
type ask struct {
	windows []image.Rectangle // of each prompt; empty for the whole input
	order   []int
	calls   []call
	views   []geometry // of the prompts of one call: one for all, or each its own
	prompts []*seg.Prompt
	maps    [4][]float32 // windows of the embeddings
	dims    [4][4]int64

	points []float32
	labels []float32
	mask   []float32
	has    []float32
	size   []float32
	ints   []int64
	short  []int32
	shapes [5][4]int64
	inputs []Tensor
}

// supports reports the first thing about the prompt that the family cannot take.
func (f *Family) supports(p *seg.Prompt) error {
	k := &f.Ask.Kinds
	refuse := func(kind string) error { return &UnsupportedError{Family: f.Name, Kind: kind} }
	switch {
	case p.Text != "" && !k.Text:
		return refuse("text prompts")
	case p.Mask != nil && !k.Mask:
		return refuse("mask prompts")
	case p.Box != nil && !k.Box:
		return refuse("boxes")
	case len(p.Clicks) > 0 && !k.Points:
		return refuse("points")
	}
	for _, c := range p.Clicks {
		if c.Label == seg.Negative && !k.Negatives {
			return refuse("negative points")
		}
	}
	if n := f.Ask.tokens(p); f.Ask.MaxPoints > 0 && n > f.Ask.MaxPoints {
		return refuse(fmt.Sprintf("prompts of more than %d points (a box counts two), this one has %d", f.Ask.MaxPoints, n))
	}
	return p.Validate()
}

// tokens is the number of points that stand for a prompt: at least one.
func (r *PromptRule) tokens(p *seg.Prompt) int {
	n := len(p.Clicks)
	if p.Box != nil {
		n += 2
	} else if r.PadPoint {
		n++
	}
	return max(n, 1)
}

// The labels of points that are not clicks (Segment Anything, PromptEncoder).
const (
	topLeft     = 2
	bottomRight = 3
	padding     = -1
)

// write puts the prompt's points into rows of n points, padded with label −1.
func (f *Family) write(p *seg.Prompt, g geometry, points, labels []float32) {
	sx, sy, dx, dy := f.points(g)
	low := -1.0
	if f.Ask.FromZero {
		low = 0
	}
	i := 0
	put := func(q seg.Point, label float32) {
		points[2*i] = float32(max(q.X*sx+dx, low))
		points[2*i+1] = float32(max(q.Y*sy+dy, low))
		labels[i] = label
		i++
	}
	for _, c := range p.Clicks {
		put(c.Point, float32(c.Label))
	}
	if b := p.Box; b != nil {
		put(seg.Point{X: b.X0, Y: b.Y0}, topLeft)
		put(seg.Point{X: b.X1, Y: b.Y1}, bottomRight)
	}
	for ; i < len(labels); i++ {
		points[2*i], points[2*i+1], labels[i] = 0, 0, padding
	}
}

// fill lays the prompts out as the decoder's inputs, n points each, behind the embedding's tensors. Each prompt has a view, or all have
// one.
func (a *ask) fill(m *model, views []geometry, embeds []Tensor, prompts []*seg.Prompt, n int) []Tensor {
	p := len(prompts)
	a.ints, a.short = a.ints[:0], a.short[:0]
	a.points, a.labels = sized(a.points, 2*p*n), sized(a.labels, p*n)
	for i, q := range prompts {
		m.family.write(q, viewOf(views, i), a.points[2*i*n:][:2*n], a.labels[i*n:][:n])
	}
	a.inputs = append(a.inputs[:0], embeds...)
	a.add(m.ports.points, 0, a.points, p, n, 2)
	a.add(m.ports.labels, 1, a.labels, p, n)
	if m.ports.mask != nil {
		gw, gh := m.family.grid(views[0])
		a.fillMasks(views, prompts, gw, gh)
		a.add(m.ports.mask, 2, a.mask, p, 1, gh, gw)
		if m.family.Ask.OneHas {
			a.add(m.ports.has, 3, a.has[:1], 1)
		} else {
			a.add(m.ports.has, 3, a.has, p, 1)
		}
	}
	if m.ports.size != nil {
		w, h := m.family.answer(views[0])
		a.size = append(a.size[:0], float32(h), float32(w))
		a.add(m.ports.size, 4, a.size, 2)
	}
	return a.inputs
}

func viewOf(views []geometry, i int) geometry { return views[min(i, len(views)-1)] }

// fillMasks writes the mask prompts on the model's grid; a prompt without one has zeros there.
func (a *ask) fillMasks(views []geometry, prompts []*seg.Prompt, gw, gh int) {
	a.mask, a.has = sized(a.mask, len(prompts)*gw*gh), sized(a.has, len(prompts))
	for i, q := range prompts {
		cells := a.mask[i*gw*gh:][:gw*gh]
		if q.Mask == nil {
			clear(cells)
			a.has[i] = 0
			continue
		}
		a.has[i] = 1
		g := viewOf(views, i)
		regrid(cells, gw, gh, g.origin(), g.extent(), q.Mask)
	}
}

// add appends a tensor with the values in the port's type and rank; dims are padded with leading ones to that rank,
// or lose the last ones where they are 1.
func (a *ask) add(port *Port, slot int, values []float32, dims ...int) {
	if port == nil {
		return
	}
	shape := a.shapes[slot][:0]
	rank := len(dims)
	if port.Shape != nil {
		rank = len(port.Shape)
	}
	for range rank - len(dims) {
		shape = append(shape, 1)
	}
	for i, d := range dims {
		if i < rank || d != 1 {
			shape = append(shape, int64(d))
		}
	}
	t := Tensor{Name: port.Name, Shape: shape}
	switch port.Type {
	case "int64":
		from := len(a.ints)
		for _, v := range values {
			a.ints = append(a.ints, int64(v))
		}
		t.Int64 = a.ints[from:]
	case "int32":
		from := len(a.short)
		for _, v := range values {
			a.short = append(a.short, int32(v))
		}
		t.Int32 = a.short[from:]
	default:
		t.Float32 = values
	}
	a.inputs = append(a.inputs, t)
}

func sized(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}

// corner is where cell (x, y) of the logits begins in the picture.
func corner(l *seg.Logits, x, y int) seg.Point {
	return seg.Point{X: l.Origin.X + float64(x)*l.Extent.X/float64(l.W), Y: l.Origin.Y + float64(y)*l.Extent.Y/float64(l.H)}
}

// regrid samples logits bilinearly on another grid, from origin on; beyond their edge the nearest cell counts.
func regrid(dst []float32, w, h int, origin, extent seg.Point, l *seg.Logits) {
	if l.W == w && l.H == h && l.Extent == extent && l.Origin == origin {
		copy(dst, l.Data)
		return
	}
	sx := extent.X / float64(w) * float64(l.W) / l.Extent.X
	sy := extent.Y / float64(h) * float64(l.H) / l.Extent.Y
	ox, oy := (origin.X-l.Origin.X)*float64(l.W)/l.Extent.X-0.5, (origin.Y-l.Origin.Y)*float64(l.H)/l.Extent.Y-0.5
	for y := range h {
		row := seg.TapAt((float64(y)+0.5)*sy+oy, l.H)
		top, bottom := l.Data[row.I*l.W:][:l.W], l.Data[row.J*l.W:][:l.W]
		for x := range w {
			col := seg.TapAt((float64(x)+0.5)*sx+ox, l.W)
			a, b := col.Of(top), col.Of(bottom)
			dst[y*w+x] = a + (b-a)*row.F
		}
	}
}
