package tracker

import (
	"image"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// A box holds what it was put around: it moves and scales with it, gives way slowly, and is open at the edge of the picture.
func TestAHoldIsTheBoxOnItsWay(t *testing.T) {
	if heldBy(&seg.Prompt{Clicks: []seg.Click{{}}}, 100, 100) != nil {
		t.Error("a click holds nothing")
	}
	if heldBy(&seg.Prompt{Box: &seg.Box{X1: 1, Y1: 1}, Mask: &seg.Logits{}}, 100, 100) != nil {
		t.Error("a box beside a mask holds nothing")
	}
	h := heldBy(&seg.Prompt{Box: &seg.Box{X0: 0.2, Y0: 0.2, X1: 0.4, Y1: 0.4}}, 100, 100)
	if got := h.rect(100, 100); got != image.Rect(17, 17, 44, 44) {
		t.Errorf("at first %v", got)
	}
	clicked := heldBy(&seg.Prompt{
		Box: &seg.Box{X0: 0.2, Y0: 0.2, X1: 0.4, Y1: 0.4}, Clicks: []seg.Click{{Point: seg.Point{X: 0.6, Y: 0.3}, Label: seg.Positive}},
	}, 100, 100)
	if got := clicked.rect(100, 100); got.Max.X != 66 {
		t.Errorf("with a click outside %v", got)
	}
	m := track{Track: shape.NewTrack(&shape.Patch{W: 100, H: 100}, 1)}
	m.Back.Affine = motion.Shift(10, 0).Inverse()
	moved := h.carried(&m)
	if got := moved.rect(100, 100); got != image.Rect(27, 17, 54, 44) {
		t.Errorf("carried %v", got)
	}
	spilt := h
	for range 5 { // as far as it is let, again and again
		spilt = spilt.after(spilt.rect(100, 100), 100, 100)
	}
	if w := spilt.x1 - spilt.x0; w < 21 || w > 24 {
		t.Errorf("a box of 20 cells is %.1f wide after a mask has spilled five times", w)
	}
}

func TestAHoldIsOpenAtTheEdge(t *testing.T) {
	h := heldBy(&seg.Prompt{Box: &seg.Box{X0: 0, Y0: 0.2, X1: 0.1, Y1: 0.4}}, 100, 100)
	m := track{Track: shape.NewTrack(&shape.Patch{W: 100, H: 100}, 1)}
	m.Back.Affine = motion.Shift(20, 0).Inverse()
	in := h.carried(&m)
	if got := in.rect(100, 100); got.Min.X != 0 || got.Max.X > 34 {
		t.Errorf("what comes into the picture is held to %v", got)
	}
	whole := in.after(image.Rect(5, 20, 30, 40), 100, 100)
	if got := whole.rect(100, 100); got.Min.X == 0 || got.Min.X > 5 {
		t.Errorf("once it is all there it is held to %v", got)
	}
}
