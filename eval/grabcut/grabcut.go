// Package grabcut is the classical baseline of the click benchmark: OpenCV's GrabCut (Rother, Kolmogorov and Blake 2004) from one
// click or a box. It is no part of the agent, and needs cgo.
package grabcut

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"runtime"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// iterations of the fit of colours and cuts.
const iterations = 4

// Values of GrabCut's mask.
const (
	background = iota
	foreground
	maybeBackground
	maybeForeground
)

// GrabCut segments pictures. The zero value is ready; it holds nothing between calls.
type GrabCut struct{}

var _ eval.Classical = GrabCut{}

// Segment cuts the object out. A click becomes a disc of 12 % of the longer side that is probably the object, with a core a quarter
// of that which surely is; all else is probably background. Outside a box all is surely background.
func (GrabCut) Segment(f *frame.Frame, p seg.Prompt) (*seg.Mask, error) {
	runtime.LockOSThread() // OpenCV keeps its random numbers by thread; every picture shall begin with the same ones
	defer runtime.UnlockOSThread()
	gocv.SetRNGSeed(1)
	picture, err := gocv.NewMatFromBytes(f.Height, f.Width, gocv.MatTypeCV8UC3, f.Pix)
	if err != nil {
		return nil, fmt.Errorf("grabcut: %w", err)
	}
	mask := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(maybeBackground, 0, 0, 0), f.Height, f.Width, gocv.MatTypeCV8U)
	behind, before := gocv.NewMat(), gocv.NewMat()
	defer closeAll(&picture, &mask, &behind, &before)
	switch {
	case p.Box != nil:
		gocv.GrabCut(picture, &mask, pixels(*p.Box, f), &behind, &before, iterations, gocv.GCInitWithRect)
	case len(p.Clicks) == 1:
		at := image.Pt(int(p.Clicks[0].X*float64(f.Width)), int(p.Clicks[0].Y*float64(f.Height)))
		radius := max(3, max(f.Width, f.Height)*12/100)
		disc(&mask, at, radius, maybeForeground)
		disc(&mask, at, max(2, radius/4), foreground)
		gocv.GrabCut(picture, &mask, image.Rectangle{}, &behind, &before, iterations, gocv.GCInitWithMask)
	default:
		return nil, errors.New("grabcut: one click or a box is needed")
	}
	return maskOf(&mask)
}

// pixels is the box on the frame's grid, leaving a pixel of background.
func pixels(b seg.Box, f *frame.Frame) image.Rectangle {
	w, h := float64(f.Width), float64(f.Height)
	r := image.Rect(int(b.X0*w+0.5), int(b.Y0*h+0.5), int(b.X1*w+0.5), int(b.Y1*h+0.5))
	if whole := image.Rect(0, 0, f.Width, f.Height); r.Eq(whole) {
		return whole.Inset(1) // GrabCut refuses a picture without background
	}
	return r
}

func disc(m *gocv.Mat, at image.Point, radius int, value uint8) {
	gocv.Circle(m, at, radius, color.RGBA{value, value, value, 0}, -1)
}

// maskOf are the cells of the object, sure or probable.
func maskOf(m *gocv.Mat) (*seg.Mask, error) {
	data, err := m.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("grabcut: %w", err)
	}
	out := seg.NewMask(m.Cols(), m.Rows(), image.Rect(0, 0, m.Cols(), m.Rows()))
	for i, v := range data {
		if v == foreground || v == maybeForeground {
			out.Bits[i] = 1
		}
	}
	return out.Trim(), nil
}

func closeAll(mats ...*gocv.Mat) {
	for _, m := range mats {
		_ = m.Close() // frees C memory; nothing can be done about an error here
	}
}
