package known

import (
	"image"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// turn is how a picture, a place or a mask may lie wrongly. Each undoes itself.
type turn uint8

const (
	upright    turn = iota
	transposed      // rows for columns
	upsideDown      // the last row first
	mirrored        // the last column first
)

// size is that of a turned picture of w×h.
func (t turn) size(w, h int) (int, int) {
	if t == transposed {
		return h, w
	}
	return w, h
}

// pixel is where one of a picture of w×h lies in the turned one.
func (t turn) pixel(x, y, w, h int) (int, int) {
	switch t {
	case transposed:
		return y, x
	case upsideDown:
		return x, h - 1 - y
	case mirrored:
		return w - 1 - x, y
	case upright:
	}
	return x, y
}

// point is where one of a picture of sides of 1 lies in the turned one.
func (t turn) point(p seg.Point) seg.Point {
	switch t {
	case transposed:
		return seg.Point{X: p.Y, Y: p.X}
	case upsideDown:
		return seg.Point{X: p.X, Y: 1 - p.Y}
	case mirrored:
		return seg.Point{X: 1 - p.X, Y: p.Y}
	case upright:
	}
	return p
}

// View is how a model is shown what it is asked, other than it is: a guess at what may be wrong with it. The zero value is as it is.
type View struct {
	swapped bool // blue for red
	shown   turn // the picture
	asked   turn // the places of the prompt
	told    turn // the masks of the answer
}

// clicksAlone reports whether boxes prove nothing in this view: what a box is answered with is held to the box as it was asked.
func (v *View) clicksAlone() bool { return v.asked != upright || v.told != upright }

func (v *View) picture(f *frame.Frame) *frame.Frame {
	if v == nil || !v.swapped && v.shown == upright {
		return f
	}
	out := frame.New(v.shown.size(f.Width, f.Height))
	for y := range f.Height {
		for x := range f.Width {
			tx, ty := v.shown.pixel(x, y, f.Width, f.Height)
			p, to := f.Pix[y*f.Stride()+3*x:][:3], out.Pix[ty*out.Stride()+3*tx:][:3]
			copy(to, p)
			if v.swapped {
				to[0], to[2] = p[2], p[0]
			}
		}
	}
	return out
}

func (v *View) prompt(p seg.Prompt) seg.Prompt {
	p = p.Clone()
	if v == nil {
		return p
	}
	for i := range p.Clicks {
		p.Clicks[i].Point = v.asked.point(p.Clicks[i].Point)
	}
	if b := p.Box; b != nil {
		one, two := v.asked.point(seg.Point{X: b.X0, Y: b.Y0}), v.asked.point(seg.Point{X: b.X1, Y: b.Y1})
		*b = seg.Box{X0: min(one.X, two.X), Y0: min(one.Y, two.Y), X1: max(one.X, two.X), Y1: max(one.Y, two.Y)}
	}
	return p
}

func (v *View) mask(l *seg.Logits, w, h int) *seg.Mask {
	if v == nil || v.told == upright {
		return l.Cut(w, h, seg.Threshold)
	}
	tw, th := v.told.size(w, h)
	m := l.Cut(tw, th, seg.Threshold)
	out := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for i, b := range m.Row(y) {
			tx, ty := v.told.pixel(m.Rect.Min.X+i, y, tw, th)
			out.Row(ty)[tx] = b
		}
	}
	return out.Trim()
}
