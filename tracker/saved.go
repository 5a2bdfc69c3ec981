package tracker

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/shape"
)

// Saved is what is known of an object, plain and whole, to be kept while the process is not there. What it has of the tracker is a copy.
type Saved struct {
	ID    seg.ID
	Name  string
	State seg.State // the last one
	Color color.RGBA

	Said             string // what a person prompted with, for people
	IoU, Stability   float64
	Mask             shape.Saved // where it was last believed to be
	Look             look.Saved
	Area, Size, Base float64 // usual and expected size in cells; share of its own colours
	Place            SavedPlace

	Undo []Saved // what it can be taken back to, oldest first: what was said and believed then, without the rest
}

// SavedPlace is what the place is known by in which an object was: colours as shares of the picture in 65535ths, and the layout in 32nds of
// a level. Empty where it is not known: then the object may be found anywhere.
type SavedPlace struct {
	Colours []uint16
	Layout  []int16
}

// layoutSteps are the steps in which a level of a layout is saved: three bytes less three others stay within sixteen bits.
const layoutSteps = 32

// How many steps back are kept over a restart, and how many removed objects.
const (
	savedUndo    = 2
	savedRemoved = 16
)

// Save appends what is known of the objects that were ever seen.
func (t *Tracker) Save(dst []Saved) []Saved {
	for _, o := range t.objects {
		if o.wasSeen() && o.state != seg.Ended {
			dst = append(dst, o.save(o.state, t.placeOf(o)))
		}
	}
	return dst
}

// SaveRemoved is what is known of the objects that UndoRemoval brings back, of the newest removals that have no more than savedRemoved
// objects; oldest first.
func (t *Tracker) SaveRemoved() (out [][]Saved) {
	n := 0
	for i := len(t.removals) - 1; i >= 0; i-- {
		r := &t.removals[i]
		if n += len(r.objects); n > savedRemoved {
			break
		}
		var saved []Saved
		for _, o := range r.objects {
			saved = append(saved, o.save(o.was, o.place))
		}
		out = append(out, saved)
	}
	slices.Reverse(out)
	return out
}

// wasSeen says that an object was ever seen.
func (o *object) wasSeen() bool { return o.track != nil && o.shown != nil && o.state != seg.Tentative }

// save copies what is known of an object that was ever seen.
func (o *object) save(state seg.State, place *glimpse) Saved {
	s := save(o.anchors, &o.belief, &o.appearance)
	s.ID, s.Name, s.State, s.Color, s.Place = o.id, o.name, state, o.color, place.save()
	for i := max(0, len(o.undo)-savedUndo); i < len(o.undo); i++ {
		if m := &o.undo[i]; m.track != nil && !m.waits {
			s.Undo = append(s.Undo, save(m.anchors, &m.belief, &m.appearance))
		}
	}
	return s
}

// placeOf is what the place is known by in which an object is looked for after a restart: where it is now, or, where its picture went away,
// that picture.
func (t *Tracker) placeOf(o *object) *glimpse {
	if o.away {
		return o.picture
	}
	return t.scene.glimpses.before(o.picture)
}

func (g *glimpse) save() (p SavedPlace) {
	if g == nil {
		return p
	}
	for _, share := range g.colours {
		p.Colours = append(p.Colours, uint16(math.Round(float64(min(share, 1))*math.MaxUint16)))
	}
	for _, level := range g.layout {
		p.Layout = append(p.Layout, int16(math.Round(level*layoutSteps)))
	}
	return p
}

// glimpse is what was saved; nil where nothing was, or it does not fit.
func (p *SavedPlace) glimpse() *glimpse {
	g := &glimpse{}
	if len(p.Colours) != len(g.colours) || len(p.Layout) != len(g.layout) {
		return nil
	}
	for i, share := range p.Colours {
		g.colours[i] = float32(share) / math.MaxUint16
	}
	for i, level := range p.Layout {
		g.layout[i] = float64(level) / layoutSteps
	}
	return g
}

// save copies a belief that has a track.
func save(said []anchor, b *belief, a *appearance) Saved {
	s := Saved{
		IoU: b.iou, Stability: b.stab, Mask: b.track.Resampled().Save(), Look: a.Look.Save(), Area: a.area, Size: a.sizeAt(b.track), Base: a.base,
	}
	if n := len(said); n > 0 {
		s.Said = said[n-1].words
	}
	return s
}

// believed is a belief that was saved, as what undo brings back; false where it makes no sense.
func (t *Tracker) believed(s *Saved) (memento, bool) {
	p, ok := s.Mask.Patch()
	l, known := s.Look.Look(&t.opt.Tuning.Look)
	if !ok || !known || !(s.Area > 0) {
		return memento{}, false
	}
	return memento{
		anchors:    []anchor{{dead: true, words: s.Said}},
		belief:     belief{track: newTrack(p, 0), iou: s.IoU, stab: s.Stability},
		appearance: appearance{Look: l, area: s.Area, size: s.Size, base: s.Base},
		state:      seg.Lost,
	}, true
}

// Restore takes up the objects that were saved, before the first frame. They are looked for: first where they were, and in no other place
// than the one that they were in. One that comes back
// within Options.ReturnWithin of the model's first answer is reported as recovered, another as lost; one that makes no sense is left out.
// UndoRemoval brings back what was saved as removed. New objects are numbered above all of them.
func (t *Tracker) Restore(saved []Saved, removals ...[]Saved) {
	saved = slices.SortedFunc(slices.Values(saved), func(a, b Saved) int { return cmp.Compare(a.ID, b.ID) })
	largest, next := seg.ID(0), t.opt.NextID
	for i := range saved {
		s := &saved[i]
		if len(t.objects) >= t.opt.MaxObjects || s.ID == largest {
			continue
		}
		if o := t.restored(s); o != nil {
			t.objects, largest = append(t.objects, o), s.ID
		}
	}
	for _, r := range removals {
		kept := removal{}
		for i := range r {
			if o := t.restored(&r[i]); o != nil && t.objects.find(o.id) == nil {
				kept.objects, largest = append(kept.objects, removed{o, r[i].State, o.picture}), max(largest, o.id)
			}
		}
		t.removals = append(t.removals, kept)
	}
	t.removals = slices.DeleteFunc(t.removals, func(r removal) bool { return len(r.objects) == 0 })
	t.removals.bound(maxRemovals, t.opt.MaxObjects)
	t.opt.NextID = func() seg.ID {
		largest = max(next(), largest+1)
		return largest
	}
}

// restored is an object that was saved, nil where it makes no sense.
func (t *Tracker) restored(s *Saved) *object {
	m, ok := t.believed(s)
	if !ok {
		return nil
	}
	o := &object{
		id: s.ID, name: s.Name, color: s.Color, state: seg.Lost, returning: true, picture: s.Place.glimpse(),
		anchors: m.anchors, belief: m.belief, appearance: m.appearance,
	}
	o.away = o.picture != nil
	for i := range s.Undo {
		if m, ok := t.believed(&s.Undo[i]); ok && len(o.undo) < maxUndo {
			o.undo = append(o.undo, m)
		}
	}
	before := t.snapshot(o)
	before.State = s.State
	o.shown = &before
	return o
}

// returned ends the time in which an object that was saved may come back without having been lost.
func (t *Tracker) returned(o *object) {
	first := t.budget.first
	if o.returning && first > 0 && t.framesSince(first) >= uint64(t.clock.frames(t.opt.ReturnWithin)) {
		o.returning = false
		t.change(seg.ObjectLost, o)
	}
}

// formerPlace is the question whether an object that was saved is where it was.
func (t *Tracker) formerPlace(o *object) (seg.Prompt, bool) {
	if o.track.Bounds().Empty() {
		return seg.Prompt{}, false
	}
	return seg.Prompt{Mask: t.opt.Tuning.Shape.Prompt(&o.track.Track), Single: true}, true
}
