package pipeline

import (
	"fmt"
	"runtime/debug"
)

// A panic in the walk costs what was under way, and no more than its own camera. After the first the objects are kept, and looked for
// again; if it comes again, they go, since one of them may be its cause; a walk that cannot be had without panics ends.
const (
	calmFrames = 300 // without a panic, after which the walk is trusted again
	maxShaken  = 10  // panics before that, after which it ends
)

// guard runs a step of the walk.
func (p *Pipeline) guard(what string, step func()) {
	defer func() {
		if r := recover(); r != nil {
			p.recovered(what, r)
		}
	}()
	step()
}

// recovered starts the walk afresh after a panic.
func (p *Pipeline) recovered(what string, r any) {
	stack := debug.Stack()
	p.panics.Add(1)
	p.calm = 0
	p.shaken++
	p.o.Logger.Error("following objects panicked, and starts afresh",
		"at", what, "panic", fmt.Sprint(r), "again", p.shaken-1, "stack", string(stack))
	if p.shaken >= maxShaken {
		p.fatal = fmt.Errorf("pipeline: %d panics, the last at %s: %v", p.shaken, what, r)
		return
	}
	defer func() {
		if r := recover(); r != nil {
			p.fatal = fmt.Errorf("pipeline: a panic while starting afresh after one: %v", r)
		}
	}()
	if p.shaken > 1 {
		p.tr.Clear()
		p.tr.ForgetRemoved()
	}
	p.refuseAll(errPanicked)
	p.afresh()
	p.news()
}
