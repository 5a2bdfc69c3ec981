package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// A prompt given at start is asked until it is answered, or can never be. The wait before it is asked again: for a phrase that is not in
// the picture yet, and at first where something failed, then doubling up to the most.
const (
	lookEvery = time.Second
	lookMost  = time.Minute
	askFor    = 30 * time.Second // how long one may take to be answered, each for itself
)

// askAll asks the prompts that were given at start, one after the other, so that the ids follow their order: on the first frame in
// which there is something to be seen.
func (c *camera) askAll(seq uint64) {
	if len(c.standing.all()) == 0 {
		return
	}
	c.begin(func() {
		for _, r := range c.standing.all() {
			_ = c.askStanding(context.Background(), r, seq) // it is told in the log
		}
	})
}

// askAgain asks a prompt given at start once more, whose object of an earlier run has not come back.
func (c *camera) askAgain(id seg.ID) {
	keys := c.standing.unmet(id)
	if len(keys) == 0 || c.waitForScene() {
		return
	}
	c.begin(func() {
		for _, r := range c.standing.all() {
			if slices.Contains(keys, keyOf(&r)) {
				_ = c.askStanding(context.Background(), r, 0) // it is told in the log
			}
		}
	})
}

// askStanding asks a prompt that was given at start, unless it is met or being asked. One that cannot be answered now is asked again in the
// background, which is no error.
func (c *camera) askStanding(ctx context.Context, r pipeline.Request, seq uint64) error {
	what, key := r.Prompt.Summary(), keyOf(&r)
	if !c.standing.begin(key) {
		return nil
	}
	again, err := c.look(ctx, r, seq)
	switch {
	case !again && err != nil:
		c.log.Warn("a prompt given at start is not followed", "prompt", what, "err", err)
	case errors.Is(err, pipeline.ErrNothingFound):
		c.log.Info("a phrase given at start is not in the picture yet: it is looked for every second", "phrase", r.Prompt.Text)
	case err != nil:
		c.log.Warn("a prompt given at start cannot be answered now: it is asked again", "prompt", what, "err", err)
	}
	if again && c.begin(func() { c.lookAgain(r) }) {
		return nil
	}
	c.standing.end(key)
	return err
}

// lookAgain asks a prompt that was given at start until it is answered, can never be, or is wanted no longer.
func (c *camera) lookAgain(r pipeline.Request) {
	key, wait := keyOf(&r), lookEvery
	r.Idle = true // nobody waits for it any longer
	defer c.standing.end(key)
	for again, err := true, error(nil); again; {
		select {
		case <-c.stopping:
			return
		case <-time.After(wait):
		}
		if !c.standing.open(key) {
			return
		}
		if !c.shows() {
			continue
		}
		again, err = c.look(context.Background(), r, 0)
		switch {
		case !again && err != nil:
			c.log.Warn("a prompt given at start is not asked any more", "prompt", r.Prompt.Summary(), "err", err)
		case err != nil && !errors.Is(err, pipeline.ErrNothingFound):
			wait = min(2*wait, lookMost)
		default:
			wait = lookEvery
		}
	}
}

// look asks once, and reports whether it has to be asked again. seq is the frame, 0 for the newest.
func (c *camera) look(ctx context.Context, r pipeline.Request, seq uint64) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	key, text := keyOf(&r), r.Prompt.Text
	r.Frame = seq
	res, err := c.askSafely(ctx, r)
	switch {
	case err == nil:
		c.standing.meet(key, res.Object.ID)
		return false, nil
	case errors.Is(err, pipeline.ErrNothingFound):
		return text != "", err
	}
	return passes(err), err
}

// askSafely is ask, whose panic is an error of this prompt alone.
func (c *camera) askSafely(ctx context.Context, r pipeline.Request) (a answer, err error) {
	defer c.survive(&err)
	return c.ask(ctx, r, meaning{})
}

// passes says whether an error is one of the moment: the same prompt may be answered later.
func passes(err error) bool {
	code, _ := explain(err)
	return slices.Contains([]api.Code{api.NotReady, api.Overloaded, api.Timeout, api.Conflict, api.Internal}, code)
}

// shows reports whether there is something to be seen now.
func (c *camera) shows() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scene.Shows()
}

// Stand adds a prompt to those that a camera was given at start, and asks it if the camera has begun. One that cannot be answered now is
// asked again, as those are; one that never can be is an error, and is not taken.
func (a *Agent) Stand(ctx context.Context, camera string, r pipeline.Request) error {
	c := a.cameras.get(camera)
	if c == nil {
		return fmt.Errorf("agent: there is no camera %q", camera)
	}
	if !c.standing.add(&r) || !c.begun() {
		return nil // askAll will ask it
	}
	done := make(chan error, 1)
	if !c.begin(func() { done <- c.askStanding(ctx, r, 0) }) {
		return nil // it ends, and is asked when it is made again
	}
	select {
	case err := <-done:
		if err != nil {
			c.standing.drop(keyOf(&r))
		}
		return err
	case <-ctx.Done():
		return nil // it goes on
	}
}

// Forgo takes a prompt away from those that a camera was given at start. Its object stays.
func (a *Agent) Forgo(camera string, r pipeline.Request) {
	if c := a.cameras.get(camera); c != nil {
		c.standing.drop(keyOf(&r))
	}
}

// begun reports whether the prompts given at start have been asked.
func (c *camera) begun() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}
