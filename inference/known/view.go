package known

import (
	"image"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// View is how a model is shown what it is asked, other than it is: a guess at what may be wrong with it. The zero value is as it is.
type View struct {
	swapped    bool // blue for red
	turned     bool // the picture's rows for its columns
	turnedAsk  bool // the prompt's y for its x
	turnedMask bool // the answer's rows for its columns
}

func (v *View) picture(f *frame.Frame) *frame.Frame {
	if v == nil || !v.swapped && !v.turned {
		return f
	}
	out := frame.New(f.Width, f.Height)
	if v.turned {
		out.Resize(f.Height, f.Width)
	}
	for y := range f.Height {
		for x := range f.Width {
			p, at := f.Pix[y*f.Stride()+3*x:][:3], y*out.Stride()+3*x
			if v.turned {
				at = x*out.Stride() + 3*y
			}
			copy(out.Pix[at:at+3], p)
			if v.swapped {
				out.Pix[at], out.Pix[at+2] = p[2], p[0]
			}
		}
	}
	return out
}

func (v *View) prompt(p seg.Prompt) seg.Prompt {
	p = p.Clone()
	if v == nil || !v.turnedAsk {
		return p
	}
	for i := range p.Clicks {
		p.Clicks[i].X, p.Clicks[i].Y = p.Clicks[i].Y, p.Clicks[i].X
	}
	if b := p.Box; b != nil {
		*b = seg.Box{X0: b.Y0, Y0: b.X0, X1: b.Y1, Y1: b.X1}
	}
	return p
}

func (v *View) mask(l *seg.Logits, w, h int) *seg.Mask {
	if v == nil || !v.turnedMask {
		return l.Cut(w, h, seg.Threshold)
	}
	m := l.Cut(h, w, seg.Threshold)
	r := m.Rect
	out := seg.NewMask(w, h, image.Rect(r.Min.Y, r.Min.X, r.Max.Y, r.Max.X))
	for y := out.Rect.Min.Y; y < out.Rect.Max.Y; y++ {
		row := out.Row(y)
		for i := range row {
			row[i] = m.At(y, out.Rect.Min.X+i)
		}
	}
	return out
}
