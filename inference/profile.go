package inference

import (
	"fmt"
	"strings"

	"github.com/segedge/segedge/seg"
)

// Profiles are the smallest, usual and largest shapes of all inputs that vary, in TensorRT's words. They are fixed for a
// model, so that no new number of points or prompts builds an engine again.
type Profiles struct{ Min, Opt, Max string }

// Profiles computes the shapes for a model whose calls take at most maxBatch prompts.
func (r *Recognised) Profiles(maxBatch int) (Profiles, error) {
	if maxBatch <= 0 {
		maxBatch = defaultBatch
	}
	var lists [3][]string
	for _, f := range []*File{r.Encoder, r.Decoder} {
		if f == nil {
			continue
		}
		c, err := f.Contract()
		if err != nil {
			return Profiles{}, err
		}
		for _, p := range c.Inputs {
			for i, size := range r.Family.sizes(maxBatch) {
				if s, varies := size.of(&r.Family, p); varies {
					lists[i] = append(lists[i], s)
				}
			}
		}
	}
	return Profiles{strings.Join(lists[0], ","), strings.Join(lists[1], ","), strings.Join(lists[2], ",")}, nil
}

// size is one point of a profile.
type size struct{ prompts, points, w, h int }

// sizes are the smallest, the usual and the largest call.
func (f *Family) sizes(maxBatch int) [3]size {
	points := f.Ask.MaxPoints
	if points == 0 {
		points = seg.MaxClicks + 2
	}
	if !f.Ask.Batched {
		maxBatch = 1
	}
	side, low := f.Image.Side, f.Image.Grid
	if f.Image.Fit != FitGrid {
		side, low = 1024, 64
	}
	return [3]size{
		{1, 1, low, low},
		{min(4, maxBatch), 3, side, max(low, side*9/16/32*32)},
		{maxBatch, points, side, side},
	}
}

// of is the shape of an input, as "name:1x3x320x320", and whether it varies at all.
func (s size) of(f *Family, p Port) (string, bool) {
	dims, varies := make([]string, len(p.Shape)), false
	for i, d := range p.Shape {
		if d < 0 {
			d, varies = int64(s.dim(f, p, i)), true
		}
		dims[i] = fmt.Sprint(d)
	}
	return p.Name + ":" + strings.Join(dims, "x"), varies
}

// dim is the size of dimension i where the graph leaves it open.
func (s size) dim(f *Family, p Port, i int) int {
	last := len(p.Shape) - 1
	switch p.Name {
	case f.Ask.Points:
		return [...]int{2, s.points, s.prompts, 1}[last-i]
	case f.Ask.Labels:
		return [...]int{s.points, s.prompts, 1}[last-i]
	case f.Ask.Has:
		return s.prompts
	case f.Ask.Mask:
		return s.pixels(stride, last-i, s.prompts)
	}
	if every, ok := f.Image.Strides[p.Name]; ok {
		return s.pixels(every, last-i, 1)
	}
	if len(p.Shape) == 3 && i < 2 { // [height, width, 3]
		return [...]int{s.h, s.w}[i]
	}
	return s.pixels(1, last-i, 1)
}

// pixels is the width, the height or the batch of a picture-like input, counted from the last dimension.
func (s size) pixels(every, fromLast, batch int) int {
	switch fromLast {
	case 0:
		return s.w / every
	case 1:
		return s.h / every
	}
	return batch
}
