package inference

import (
	"context"
	"slices"

	"github.com/segedge/segedge/seg"
)

// Cropped is an embedding of the part r of a frame, spoken to in the whole frame's coordinates: prompts are moved into the crop,
// answers and features back out of it. A click outside the crop is left out of a prompt that has a mask, and a box is cut off at the
// crop's edge. It takes e over.
func Cropped(e Embedding, r seg.Box) Embedding {
	c := &cropped{Embedding: e, at: seg.Point{X: r.X0, Y: r.Y0}, size: seg.Point{X: r.X1 - r.X0, Y: r.Y1 - r.Y0}}
	if f, ok := e.(Featured); ok {
		return &featuredCrop{c, f}
	}
	return c
}

type cropped struct {
	Embedding
	at, size seg.Point
}

// featuredCrop is a crop of a model that shows what it saw.
type featuredCrop struct {
	*cropped
	of Featured
}

// Decode answers prompts about the crop.
func (c *cropped) Decode(ctx context.Context, prompts []seg.Prompt) ([]seg.Prediction, error) {
	inner := make([]seg.Prompt, len(prompts))
	for i := range prompts {
		inner[i] = c.prompt(prompts[i])
	}
	out, err := c.Embedding.Decode(ctx, inner)
	for _, p := range out {
		for k := range p.Candidates {
			l := *p.Candidates[k].Logits
			l.Origin, l.Extent = c.point(l.Origin), seg.Point{X: l.Extent.X * c.size.X, Y: l.Extent.Y * c.size.Y}
			p.Candidates[k].Logits = &l
		}
	}
	return out, err
}

// prompt is a prompt in the crop's coordinates.
func (c *cropped) prompt(p seg.Prompt) seg.Prompt {
	p = p.Clone()
	for i := range p.Clicks {
		p.Clicks[i].Point = c.inner(p.Clicks[i].Point)
	}
	if p.Mask != nil {
		p.Clicks = slices.DeleteFunc(p.Clicks, func(k seg.Click) bool { return !k.In01() })
		l := *p.Mask
		l.Origin, l.Extent = c.inner(l.Origin), seg.Point{X: l.Extent.X / c.size.X, Y: l.Extent.Y / c.size.Y}
		p.Mask = &l
	}
	if b := p.Box; b != nil {
		from, to := c.inner(seg.Point{X: b.X0, Y: b.Y0}), c.inner(seg.Point{X: b.X1, Y: b.Y1})
		if cut := (seg.Box{X0: from.X, Y0: from.Y, X1: to.X, Y1: to.Y}).Clip(); cut.Valid() || p.Mask == nil {
			*b = cut
		} else {
			p.Box = nil
		}
	}
	return p
}

func (c *cropped) inner(p seg.Point) seg.Point {
	return seg.Point{X: (p.X - c.at.X) / c.size.X, Y: (p.Y - c.at.Y) / c.size.Y}
}

func (c *cropped) point(p seg.Point) seg.Point {
	return seg.Point{X: c.at.X + p.X*c.size.X, Y: c.at.Y + p.Y*c.size.Y}
}

// Model is the model that saw the crop, where that is said.
func (c *cropped) Model() string {
	if i, ok := c.Embedding.(Identified); ok {
		return i.Model()
	}
	return ""
}

// Features are those of the crop, where it lies in the frame.
func (c *featuredCrop) Features() []seg.Features {
	fs := c.of.Features()
	for i := range fs {
		f := &fs[i]
		f.Origin, f.Extent = c.point(f.Origin), seg.Point{X: f.Extent.X * c.size.X, Y: f.Extent.Y * c.size.Y}
	}
	return fs
}
