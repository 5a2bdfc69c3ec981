package capture

import (
	"fmt"
	"time"

	"github.com/segedge/segedge/frame"
)

// Kind says what happened to a source.
type Kind string

// The states of a source. Every run begins with Opening, which comes again, with its reason, when the first picture takes
// long; Opened comes with the first frame of the run; Stalled and Recovered alternate after it; Resized may come at any
// time; nothing follows Ended.
const (
	Opening   Kind = "opening"
	Opened    Kind = "opened"
	Stalled   Kind = "stalled"
	Recovered Kind = "recovered"
	Resized   Kind = "resized"
	Ended     Kind = "ended"
)

// State is where a source stands, and since when.
type State struct {
	Kind   Kind
	Reason string        // of Stalled and Ended, one sentence; of Recovered, why it had stalled; of Resized, from what to what
	Retry  time.Duration // until the source is opened again; 0 while the open one is waited for
	Info   Info          // of the newest frame; its size is 0 before the first
	At     time.Time
}

// SceneChange is what the picture as a whole has become.
type SceneChange struct {
	From, To frame.Scene
	Seq      uint64 // the first frame of which it is said
	At       time.Time
}

// String says it in words.
func (s State) String() string {
	switch {
	case s.Kind == Recovered:
		return fmt.Sprintf("recovered: %dx%d at %.4g frames/s", s.Info.Width, s.Info.Height, s.Info.FPS)
	case s.Kind == Stalled && s.Retry > 0:
		return fmt.Sprintf("stalled: %s; opening again in %.1fs", s.Reason, s.Retry.Seconds())
	case s.Reason != "":
		return fmt.Sprintf("%s: %s", s.Kind, s.Reason)
	case s.Info.Width > 0:
		return fmt.Sprintf("%s: %dx%d at %.4g frames/s", s.Kind, s.Info.Width, s.Info.Height, s.Info.FPS)
	}
	return string(s.Kind)
}

// report changes the state. A stall that lasts is reported once for each failed opening: a sign that the capture lives although the camera
// does not.
func (c *Capture) report(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(s)
}

// delivered is the number of the newest frame.
func (c *Capture) delivered() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq
}

// reportStall reports that no frame has come for long, unless one came after the frame seq, which was the newest when that was found: a
// stall that is over is none. It says whether there is one.
func (c *Capture) reportStall(seq uint64, reason string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seq != seq {
		return false
	}
	if c.state.Kind != Stalled || c.state.Reason != reason {
		c.set(State{Kind: Stalled, Reason: reason})
	}
	return true
}

// reportWaiting tells once that the source is open and sends, but no picture yet.
func (c *Capture) reportWaiting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	const reason = "bytes come, but no picture yet: some cameras send a whole one only every 20 seconds"
	if c.state.Kind == Opening && c.state.Reason != reason {
		c.set(State{Kind: Opening, Reason: reason})
	}
}

// set is report for a caller that holds c.mu.
func (c *Capture) set(s State) {
	if s.Kind == Stalled && c.state.Kind != Stalled {
		c.stats.stalls.Add(1)
	}
	switch {
	case s.Kind == Stalled:
		c.blamed = s.Reason
	case s.Kind == Recovered:
		s.Reason = c.blamed
	}
	if s.Info.Width == 0 {
		s.Info = c.state.Info
	}
	s.At = time.Now()
	c.state = s
	c.stats.setState(s)
	if s.Kind == Stalled {
		c.o.Logger.Warn("source " + s.String())
	} else {
		c.o.Logger.Info("source " + s.String())
	}
	c.o.OnState(s)
}
