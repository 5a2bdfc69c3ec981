// Package supervise runs the parts of a process side by side and joins them in a fixed order: doors first and last, what
// feeds them between. It knows nothing of what a part does; it is a few goroutines with owners, not a container of services.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Group runs parts together: the first that fails stops the others.
type Group struct {
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	errs   []error
}

// NewGroup makes a group whose parts end with ctx.
func NewGroup(ctx context.Context) *Group {
	g := &Group{}
	g.ctx, g.cancel = context.WithCancel(ctx)
	return g
}

// Run starts a part, which ends with its context. Its error names it; one that only says that the context has ended is none.
func (g *Group) Run(name string, part func(context.Context) error) {
	g.wg.Go(func() {
		if err := part(g.ctx); err != nil && !errors.Is(err, context.Canceled) {
			g.mu.Lock()
			g.errs = append(g.errs, fmt.Errorf("%s: %w", name, err))
			g.mu.Unlock()
			g.cancel()
		}
	})
}

// Done is closed when a part has failed or the group is stopped.
func (g *Group) Done() <-chan struct{} { return g.ctx.Done() }

// Stop ends the parts, joins them, and returns what went wrong with them. No part may be started while it runs.
func (g *Group) Stop() error {
	g.cancel()
	g.wg.Wait()
	return errors.Join(g.errs...)
}
