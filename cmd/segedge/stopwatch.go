package main

import (
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// benchCost is what a stage cost: median, 95th percentile, calls.
type benchCost struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	N   int     `json:"n"`
}

// stopwatch keeps what each stage took, and how many objects the frames showed. Stages of a live row come from several goroutines.
type stopwatch struct {
	mu              sync.Mutex
	took            map[string][]time.Duration
	frames, objects int
}

func (s *stopwatch) stage(st frame.Stage) { s.observe(st.Name, st.Took) }

func (s *stopwatch) observe(stage string, d time.Duration) {
	s.mu.Lock()
	s.took[stage] = append(s.took[stage], d)
	s.mu.Unlock()
}

func (s *stopwatch) see(objects []seg.Object) {
	s.mu.Lock()
	s.frames++
	for i := range objects {
		if objects[i].Mask != nil && objects[i].State.Visible() {
			s.objects++
		}
	}
	s.mu.Unlock()
}

// restart forgets what went before, but for decodes: prompts are answered before the row begins.
func (s *stopwatch) restart() {
	s.mu.Lock()
	s.took, s.frames, s.objects = map[string][]time.Duration{"decode": s.took["decode"]}, 0, 0
	s.mu.Unlock()
}

// followed is how many objects a frame showed, in the mean.
func (s *stopwatch) followed() float64 {
	return seg.Round4(float64(s.objects) / float64(max(s.frames, 1)))
}

func (s *stopwatch) costs() map[string]benchCost {
	out := map[string]benchCost{}
	for stage, d := range s.took {
		out[stage] = costOf(d)
	}
	return out
}

func costOf(d []time.Duration) benchCost {
	if len(d) == 0 {
		return benchCost{}
	}
	slices.Sort(d)
	at := func(q float64) float64 { return seg.Round4(d[int(q*float64(len(d)-1)+0.5)].Seconds() * 1000) }
	return benchCost{at(0.5), at(0.95), len(d)}
}
