package motion

import (
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/frame"
)

// ErrOrder is a frame that is not newer than the last one.
var ErrOrder = errors.New("the frame is not newer than the last one")

// Options sets a scene up; every field is needed.
type Options struct {
	Width  int // of the reduced picture, pixels, never more than the frame's
	Frames int // that are kept
	Points int // that motion is measured at in a frame, at most, before closer ones
}

// Scene is what a camera has shown lately, reduced, and how it moved. One goroutine owns it. In steady state it allocates nothing.
type Scene struct {
	History
	opt    Options
	tuning *Tuning
	flow   Flow
	reduce reducer
	pairs  []Pair  // of one fit to the picture; kept for the next
	points float64 // that motion is measured at now, at most: fewer while frames are missed
	stamp  uint64
	size   [2]int // of the last frame
}

// NewScene makes a scene whose motion is measured by flow. The tuning is read from then on, not copied.
func NewScene(o Options, k *Tuning, flow Flow) *Scene {
	return &Scene{History: newHistory(o.Frames), opt: o, tuning: k, flow: flow, points: float64(o.Points)}
}

// Check says whether a frame can come next: not when it is no newer than the last, and not before the history was cleared when its size is
// another.
func (s *Scene) Check(f *frame.Frame) (resized bool, err error) {
	last := s.Last()
	if last == nil {
		return false, nil
	}
	if f.Seq <= last.Seq {
		return false, fmt.Errorf("%w: %d after %d", ErrOrder, f.Seq, last.Seq)
	}
	return s.size != [2]int{f.Width, f.Height}, nil
}

// Take makes a frame that Check allows the newest entry: its reduced picture, and how closely its motion is to be measured. f is only read
// during the call. last is the entry before, nil for the first, of which no motion can be measured.
func (s *Scene) Take(f *frame.Frame) (e, last *Entry) {
	last = s.Last()
	s.size = [2]int{f.Width, f.Height}
	e = s.push()
	e.Seq = f.Seq
	s.reduce.reduce(f, s.opt.Width, e)
	s.stamp++
	e.Gray.Stamp = s.stamp
	e.Points, e.Vectors, e.Scene = e.Points[:0], e.Vectors[:0], Fit{Affine: Identity}
	if last != nil {
		s.shed(e.Seq - last.Seq)
		e.Spacing = gridStep(e.Gray.W, e.Gray.H, int(s.points))
	}
	return e, last
}

// Measure finds the motion from last to e, the two newest entries, on a regular grid and at the closer points, and fits the scene's own. An
// entry whose motion could not be measured is dropped.
func (s *Scene) Measure(last, e *Entry, closer []Pixel) error {
	e.Points = gridPoints(e.Points[:0], e.Gray.W, e.Gray.H, e.Spacing)
	if len(e.Points)+len(closer) > cap(e.Points) {
		e.Points = slices.Grow(e.Points, len(closer)+spare)
	}
	e.Points = append(e.Points, closer...)
	e.Vectors = slices.Grow(e.Vectors[:0], cap(e.Points))[:len(e.Points)]
	if err := s.flow.Step(&last.Gray, &e.Gray, e.Points, e.Vectors); err != nil {
		seq := e.Seq
		s.drop()
		return fmt.Errorf("optical flow at frame %d: %w", seq, err)
	}
	s.pairs = s.pairs[:0]
	for i := range e.Vectors {
		if p, ok := s.tuning.Pair(e, i, true); ok {
			s.pairs = append(s.pairs, p)
		}
	}
	e.Scene = s.tuning.Fit(s.pairs)
	return nil
}

// shed measures at fewer points after frames that never came: most of a step is the flow, and a machine that is behind sees more by being
// on time. gap is the number of frames since the last one.
func (s *Scene) shed(gap uint64) {
	most := float64(s.opt.Points)
	if gap > 1 {
		s.points = max(s.points*shedDown, most*shedLeast)
	} else {
		s.points = min(s.points*shedUp, most)
	}
}

// gridPoints spreads points evenly over a picture of w×h pixels.
func gridPoints(dst []Pixel, w, h, step int) []Pixel {
	for y := step / 2; y < h; y += step {
		for x := step / 2; x < w; x += step {
			dst = append(dst, Pixel{float32(x), float32(y)})
		}
	}
	return dst
}

// gridStep is the distance between the points of a grid of about n over w×h pixels.
func gridStep(w, h, n int) int {
	step := 1
	for (w/step)*(h/step) > n {
		step++
	}
	return step
}
