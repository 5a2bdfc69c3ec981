package video

import (
	"math"
	"testing"
	"time"
)

func TestRateIsMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		interval func(i int) time.Duration
		n        int
		want     float64
	}{
		"too early":   {func(int) time.Duration { return 66 * time.Millisecond }, settled, 30},
		"15 a second": {func(int) time.Duration { return 66666 * time.Microsecond }, 50, 15},
		"every other": {func(i int) time.Duration { return time.Duration(1+i%2) * 33333 * time.Microsecond }, 100, 20},
		"with a stall": {func(i int) time.Duration {
			return map[bool]time.Duration{true: time.Minute, false: 40 * time.Millisecond}[i == 20]
		}, 50, 25},
		"clock stopped": {func(int) time.Duration { return 0 }, 50, 30},
		"very fast":     {func(int) time.Duration { return time.Millisecond }, 50, 60},
		"very slow":     {func(int) time.Duration { return 900 * time.Millisecond }, 50, 5},
		"slows down":    {func(i int) time.Duration { return time.Duration(20+20*(i/100)) * time.Millisecond }, 300, 1000. / 60},
	} {
		var r rate
		at := time.Now()
		for i := range c.n {
			at = at.Add(c.interval(i))
			r.seen(at)
		}
		if got := r.fps(30); math.Abs(got-c.want) > 1.5 {
			t.Errorf("%s: %.1f, want %.1f", name, got, c.want)
		}
	}
}

func TestEncoderGetsTheMeasuredRate(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.wanted.Store(false)
	for i := range 40 {
		r.show(32, 16, time.Duration(i)*100*time.Millisecond)
	}
	r.wanted.Store(true)
	r.show(32, 16, 4*time.Second)
	if u := r.unit(); u.Duration != 100*time.Millisecond {
		t.Errorf("the first unit lasts %v", u.Duration)
	}
	if f := r.encoders[0].format; math.Abs(f.FPS-10) > 0.1 {
		t.Errorf("format %+v, want 10 frames a second", f)
	}
}
