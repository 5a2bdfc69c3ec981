package capture

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

type contextT = context.Context

func contextFor(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestRate(t *testing.T) {
	for fps, want := range map[float64]float64{0: 30, -1: 30, 25: 25, 29.97: 29.97, 1000: 30, 90000: 30, 0.2: 0.2, 240: 240} {
		if got := Rate(fps); got != want {
			t.Errorf("Rate(%g) = %g, want %g", fps, got, want)
		}
	}
}

func TestPacerFollowsTheSourcesTimes(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, c := range map[string]struct {
		pts  []time.Duration
		want []time.Duration
	}{
		"steady":              {[]time.Duration{0, ms(40), ms(80)}, []time.Duration{0, ms(40), ms(80)}},
		"variable":            {[]time.Duration{0, ms(10), ms(500), ms(520)}, []time.Duration{0, ms(10), ms(500), ms(520)}},
		"begins late":         {[]time.Duration{ms(900), ms(950)}, []time.Duration{0, ms(50)}},
		"no times":            {[]time.Duration{0, 0, 0}, []time.Duration{0, ms(100), ms(200)}},
		"backwards":           {[]time.Duration{0, ms(500), ms(20), ms(60)}, []time.Duration{0, ms(500), ms(600), ms(640)}},
		"a gap of ten hours":  {[]time.Duration{0, 10 * time.Hour, 10*time.Hour + ms(40)}, []time.Duration{0, ms(100), ms(140)}},
		"a slide each second": {[]time.Duration{0, time.Second, 2 * time.Second}, []time.Duration{0, time.Second, 2 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p pacer
				p.init(10)
				defer p.stop()
				start := time.Now()
				for i, pts := range c.pts {
					if err := p.wait(t.Context(), pts); err != nil {
						t.Fatal(err)
					}
					if got := time.Since(start); got != c.want[i] {
						t.Errorf("frame %d shown at %v, want %v", i, got, c.want[i])
					}
				}
			})
		})
	}
}

// A reader that was held up catches up at twice its rate when it is a little late, and gives the lost time up when it is
// very late.
func TestPacerAfterADelay(t *testing.T) {
	for name, c := range map[string]struct{ delays, want []float64 }{
		"a little late": {[]float64{0, 0.3, 0, 0, 0, 0, 0}, []float64{0, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6}},
		"very late":     {[]float64{0, 0.1, 2, 0, 0}, []float64{0, 0.1, 2.1, 2.2, 2.3}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var p pacer
				p.init(10)
				defer p.stop()
				start := time.Now()
				for i, delay := range c.delays {
					time.Sleep(time.Duration(delay * float64(time.Second)))
					if err := p.wait(t.Context(), time.Duration(i)*100*time.Millisecond); err != nil {
						t.Fatal(err)
					}
					if got := time.Since(start).Seconds(); got < c.want[i]-1e-6 || got > c.want[i]+1e-6 {
						t.Errorf("frame %d at %.3f, want %.3f", i, got, c.want[i])
					}
				}
			})
		})
	}
}

func TestPacerEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pacer
		p.init(10)
		defer p.stop()
		ctx := contextFor(t, time.Second)
		if p.wait(ctx, 0) != nil || p.wait(ctx, 3*time.Second) == nil {
			t.Error("waiting must end with the context, and only then fail")
		}
	})
}

func TestBackoffIsBounded(t *testing.T) {
	b := backoff{min: time.Second, max: 8 * time.Second}
	for i, base := range []time.Duration{1, 2, 4, 8, 8, 8} {
		base *= time.Second
		if d := b.next(); d < base*4/5 || d > base*6/5 {
			t.Errorf("wait %d is %v, want %v ± 20 %%", i, d, base)
		}
	}
	b.n = 1 << 30
	if d := b.next(); d > 10*time.Second {
		t.Errorf("after very many: %v", d)
	}
	b.reset()
	if d := b.next(); d > 1200*time.Millisecond {
		t.Errorf("after a reset: %v", d)
	}
}
