package agent

import (
	"context"
	"errors"
	"time"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// compareEvery is the time between two comparisons of the objects of a watch.
const compareEvery = 200 * time.Millisecond

// doubles compares the objects of each watch as a frame of that time shows them, and says which are to end.
func (l *lookout) doubles(at time.Time, objects []seg.Object) (ends []watch.Double) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := at.Sub(l.compared); len(l.watches) == 0 || since >= 0 && since < compareEvery {
		return nil
	}
	l.compared = at
	for _, w := range l.watches {
		ends = append(ends, w.Compare(objects)...)
	}
	return ends
}

// keep takes it that an object has become a person's own: no watch ends it.
func (l *lookout) keep(id seg.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.watches {
		w.Keep(id)
	}
	l.revision.Add(1)
}

// endDoubles ends the objects of watches that are the same thing as others, in the background: a frame does not wait.
func (c *camera) endDoubles(at time.Time, objects []seg.Object) {
	for _, d := range c.lookout.doubles(at, objects) {
		c.background(func(ctx context.Context) { c.endDouble(ctx, d) })
	}
}

// endDouble ends one object that is the same thing as another. It is not declined: what it was is followed.
func (c *camera) endDouble(ctx context.Context, d watch.Double) {
	ends, stays := seg.ObjectID(c.name, d.Ends), seg.ObjectID(c.name, d.Stays)
	err := c.pipe.End(ctx, d.Ends, map[string]any{"double_of": stays})
	switch {
	case err == nil:
		c.log.Info("an object that was followed twice ends", "object", ends, "stays", stays)
	case !errors.Is(err, pipeline.ErrUnknownObject):
		c.log.Warn("an object that is followed twice could not be ended", "object", ends, "stays", stays, "err", err)
	}
}
