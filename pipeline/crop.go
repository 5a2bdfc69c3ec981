package pipeline

import (
	"image"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// crop cuts a part out of full frames, at the size at which the model sees it. Only the job in the embed lane uses it.
type crop struct {
	info   inference.Info
	part   image.Rectangle // of the frame, pixels
	box    seg.Box         // the same, normalised
	shrink frame.Shrinker
	small  *frame.Frame
}

// set says what to cut next: the part of a frame of w×h pixels within box.
func (c *crop) set(info inference.Info, w, h int, box seg.Box) *crop {
	c.info = info
	width, height := int((box.X1-box.X0)*float64(w)+0.5), int((box.Y1-box.Y0)*float64(h)+0.5)
	x, y := int(box.X0*float64(w)+0.5), int(box.Y0*float64(h)+0.5)
	c.part = image.Rect(x, y, x+width, y+height).Intersect(image.Rect(0, 0, w, h))
	fw, fh := float64(w), float64(h)
	c.box = seg.Box{
		X0: float64(c.part.Min.X) / fw,
		Y0: float64(c.part.Min.Y) / fh,
		X1: float64(c.part.Max.X) / fw,
		Y1: float64(c.part.Max.Y) / fh,
	}
	return c
}

// cut is the part, reduced, valid until the next call, and where it lies in the frame.
func (c *crop) cut(f *frame.Frame) (*frame.Frame, seg.Box) {
	w, h := c.info.Input(c.part.Dx(), c.part.Dy())
	if c.small == nil {
		c.small = frame.New(w, h)
	}
	c.shrink.ShrinkPart(c.small, f, c.part, w, h)
	return c.small, c.box
}
