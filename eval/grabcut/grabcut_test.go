package grabcut

import (
	"image"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// scene is a bright block on dark ground, with grain, and its mask.
func scene(w, h int, r image.Rectangle) (*frame.Frame, *seg.Mask) {
	f, m := frame.New(w, h), seg.NewMask(w, h, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	for y := range h {
		for x := range w {
			v := byte(40 + (x*7+y*13)%17)
			if m.At(x, y) == 1 {
				v += 150
			}
			copy(f.Pix[y*f.Stride()+3*x:], []byte{v, v / 2, 255 - v})
		}
	}
	return f, m
}

func TestGrabCut(t *testing.T) {
	f, truth := scene(120, 80, image.Rect(45, 25, 85, 60))
	box := seg.Box{X0: 0.3, Y0: 0.25, X1: 0.8, Y1: 0.85}
	for name, p := range map[string]seg.Prompt{
		"click": {Clicks: []seg.Click{{Point: truth.Center(), Label: seg.Positive}}},
		"box":   {Box: &box},
	} {
		m, err := GrabCut{}.Segment(f, p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if iou := m.IoU(truth); iou < 0.95 {
			t.Errorf("%s: IoU %.3f with a plain block", name, iou)
		}
		again := make(chan *seg.Mask)
		go func() {
			m, _ := GrabCut{}.Segment(f, p)
			again <- m
		}()
		if m.IoU(<-again) != 1 {
			t.Errorf("%s: another time, another mask", name)
		}
	}
}

func TestGrabCutAtTheLimits(t *testing.T) {
	f, _ := scene(40, 30, image.Rect(10, 10, 20, 20))
	whole := seg.Box{X1: 1, Y1: 1}
	for name, p := range map[string]seg.Prompt{
		"a box of the whole picture": {Box: &whole},
		"a click in the corner":      {Clicks: []seg.Click{{Point: seg.Point{X: 1, Y: 1}, Label: seg.Positive}}},
	} {
		if m, err := (GrabCut{}).Segment(f, p); err != nil || m.W != 40 {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if _, err := (GrabCut{}).Segment(f, seg.Prompt{Text: "dog"}); err == nil {
		t.Error("words were taken")
	}
}
