package capture

import (
	"errors"
	"fmt"
	"time"

	"github.com/segedge/segedge/frame"
)

var errNoPicture = errors.New("the source gave a picture less than two pixels wide or high")

// deliver numbers a frame and puts it into the slot; it owns f from here on. A frame in the spare takes a number and is
// thrown away: the gap shows that it existed. False when the session has been abandoned.
func (c *Capture) deliver(s *session, f *frame.Frame) bool {
	c.mu.Lock()
	if c.current != s {
		c.mu.Unlock()
		s.discard(f)
		return false
	}
	c.seq++
	f.Seq, f.Captured, f.Round = c.seq, time.Now(), c.round
	c.arrived(s, f)
	c.stats.arrived(f)
	if s.frames.Load() == 1 {
		c.rhythm.reopened()
		c.eye.Forget()
	}
	c.rhythm.arrived(f.Captured)
	c.look(s, f)
	published := f != s.spare
	if published {
		c.o.Out.Put(f)
	} else {
		c.stats.discarded.Add(1)
	}
	c.mu.Unlock()
	return true
}

// look judges the picture as a whole. The caller holds c.mu.
func (c *Capture) look(s *session, f *frame.Frame) {
	f.Scene = c.eye.Look(f, f.Captured, s.info.Live)
	if f.Scene == c.scene {
		return
	}
	change := SceneChange{From: c.scene, To: f.Scene, Seq: f.Seq, At: f.Captured}
	c.scene = f.Scene
	c.o.Logger.Info("the picture is " + f.Scene.String())
	c.o.OnScene(change)
}

// arrived reports what a frame changes: the source runs (again), or its size is another. The caller holds c.mu.
func (c *Capture) arrived(s *session, f *frame.Frame) {
	info, size := s.info, [2]int{f.Width, f.Height}
	info.Width, info.Height = f.Width, f.Height
	switch before := c.size; {
	case before == [2]int{}:
		c.set(State{Kind: Opened, Info: info})
	case c.state.Kind == Stalled:
		c.set(State{Kind: Recovered, Info: info})
	}
	switch {
	case c.size == [2]int{} || c.size == size:
	case info.Mixed:
		c.state.Info = info
	default:
		why := fmt.Sprintf("the picture's size changed from %d×%d to %d×%d", c.size[0], c.size[1], size[0], size[1])
		c.set(State{Kind: Resized, Info: info, Reason: why})
	}
	c.size = size
}
