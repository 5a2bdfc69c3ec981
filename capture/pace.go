package capture

import (
	"context"
	"math/rand/v2"
	"time"
)

// pacer holds frames back until their time: a file is played at its own rate. One goroutine uses it.
type pacer struct {
	every time.Duration // between frames of a source that does not time them
	timer *time.Timer
	begin time.Time     // when the first frame is due; the zero time for at once
	zero  time.Time     // when the frame of PTS 0 was, or would have been, due
	last  time.Duration // the previous frame's time
	shown time.Time     // when the previous frame went out
	n     int
}

const (
	fallbackFPS = 30
	maxFPS      = 240
	// A source that falls behind by more than this is not hurried to catch up: its clock is moved on instead.
	maxLag = 500 * time.Millisecond
	// A gap in the source's times that is longer than this, or backwards, is a broken clock, not a pause.
	maxGap = 5 * time.Second
)

// Rate is fps if it is one that a camera or file can have, else 30: containers announce 0, 1000 and 90000.
func Rate(fps float64) float64 {
	if fps > 0 && fps <= maxFPS {
		return fps
	}
	return fallbackFPS
}

func (p *pacer) init(fps float64) {
	p.every = time.Duration(float64(time.Second) / Rate(fps))
	p.timer = time.NewTimer(time.Hour)
	p.timer.Stop()
}

func (p *pacer) stop() { p.timer.Stop() }

// wait returns when the frame with this PTS is due. A source that is late catches up at twice its rate at most: a burst
// would only be dropped downstream.
func (p *pacer) wait(ctx context.Context, pts time.Duration) error {
	step := pts - p.last
	due := p.due(pts)
	if late := time.Since(due); late > maxLag {
		p.zero = p.zero.Add(late)
	} else if soonest := p.shown.Add(min(max(step, 0), p.every) / 2); due.Before(soonest) {
		due = soonest
	}
	err := p.until(ctx, due)
	p.shown = time.Now()
	return err
}

func (p *pacer) until(ctx context.Context, due time.Time) error {
	left := time.Until(due)
	if left <= 0 {
		return ctx.Err()
	}
	p.timer.Reset(left)
	select {
	case <-p.timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end is when the frame after the last one would have been due: where a loop goes on.
func (p *pacer) end() time.Time {
	if p.n == 0 {
		return time.Time{}
	}
	return p.zero.Add(p.last + p.every)
}

// due is when a frame is to be shown.
func (p *pacer) due(pts time.Duration) time.Time {
	step := pts - p.last
	switch {
	case p.n == 0:
		p.zero = time.Now().Add(-pts)
		if p.begin.After(time.Now()) {
			p.zero = p.begin.Add(-pts)
		}
	case step <= 0 || step > maxGap: // no clock, or a broken one
		p.zero = p.zero.Add(p.last + p.every - pts)
	}
	p.n++
	p.last = pts
	return p.zero.Add(pts)
}

// backoff is the time between two openings: doubling from min to max, each changed at random by up to a fifth, so that
// the cameras of a box do not all knock at once.
type backoff struct {
	min, max time.Duration
	n        int
}

func (b *backoff) next() time.Duration {
	d := min(b.max, b.min<<min(b.n, 20))
	b.n++
	return d*4/5 + time.Duration(rand.Int64N(int64(d)*2/5+1)) // #nosec G404 -- it only spreads the openings
}

func (b *backoff) reset() { b.n = 0 }
