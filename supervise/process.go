package supervise

import (
	"context"
	"errors"
)

// Part is something that runs until its context ends.
type Part struct {
	Name string
	Run  func(context.Context) error
}

// Process is the order of starting and stopping.
type Process struct {
	Doors  []Part                      // start first and stop last, so that the last words of Main still find their way
	Main   func(context.Context) error // the process ends when it returns
	Beside []Part                      // run while Main does, and are told to end after it has
}

// Run runs everything until ctx ends, Main returns, or a door fails for good. It joins all that it started; doors do not end with ctx
// but after Main.
func (p *Process) Run(ctx context.Context) error {
	return p.RunIn(ctx, NewGroup(context.WithoutCancel(ctx)))
}

// RunIn is Run with the doors in a group of the caller's, who may add parts to it while it runs.
func (p *Process) RunIn(ctx context.Context, doors *Group) error {
	for _, d := range p.Doors {
		doors.Run(d.Name, d.Run)
	}
	inner := NewGroup(ctx)
	ended := make(chan struct{})
	inner.Run("agent", func(ctx context.Context) error {
		defer close(ended)
		return p.Main(ctx)
	})
	beside := NewGroup(context.WithoutCancel(ctx))
	for _, b := range p.Beside {
		beside.Run(b.Name, b.Run)
	}
	select {
	case <-ended:
	case <-doors.Done():
	}
	err := inner.Stop()
	err = errors.Join(err, beside.Stop())
	return errors.Join(err, doors.Stop())
}
