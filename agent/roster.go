package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
)

// roster are an agent's cameras, which may come and go while it runs.
type roster struct {
	mu     sync.RWMutex
	order  []string
	byName map[string]*camera
}

func (r *roster) get(name string) *camera {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byName[name]
}

// names are the cameras' names in order; the slice is the caller's.
func (r *roster) names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.order)
}

func (r *roster) all() []*camera {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]*camera, len(r.order))
	for i, name := range r.order {
		out[i] = r.byName[name]
	}
	return out
}

// put adds a camera at the end.
func (r *roster) put(c *camera) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName[c.name] != nil {
		return fmt.Errorf("agent: two cameras are named %q", c.name)
	}
	if r.byName == nil {
		r.byName = map[string]*camera{}
	}
	r.byName[c.name] = c
	r.order = append(r.order, c.name)
	return nil
}

// take removes a camera; nil where there is none of this name.
func (r *roster) take(name string) *camera {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byName[name]
	delete(r.byName, name)
	r.order = slices.DeleteFunc(r.order, func(n string) bool { return n == name })
	return c
}

// sort puts the cameras into the order of names; those that it lacks come last.
func (r *roster) sort(names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := func(n string) int {
		if i := slices.Index(names, n); i >= 0 {
			return i
		}
		return len(names)
	}
	slices.SortStableFunc(r.order, func(a, b string) int { return at(a) - at(b) })
}

// errOver is what who would change the cameras of an agent is told that does not run.
var errOver = errors.New("the agent does not run")

// ending is a camera that has ended, and why.
type ending struct {
	c   *camera
	err error
}

// Run runs every camera until ctx ends or each has ended. One that fails for good is logged and shown as stopped; the others go on.
// Cameras may be added and removed meanwhile. It joins all it started, and returns what the cameras failed of that it still had.
func (a *Agent) Run(ctx context.Context) error {
	defer close(a.over)
	ended := make(chan ending)
	live, held := 0, 0
	launch := func(c *camera) {
		live++
		go func() { ended <- ending{c, c.runUntilLeft(ctx)} }()
	}
	for _, c := range a.cameras.all() {
		launch(c)
	}
	failed := map[*camera]error{}
	for live > 0 || held > 0 {
		select {
		case c := <-a.joining:
			launch(c)
		case n := <-a.holds:
			held += n
		case e := <-ended:
			live--
			maps.DeleteFunc(failed, func(c *camera, _ error) bool { return !a.has(c) })
			if e.err != nil && a.has(e.c) {
				a.tell(e)
				failed[e.c] = e.err
			}
		}
	}
	var all []error
	for _, c := range a.cameras.all() {
		if err := failed[c]; err != nil {
			all = append(all, fmt.Errorf("camera %s: %w", c.name, err))
		}
	}
	return errors.Join(all...)
}

// has reports whether a camera is still one of the agent's: nobody asks for one that was removed.
func (a *Agent) has(c *camera) bool { return a.cameras.get(c.name) == c }

// tell says that a camera has failed.
func (a *Agent) tell(e ending) {
	e.c.log.Error("the camera has failed for good; the others go on", "err", e.err)
	if a.o.Failed != nil {
		a.o.Failed(e.c.name)
	}
}

// runUntilLeft is run, which also ends when the camera is removed.
func (c *camera) runUntilLeft(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.leave:
			cancel()
		case <-ctx.Done():
		}
	}()
	return c.run(ctx)
}

// Hold keeps Run from ending for want of cameras, until the function that it returns is called.
func (a *Agent) Hold() (release func(), err error) {
	select {
	case a.holds <- 1:
		return func() { a.holds <- -1 }, nil
	case <-a.over:
		return nil, errOver
	}
}

// Add runs another camera, with the model in use. Run must be running.
func (a *Agent) Add(co CameraOptions) error {
	a.swapping.Lock() // a model that is swapped meanwhile would pass it by
	defer a.swapping.Unlock()
	o := a.o
	o.Model = a.present()
	co.Pipeline.Turns = a.turns
	co.Tracker.Spend(math.Float64frombits(a.share.Load()))
	c, err := newCamera(co, o)
	if err != nil {
		return fmt.Errorf("camera %s: %w", co.Name, err)
	}
	c.model = a.present
	if err := a.cameras.put(c); err != nil {
		return errors.Join(err, c.pool.Close())
	}
	select {
	case a.joining <- c:
		return nil
	case <-a.over:
		a.cameras.take(c.name)
		return errors.Join(errOver, c.pool.Close())
	}
}

// Remove ends a camera and forgets it. Its frames may still be held by its sink: once that has stopped, call the function returned, which
// gives the buffers back and reports those that somebody holds.
func (a *Agent) Remove(name string) (free func() error, err error) {
	c := a.cameras.take(name)
	if c == nil {
		return nil, fmt.Errorf("agent: there is no camera %q", name)
	}
	close(c.leave)
	select {
	case <-c.ended:
	case <-a.over: // it never ran
	}
	return c.pool.Close, nil
}

// Sort puts the cameras into an order.
func (a *Agent) Sort(names []string) { a.cameras.sort(names) }
