package mqtt

import (
	"context"
	"slices"
	"sync"
)

// lane is the way of one camera's commands. Those for cameras that do not exist share one, which only refuses.
type lane struct {
	in   []Message // guarded by commands.mu
	wake chan struct{}
	work chan task
}

func newLane() *lane {
	return &lane{wake: make(chan struct{}, 1), work: make(chan task, maxPerCamera)}
}

// maxLanes bounds the lanes of cameras that come while the agent runs. One that went keeps its own, since it may come back.
const maxLanes = 256

// lane is a camera's way; one that came meanwhile gets its own. mu is held.
func (cs *commands) lane(camera string) *lane {
	if ln := cs.lanes[camera]; ln != nil {
		return ln
	}
	if len(cs.lanes) >= maxLanes || !slices.Contains(cs.c.o.Service.Cameras(), camera) {
		return cs.lanes[""]
	}
	ln := newLane()
	cs.lanes[camera] = ln
	if cs.start != nil {
		cs.start(ln)
	}
	return ln
}

// take removes the oldest commands of a lane.
func (cs *commands) take(ln *lane) []Message {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	n := min(batch, len(ln.in))
	out := slices.Clone(ln.in[:n])
	ln.in = slices.Delete(ln.in, 0, n)
	cs.count -= n
	for _, m := range out {
		cs.bytes -= m.size()
	}
	return out
}

// run does commands until ctx ends. What has no place in a queue then is left to the broker, which was not told that it
// arrived.
func (cs *commands) run(ctx context.Context) {
	var workers sync.WaitGroup
	start := func(ln *lane) {
		workers.Go(func() { cs.admit(ctx, ln) })
		workers.Go(func() { cs.work(ctx, ln) })
	}
	cs.mu.Lock()
	for _, ln := range cs.lanes {
		start(ln)
	}
	cs.start = start
	cs.mu.Unlock()
	cs.tellRejections(ctx)
	cs.mu.Lock()
	cs.start = nil
	cs.mu.Unlock()
	workers.Wait()
}
