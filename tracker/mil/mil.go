// Package mil follows a box with OpenCV's MIL tracker (Babenko, Yang and Belongie, "Visual Tracking with Online Multiple Instance
// Learning", CVPR 2009). It is a baseline that the product is measured against; no camera runs it. It needs cgo.
package mil

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Tracker follows one box. One goroutine uses it.
type Tracker struct {
	mil  gocv.Tracker
	mat  gocv.Mat // C memory of its own, the frame's size
	size image.Point
}

// New makes a tracker. Close frees it.
func New() *Tracker { return &Tracker{mat: gocv.NewMat()} }

// ErrNotStarted is an Update before Init.
var ErrNotStarted = errors.New("mil: no box to follow yet")

// Init starts to follow box in f. It may be called again.
func (t *Tracker) Init(f *frame.Frame, box seg.Box) error {
	r := pixels(box, f.Width, f.Height)
	if r.Dx() < 2 || r.Dy() < 2 {
		return fmt.Errorf("mil: the box %v is smaller than two pixels", box)
	}
	if err := t.load(f); err != nil {
		return err
	}
	if t.mil != nil {
		if err := t.mil.Close(); err != nil {
			return fmt.Errorf("mil: %w", err)
		}
	}
	t.mil = gocv.NewTrackerMIL()
	if !t.mil.Init(t.mat, r) {
		return fmt.Errorf("mil: OpenCV does not take the box %v", box)
	}
	return nil
}

// Update is the box in the next frame, clipped to the picture, and whether the tracker believes in it.
func (t *Tracker) Update(f *frame.Frame) (seg.Box, bool, error) {
	if t.mil == nil {
		return seg.Box{}, false, ErrNotStarted
	}
	if err := t.load(f); err != nil {
		return seg.Box{}, false, err
	}
	r, ok := t.mil.Update(t.mat)
	w, h := float64(f.Width), float64(f.Height)
	box := seg.Box{X0: float64(r.Min.X) / w, Y0: float64(r.Min.Y) / h, X1: float64(r.Max.X) / w, Y1: float64(r.Max.Y) / h}.Clip()
	return box, ok && box.Valid(), nil
}

// Close frees what the tracker holds.
func (t *Tracker) Close() error {
	var err error
	if t.mil != nil {
		err = t.mil.Close()
	}
	return errors.Join(err, t.mat.Close())
}

func (t *Tracker) load(f *frame.Frame) error {
	if t.size != (image.Point{X: f.Width, Y: f.Height}) {
		if err := t.mat.Close(); err != nil {
			return fmt.Errorf("mil: %w", err)
		}
		t.mat = gocv.NewMatWithSize(f.Height, f.Width, gocv.MatTypeCV8UC3)
		t.size = image.Point{X: f.Width, Y: f.Height}
	}
	pix, err := t.mat.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("mil: %w", err)
	}
	copy(pix, f.Pix)
	return nil
}

// pixels is the box in whole pixels, within the picture.
func pixels(b seg.Box, w, h int) image.Rectangle {
	at := func(v float64, n int) int { return int(math.Round(v * float64(n))) }
	return image.Rect(at(b.X0, w), at(b.Y0, h), at(b.X1, w), at(b.Y1, h)).Intersect(image.Rect(0, 0, w, h))
}
