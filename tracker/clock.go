package tracker

import "time"

// clock turns seconds into frames. Where the rate is not given it is read off the frames' own times.
type clock struct {
	fps      float64
	given    bool
	captured time.Time // of the last frame
}

func newClock(fps float64) clock {
	if fps == 0 {
		return clock{fps: usualFPS}
	}
	return clock{fps: fps, given: true}
}

// tick takes the time of a frame into account that came n frames after the last one; 0 for one that follows none. Gaps that are too short
// or too long are no rate but a pause, or frames without a time.
func (c *clock) tick(captured time.Time, n uint64) {
	if !c.given && n > 0 {
		gap := captured.Sub(c.captured).Seconds() / float64(n)
		if gap > leastGap && gap < mostGap {
			c.fps = 1 / ((1-rateGain)/c.fps + rateGain*gap)
		}
	}
	c.captured = captured
}

// frames is a time in frames, at least one.
func (c *clock) frames(seconds float64) int { return max(1, int(seconds*c.fps+0.5)) }
