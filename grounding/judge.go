package grounding

import (
	"context"
	"image"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// judge looks at the colours of what is in boxes.
type judge struct {
	f     *frame.Frame
	s     inference.Segmenter
	light *light
	e     inference.Embedding // once it was needed
}

// close gives back what looking took.
func (j *judge) close() error {
	if j.e == nil {
		return nil
	}
	return j.e.Close()
}

// colours are those of the thing in a box: of its mask, or where there is none of the ellipse in the middle of the box.
func (j *judge) colours(ctx context.Context, b seg.Box) (colours, error) {
	if j.light == nil {
		l := lightOf(j.f)
		j.light = &l
	}
	m, err := j.mask(ctx, b)
	if err != nil {
		return colours{}, err
	}
	if m == nil || m.Count() < 16 {
		m = middle(j.f.Width, j.f.Height, b)
	}
	return coloursOf(j.f, m, *j.light), nil
}

func (j *judge) mask(ctx context.Context, b seg.Box) (m *seg.Mask, err error) {
	if j.s == nil || !j.s.Info().Kinds.Box {
		return nil, nil //nolint:nilnil // no mask is an answer
	}
	if j.e == nil {
		if j.e, err = j.s.Embed(ctx, j.f); err != nil {
			return nil, err
		}
	}
	a, err := j.e.Decode(ctx, []seg.Prompt{{Box: &b, Single: true}})
	if err != nil || a[0].Best() == nil {
		return nil, err
	}
	return a[0].Best().Logits.Cut(j.f.Width, j.f.Height, seg.Threshold), nil
}

// middle is the ellipse of half the size of a box.
func middle(w, h int, b seg.Box) *seg.Mask {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	cx, cy, rx, ry := (b.X0+b.X1)/2*float64(w), (b.Y0+b.Y1)/2*float64(h), (b.X1-b.X0)/4*float64(w), (b.Y1-b.Y0)/4*float64(h)
	for y := range h {
		row := m.Row(y)
		for x := range row {
			dx, dy := (float64(x)+0.5-cx)/max(rx, 1), (float64(y)+0.5-cy)/max(ry, 1)
			if dx*dx+dy*dy <= 1 {
				row[x] = 1
			}
		}
	}
	return m.Trim()
}
