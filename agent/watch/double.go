package watch

import (
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// Double is an object that is the same thing as another one, which stays.
type Double struct{ Ends, Stays seg.ID }

// pair is two of the watch's objects that were the same thing when they were last compared, the one that is to end first.
type pair struct {
	one, other seg.ID
	times      int // in a row
}

// Compare compares the watch's objects as a frame shows them, and says which ones are to end, because for several comparisons in a row they
// have been the same thing as another one, or for several looks a part of it. Masks tell; once they have told, boxes do too: the tracker
// draws apart what lies on one place, and each has a part of the thing then. The newer of two ends, or the older where the newer is a
// person's; of a part and the whole the part. What the watch did not make itself never ends.
func (w *Watch) Compare(objects []seg.Object) (ends []Double) {
	var now []pair
	for i := range objects {
		for k := range i {
			a, b := &objects[i], &objects[k]
			if !w.shows(a) || !w.shows(b) {
				continue
			}
			p := pair{one: max(a.ID, b.ID), other: min(a.ID, b.ID)}.after(w.pairs)
			if oneThing(a.Mask, b.Mask) || p.times > 1 && a.Mask.Box().IoU(b.Mask.Box()) >= anyIoU {
				now = append(now, p)
			}
		}
	}
	ends, w.pairs = w.take(ends, now, compared)
	ends, w.parts = w.take(ends, w.parts, looked)
	return ends
}

// part notes which objects have no box of their own in a look, where that of another of the watch is theirs as well: two that hold a part
// each of one thing have no mask in common.
func (w *Watch) part(boxes []seg.Box, owners []*tracker.Place, places []tracker.Place) {
	var now []pair
	for i, whole := range owners {
		if whole == nil || !whole.State.Visible() {
			continue
		}
		for k := range places {
			p := &places[k]
			if p.State.Visible() && !p.Box.Empty() && slices.Contains(w.Made, p.ID) && !slices.Contains(owners, p) &&
				(p.Box.IoU(boxes[i]) >= anyIoU || p.Box.Intersect(boxes[i]).Area() >= ownPart*p.Box.Area()) {
				now = append(now, pair{one: p.ID, other: whole.ID}.after(w.parts))
			}
		}
	}
	w.parts = now
}

// shows says whether an object is one of the watch's, and is seen.
func (w *Watch) shows(o *seg.Object) bool {
	return o.State.Visible() && o.Mask != nil && slices.Contains(w.Objects, o.ID)
}

// after is a pair that was compared once more.
func (p pair) after(before []pair) pair {
	p.times = 1
	for _, b := range before {
		if b.one == p.one && b.other == p.other {
			p.times += b.times
		}
	}
	return p
}

// take takes those pairs out that have come so many times, and of which one is to end, and appends them to ends.
func (w *Watch) take(ends []Double, pairs []pair, often int) ([]Double, []pair) {
	rest := pairs[:0]
	for _, p := range pairs {
		switch {
		case p.times >= often && slices.Contains(w.Made, p.one):
			ends = append(ends, Double{Ends: p.one, Stays: p.other})
		case p.times >= often && slices.Contains(w.Made, p.other):
			ends = append(ends, Double{Ends: p.other, Stays: p.one})
		default:
			rest = append(rest, p)
		}
	}
	return ends, rest
}

// oneThing says whether two masks are of the same thing: by the tracker's rule, unless one is a speck.
func oneThing(a, b *seg.Mask) bool {
	return min(a.Count(), b.Count()) >= tracker.LeastCells && rules.OneThing(a, b, true)
}

// Keep takes it that an object of the watch has become a person's own: the watch does not end it any more.
func (w *Watch) Keep(id seg.ID) {
	w.Made = slices.DeleteFunc(w.Made, func(made seg.ID) bool { return made == id })
	w.parts = slices.DeleteFunc(w.parts, func(p pair) bool { return p.one == id })
}
