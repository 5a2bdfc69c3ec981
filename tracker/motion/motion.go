// Package motion measures how the picture of one camera moves: frames are reduced, followed from one to the next at a grid of points, and
// kept in a bounded history with the vectors between them; robust fits say how the vectors of a region move together, and a mesh what of it
// moves its own way. It knows no objects and no model, and it measures no flow itself: that is a Flow's work (tracker/lk, tracker/flow).
package motion

import "fmt"

// Gray is a reduced grey image of a frame.
type Gray struct {
	W, H  int
	Pix   []byte // row by row, len W·H
	Stamp uint64 // never the same for two pictures of a scene, so that a Flow may keep what it derived from one; 0: unknown
}

// Pixel is a place in a grey image, in its pixels; the centre of the first pixel is (0, 0), as OpenCV counts.
type Pixel struct{ X, Y float32 }

// Vector is the measured motion of one point.
type Vector struct {
	D  Pixel   // displacement, pixels of the grey image
	FB float32 // forward-backward error, pixels: how far the way back misses the start (Kalal, Mikolajczyk and Matas, ICPR 2010)
	OK bool    // found both ways
}

// Flow measures motion. One goroutine uses it.
type Flow interface {
	// Step writes the motion of each point from prev to next into dst, which has the length of pts.
	Step(prev, next *Gray, pts []Pixel, dst []Vector) error
}

// CheckStep says what is wrong with the arguments of a Flow's Step.
func CheckStep(prev, next *Gray, pts []Pixel, dst []Vector) error {
	if prev.W != next.W || prev.H != next.H || len(prev.Pix) != prev.W*prev.H || len(next.Pix) != next.W*next.H {
		return fmt.Errorf("motion: pictures of %dx%d and %dx%d do not match", prev.W, prev.H, next.W, next.H)
	}
	if len(dst) != len(pts) {
		return fmt.Errorf("motion: %d places for %d points", len(dst), len(pts))
	}
	return nil
}
