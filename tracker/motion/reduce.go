package motion

import (
	"slices"

	"github.com/segedge/segedge/frame"
)

// reducer shrinks a frame to the working size, by the mean of the area under each new pixel, in colour and in grey.
type reducer struct {
	shrink frame.Shrinker
	small  *frame.Frame
}

// workingSize is the size that a frame is reduced to: at most width pixels wide, the frame's aspect, at least 2×2.
func workingSize(frameW, frameH, width int) (w, h int) {
	w = min(width, frameW)
	return max(2, w), max(2, min(frameH, (w*frameH+frameW/2)/frameW))
}

// reduce writes f's reduced picture into e.
func (r *reducer) reduce(f *frame.Frame, width int, e *Entry) {
	if r.small == nil {
		r.small = frame.New(2, 2)
	}
	w, h := workingSize(f.Width, f.Height, width)
	r.shrink.Shrink(r.small, f, w, h)
	e.Gray.W, e.Gray.H = w, h
	e.Gray.Pix = slices.Grow(e.Gray.Pix[:0], w*h)[:w*h]
	luma(e.Gray.Pix, r.small.Pix)
	e.BGR = append(e.BGR[:0], r.small.Pix...)
}

// luma is the BT.601 grey of packed BGR.
func luma(dst, bgr []byte) {
	bgr = bgr[:3*len(dst)]
	for i := range dst {
		p := bgr[3*i:][:3]
		dst[i] = byte((uint32(p[0])*29 + uint32(p[1])*150 + uint32(p[2])*77 + 128) >> 8)
	}
}
