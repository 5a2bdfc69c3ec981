package capture

import (
	"fmt"
	"time"
)

// Kind says what happened to a source.
type Kind string

// The states of a source. Every run begins with Opening; Opened comes with the first frame of the run; Stalled and
// Recovered alternate after it; Resized may come at any time; nothing follows Ended.
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
	Reason string        // of Stalled and Ended, one sentence
	Retry  time.Duration // until the source is opened again; 0 while the open one is waited for
	Info   Info          // of the newest frame; its size is 0 before the first
	At     time.Time
}

// Running reports whether frames are coming.
func (s State) Running() bool {
	return s.Kind == Opened || s.Kind == Recovered || s.Kind == Resized
}

// String says it in words.
func (s State) String() string {
	switch {
	case s.Kind == Stalled && s.Retry > 0:
		return fmt.Sprintf("stalled: %s; opening again in %.1fs", s.Reason, s.Retry.Seconds())
	case s.Reason != "":
		return fmt.Sprintf("%s: %s", s.Kind, s.Reason)
	case s.Info.Width > 0:
		return fmt.Sprintf("%s: %dx%d at %.4g frames/s", s.Kind, s.Info.Width, s.Info.Height, s.Info.FPS)
	}
	return string(s.Kind)
}

// report changes the state. A stall that lasts is reported once for each reason, and once for each failed opening: a
// sign that the capture lives although the camera does not.
func (c *Capture) report(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.Kind == Stalled && s.Retry == 0 && c.state.Kind == Stalled && c.state.Reason == s.Reason {
		return
	}
	c.set(s)
}

// set is report for a caller that holds c.mu.
func (c *Capture) set(s State) {
	if s.Kind == Stalled && c.state.Kind != Stalled {
		c.stats.stalls.Add(1)
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
