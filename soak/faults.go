package soak

import (
	"context"
	"syscall"
	"time"

	"github.com/segedge/segedge/stream/watcher"
	"github.com/segedge/segedge/supervise"
)

// disturb does one thing after the other to the agent and its surroundings until ctx ends, and leaves all as it was.
func (r *run) disturb(ctx context.Context) {
	deeds := []func(context.Context){
		r.hold("the camera falls silent", func() { r.camera.be(silent) }, func() { r.camera.be(well) }),
		r.viewer(steadyCamera, false),
		r.hold("the broker goes away", func() { r.link.setCut(true) }, func() { r.link.setCut(false) }),
		r.viewer(failingCamera, true),
		r.hold("the camera hangs up", func() { r.camera.be(gone) }, func() { r.camera.be(well) }),
		r.viewer(steadyCamera, true),
		r.hold("the broker freezes", func() { r.link.setFrozen(true) }, func() { r.link.setFrozen(false) }),
		r.hold("the camera changes size", func() { r.camera.be(small) }, func() { r.camera.be(well) }),
		func(context.Context) {
			r.fault("reload")
			_ = r.cmd.Process.Signal(syscall.SIGHUP) // an agent that has ended is seen elsewhere
		},
	}
	if r.o.Disk != "" {
		deeds = append(deeds, r.hold("the disk is full", r.fill, r.empty))
	}
	if r.o.Clock {
		deeds = append(deeds, r.hold("the clock goes back to 1970", func() { r.setClock(wrong) }, func() { r.setClock(right) }))
	}
	ticker := time.NewTicker(r.o.Every)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		deeds[n%len(deeds)](ctx)
	}
}

// hold does something and undoes it a little before the next fault.
func (r *run) hold(what string, do, undo func()) func(context.Context) {
	return func(ctx context.Context) {
		r.fault(what)
		do()
		defer undo()
		_ = supervise.Wait(ctx, r.o.Every*3/4) // undone also when ctx ends
	}
}

// viewer lets somebody watch for twice the time between faults, beside what happens next.
func (r *run) viewer(camera string, vanish bool) func(context.Context) {
	return func(ctx context.Context) {
		what := "a viewer comes and leaves"
		if vanish {
			what = "a viewer comes and vanishes"
		}
		r.fault(what)
		r.viewers.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, 2*r.o.Every)
			defer cancel()
			packets, err := watcher.Watch(ctx, r.page+"whep/"+camera, vanish)
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil || packets == 0 {
				r.report.Refused++
			} else {
				r.report.Viewers++
			}
		})
	}
}
