// Package tracker carries objects from frame to frame: the scene's motion history, each object's fit to it, the life of
// an object, and the wish for keyframes. It reads pixels in pure Go. It does no IO, reads no clock and runs no model:
// the pipeline shows it frames and brings it the model's answers.
package tracker

import "github.com/segedge/segedge/seg"

// Gray is a reduced grey image of a frame.
type Gray struct {
	W, H  int
	Pix   []byte // row by row, len W·H
	Stamp uint64 // never the same for two pictures of a tracker, so that a Flow may keep what it derived from one; 0: unknown
}

// Pixel is a place in a grey image, in its pixels; the centre of the first pixel is (0, 0), as OpenCV counts.
type Pixel struct{ X, Y float32 }

// Vector is the measured motion of one point.
type Vector struct {
	D  Pixel   // displacement, pixels of the grey image
	FB float32 // forward-backward error, pixels: how far the way back misses the start
	OK bool    // found both ways
}

// Flow measures motion. One goroutine uses it.
type Flow interface {
	// Step writes the motion of each point from prev to next into dst, which has the length of pts.
	Step(prev, next *Gray, pts []Pixel, dst []Vector) error
}

// Query is what to ask the model about one object in one frame: its prompts, carried to that frame.
type Query struct {
	ID     seg.ID
	Prompt seg.Prompt
}

// Answer is the model's answer to a query. Err is set where the model failed for it.
type Answer struct {
	ID         seg.ID
	Prompt     seg.Prompt // the query's
	Prediction seg.Prediction
	Err        error
}
