package propose

import (
	"errors"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Follower follows one object through frames.
type Follower interface {
	// Start shows the first frame and says which object is meant.
	Start(f *frame.Frame, p seg.Prompt) error
	// Next shows the next frame and gives the object's mask in it, on any grid; nil where it is not seen.
	Next(f *frame.Frame) (*seg.Mask, error)
	Close() error
}

// Cycle is what is left of a mask after it was followed from the first frame to the last, and from there back: its IoU with itself, 0 where
// it was lost on the way. Frames are in order; each way is shown to a follower of its own.
func Cycle(frames []*frame.Frame, m *seg.Mask, follower func() (Follower, error)) (float64, error) {
	there, err := follow(frames, m, follower)
	if err != nil || there == nil {
		return 0, err
	}
	back := make([]*frame.Frame, len(frames))
	for i, f := range frames {
		back[len(frames)-1-i] = f
	}
	home, err := follow(back, there, follower)
	if err != nil || home == nil {
		return 0, err
	}
	return home.Resize(m.W, m.H).IoU(m), nil
}

// follow is the mask in the last frame of a mask in the first.
func follow(frames []*frame.Frame, m *seg.Mask, follower func() (Follower, error)) (last *seg.Mask, err error) {
	w, err := follower()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if err := w.Start(numbered(frames[0], 1), seg.Prompt{Mask: LogitsOf(m)}); err != nil {
		return nil, err
	}
	last = m
	for i, f := range frames[1:] {
		if last, err = w.Next(numbered(f, i+2)); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// numbered is a frame's copy with the place that it has on the way: time goes on backwards, too.
func numbered(f *frame.Frame, n int) *frame.Frame {
	own := frame.New(f.Width, f.Height)
	copy(own.Pix, f.Pix)
	own.Meta = f.Meta
	own.Seq, own.PTS = uint64(n), time.Duration(n)*wayStep
	own.Captured = time.Unix(0, 0).Add(own.PTS)
	return own
}

// wayStep is the time between two frames of a way.
const wayStep = time.Second / 30
