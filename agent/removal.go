package agent

import (
	"context"
	"slices"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// remove ends those of the objects that are there.
func (c *camera) remove(ctx context.Context, objects []string) (any, error) {
	ids, err := c.idsOf(objects)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		c.standing.found(id) // it is not waited for any longer
		c.decline(ctx, id)
	}
	gone, err := c.pipe.Remove(ctx, ids...)
	return c.result(gone), err
}

// clear ends every object, and what is looked for by command.
func (c *camera) clear(ctx context.Context) (any, error) {
	c.standing.forgo()
	watches := c.lookout.clear()
	gone, err := c.pipe.Clear(ctx)
	if err == nil {
		c.lookout.remember(gone, watches)
	}
	return c.result(gone), err
}

// undo takes a correction of an object back, or a removal.
func (c *camera) undo(ctx context.Context, b *api.Undo) (any, error) {
	ids, err := c.idsOf(b.All())
	if err != nil {
		return nil, err
	}
	if b.Object != "" {
		removed, err := c.pipe.Removed(ctx, ids[0])
		if err != nil {
			return nil, err
		}
		if !removed {
			return c.edit(b.Object, func(id seg.ID) (seg.Object, error) { return c.pipe.Undo(ctx, id) })
		}
	}
	back, err := c.pipe.UndoRemoval(ctx, ids...)
	if err == nil {
		c.lookout.recall(back)
	}
	return c.result(back), err
}

// idsOf reads ids as this camera writes them.
func (c *camera) idsOf(objects []string) (ids []seg.ID, err error) {
	for _, s := range objects {
		id, err := c.id(s)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// result names objects as the doors do.
func (c *camera) result(ids []seg.ID) api.Changed {
	out := api.Changed{Objects: []string{}}
	for _, id := range ids {
		out.Objects = append(out.Objects, seg.ObjectID(c.name, id))
	}
	return out
}

// cleared is what the last clear took away.
type cleared struct {
	objects []seg.ID
	watches []watch.Saved
}

// remember keeps the watches that a clear has ended with these objects.
func (l *lookout) remember(objects []seg.ID, watches []watch.Saved) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cleared = cleared{objects, watches}
}

// recall looks again for what was looked for until a clear, of which objects were brought back.
func (l *lookout) recall(back []seg.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.ContainsFunc(back, func(id seg.ID) bool { return slices.Contains(l.cleared.objects, id) }) {
		return
	}
	for i := range l.cleared.watches {
		if s := &l.cleared.watches[i]; l.find(s) < 0 && len(l.watches) < maxWatches {
			l.watches = append(l.watches, &watch.Watch{Saved: *s})
		}
	}
	l.cleared = cleared{}
	l.changed()
}
