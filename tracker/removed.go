package tracker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/seg"
)

// ErrNoRoom is an undo that would bring back more objects than may live.
var ErrNoRoom = errors.New("there is no room for what was removed")

// Remove ends those of the objects that are there, and tells which. What was seen of them is kept for UndoRemoval.
func (t *Tracker) Remove(ids ...seg.ID) ([]seg.ID, error) {
	var gone []*object
	for _, id := range ids {
		if o := t.objects.find(id); o != nil && !slices.Contains(gone, o) {
			gone = append(gone, o)
		}
	}
	if len(gone) == 0 {
		return nil, ErrNoObject
	}
	return t.takeAway(gone), nil
}

// Clear ends every object, and tells which there were. They are kept as by Remove.
func (t *Tracker) Clear() []seg.ID { return t.takeAway(slices.Clone(t.objects)) }

// ForgetRemoved has UndoRemoval bring nothing back.
func (t *Tracker) ForgetRemoved() { t.removals = nil }

// takeAway ends objects that somebody wants gone, and keeps them together.
func (t *Tracker) takeAway(gone []*object) (ids []seg.ID) {
	kept := removal{seq: t.Newest()}
	for _, o := range gone {
		ids = append(ids, o.id)
		o.retract() // nobody waits for its answer any more
		if o.wasSeen() {
			kept.objects = append(kept.objects, removed{o, o.state, t.placeOf(o)})
		}
		t.remove(o)
	}
	t.objects.sweep()
	if len(kept.objects) > 0 {
		t.removals = append(t.removals, kept)
		t.removals.bound(maxRemovals, t.opt.MaxObjects)
	}
	return ids
}

// UndoRemoval brings back what the newest Remove or Clear took away, or those objects named that are kept of any, and tells which. They are
// what they were: one that was in sight a moment ago is followed on, another is looked for, first where it was.
func (t *Tracker) UndoRemoval(ids ...seg.ID) ([]seg.ID, error) {
	if n := len(t.removals); len(ids) == 0 && n > 0 {
		for _, o := range t.removals[n-1].objects {
			ids = append(ids, o.id)
		}
	}
	n := t.removals.count(ids)
	if n == 0 {
		return nil, fmt.Errorf("%w: of what is removed the last %d times are kept, for %d minutes", ErrNothing, maxRemovals, undoFor/60)
	}
	if room := t.opt.MaxObjects - len(t.objects); n > room {
		return nil, fmt.Errorf("%w: %d objects, and there are %d of %d; remove others first", ErrNoRoom, n, len(t.objects), t.opt.MaxObjects)
	}
	back := t.removals.take(ids)
	for i := range back {
		t.objects = append(t.objects, back[i].object)
	}
	slices.SortFunc(t.objects, func(a, b *object) int { return cmp.Compare(a.id, b.id) })
	if t.scene.Len() > 0 {
		t.regrid(t.scene.Last())
	}
	var out []seg.ID
	for i := range back {
		n := len(t.changes)
		t.bringBack(&back[i])
		if len(t.changes) > n {
			t.changes[n].Details = map[string]any{"undone": true}
		}
		out = append(out, back[i].id)
	}
	return out, nil
}

// Removed says whether an object is kept that was removed.
func (t *Tracker) Removed(id seg.ID) bool { return t.removals.count([]seg.ID{id}) > 0 }

// bringBack lets an object live on that was removed: in the present, where the history reaches back to when it was seen last.
func (t *Tracker) bringBack(r *removed) {
	o, now := r.object, t.Newest()
	o.queried, o.misses, o.doubts, o.returning, o.cover, o.suspect, o.rivals = 0, 0, 0, false, nil, nil, nil
	if at, exact := t.scene.Find(o.track.Last()); exact && r.was.Visible() {
		t.replay(o.track, at, t.scene.Len()-1)
		o.become(r.was, now)
		t.change(seg.ObjectRecovered, o)
		return
	}
	t.lose(o, now)
	o.away, o.picture, o.alternate = true, r.place, false
}
