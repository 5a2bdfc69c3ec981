package agent

import (
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
)

// times keeps the newest durations of each stage.
type times struct {
	mu     sync.Mutex
	stages map[string]*window
}

// window is a ring of durations.
type window struct {
	took [512]time.Duration
	n    int // written so far
	sum  time.Duration
}

func (t *times) observe(stage string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.stages[stage]
	if w == nil {
		if t.stages == nil {
			t.stages = map[string]*window{}
		}
		w = new(window)
		t.stages[stage] = w
	}
	w.took[w.n%len(w.took)] = took
	w.n++
	w.sum += took
}

// observe notes how long a stage took, and passes it on.
func (c *camera) observe(s frame.Stage) {
	c.times.observe(s.Name, s.Took)
	if c.o.Observed != nil {
		c.o.Observed(s)
	}
}

// snapshot is each stage's distribution over the newest durations.
func (t *times) snapshot() map[string]api.Latency {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]api.Latency, len(t.stages))
	for name, w := range t.stages {
		s := slices.Clone(w.took[:min(w.n, len(w.took))])
		slices.Sort(s)
		at := func(q float64) float64 { return s[int(q*float64(len(s)-1)+0.5)].Seconds() * 1000 }
		out[name] = api.Latency{P50: at(0.5), P95: at(0.95), P99: at(0.99), Count: uint64(w.n), Sum: w.sum.Seconds() * 1000}
	}
	return out
}

// rate measures frames a second over the newest arrivals.
type rate struct {
	at [61]time.Time
	n  int
}

func (r *rate) tick(now time.Time) {
	r.at[r.n%len(r.at)] = now
	r.n++
}

// perSecond is 0 with fewer than two arrivals.
func (r *rate) perSecond() float64 {
	k := min(r.n, len(r.at))
	if k < 2 {
		return 0
	}
	newest, oldest := r.at[(r.n-1)%len(r.at)], r.at[(r.n-k)%len(r.at)]
	if d := newest.Sub(oldest).Seconds(); d > 0 {
		return float64(k-1) / d
	}
	return 0
}
