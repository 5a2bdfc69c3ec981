package eval

import (
	"fmt"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/seg"
)

// Paint draws a scored frame for people: each object's mask as the product paints it, the truth as a white outline, and a
// red bar along the upper edge where the frame was dropped. dst becomes a picture of its own with the frame's size and Meta.
func (r *FrameResult) Paint(p *overlay.Painter, dst *frame.Frame) error {
	dst.Resize(r.Frame.Width, r.Frame.Height)
	dst.Meta = r.Frame.Meta
	copy(dst.Pix, r.Frame.Pix)
	var objects []seg.Object
	for i, m := range r.Got {
		if m != nil {
			objects = append(objects, seg.Object{ID: seg.ID(i + 1), Name: r.label(i), State: seg.Tracking, Mask: m})
		}
	}
	if err := p.Paint(dst.Pix, dst.Width, dst.Height, objects); err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	for _, t := range r.Truth {
		outline(dst, t)
	}
	if r.Dropped {
		for i := 0; i < 4*dst.Stride() && i < len(dst.Pix); i += 3 {
			dst.Pix[i], dst.Pix[i+1], dst.Pix[i+2] = 0, 0, 220
		}
	}
	return nil
}

// label is the object's J in the frame, or its number where there is no truth.
func (r *FrameResult) label(i int) string {
	if i >= len(r.Truth) {
		return fmt.Sprintf("object %d", i+1)
	}
	return fmt.Sprintf("J %.2f", Region(onGrid(r.Got[i], r.Truth[i]), r.Truth[i]))
}

// outline draws a mask's outline in white.
func outline(f *frame.Frame, m *seg.Mask) {
	for _, c := range outlineOf(m.Resize(f.Width, f.Height)) {
		copy(f.Pix[int(c.y)*f.Stride()+3*int(c.x):][:3], []byte{255, 255, 255})
	}
}
