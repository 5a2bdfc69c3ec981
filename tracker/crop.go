package tracker

import (
	"math"

	"github.com/segedge/segedge/seg"
)

// cropper chooses what keyframes show. A keyframe need not show the whole frame: the encoder sees a picture of a fixed size, so what is
// left out of it is sharpness won for the objects, at no cost. Now and then the whole frame is looked at all the same: for what is lost,
// and to know the objects at that scale too, should they get lost.
type cropper struct {
	cropped bool   // since the last whole frame
	last    uint64 // the last whole frame
	aside   uint64 // the last whole frame that was taken only to look around
}

// whole is the box of the whole frame.
var whole = seg.Box{X1: 1, Y1: 1}

// next is what a keyframe shows of frame now: the crop of that size about a box or, now and then, at the latest some frames after the last
// one, and where something hidden is looked for, the whole frame.
func (w *cropper) next(about seg.Box, size float64, hidden bool, now, after uint64) (seg.Box, bool) {
	long := now-min(w.last, now) >= after
	if (long || hidden) && w.cropped { // never twice running, however seldom keyframes are: it asks nothing about what is visible
		*w = cropper{last: now, aside: now}
		return whole, false
	}
	w.cropped = true
	m := about.Center()
	x, y := min(max(m.X-size/2, 0), 1-size), min(max(m.Y-size/2, 0), 1-size)
	return seg.Box{X0: x, Y0: y, X1: x + size, Y1: y + size}, true
}

// cropSize is the side of a crop that holds a box, as a share of the frame's.
func (k *Tuning) cropSize(b seg.Box) float64 {
	need := max(b.X1-b.X0, b.Y1-b.Y0, leastCrop)
	return min(1, math.Ceil(need/k.CropStep)*k.CropStep)
}
