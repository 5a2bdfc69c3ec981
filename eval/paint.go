package eval

import (
	"fmt"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/seg"
)

// brush draws scored frames.
type brush struct{ masks, labels *overlay.Painter }

func newBrush() (*brush, error) {
	masks, err := overlay.New(overlay.Options{NoLabels: true})
	if err != nil {
		return nil, err
	}
	labels, err := overlay.New(overlay.Options{})
	return &brush{masks, labels}, err
}

// paint draws a scored frame for people: each object's mask as the product paints it, the truth as a thin white outline, each
// object's J in the lower left corner, and a red bar along the upper edge where the frame was dropped. dst becomes a
// picture of its own with the frame's size and Meta.
func (b *brush) paint(r *FrameResult, dst *frame.Frame) error {
	dst.Resize(r.Frame.Width, r.Frame.Height)
	dst.Meta = r.Frame.Meta
	copy(dst.Pix, r.Frame.Pix)
	var masks, labels []seg.Object
	for i, m := range r.Got {
		o := seg.Object{ID: seg.ID(i + 1), State: seg.Tracking, Mask: m}
		masks = append(masks, o)
		o.Name, o.Mask = r.label(i), nil // an object without a mask has its label in the corner
		labels = append(labels, o)
	}
	if err := b.masks.Paint(dst.Pix, dst.Width, dst.Height, masks); err != nil {
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
	if err := b.labels.Paint(dst.Pix, dst.Width, dst.Height, labels); err != nil {
		return fmt.Errorf("overlay: %w", err)
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
