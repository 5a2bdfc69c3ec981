package zones

import (
	"maps"
	"slices"
	"sync"

	"github.com/segedge/segedge/seg"
)

// Visits are those of a zone since it was drawn. The difference is how many objects are in it.
type Visits struct{ Entered, Left uint64 }

// Crossings are those of a line since it was drawn, by their direction.
type Crossings struct{ Left, Right uint64 }

// Counts are what zones and lines have counted, by name. Those that have counted nothing are left out.
type Counts struct {
	Zones map[string]Visits
	Lines map[string]Crossings
}

// tally counts; it is read from other goroutines.
type tally struct {
	mu sync.Mutex
	of Counts
}

func (t *tally) entered(zone string) { t.visits(zone, func(v *Visits) { v.Entered++ }) }
func (t *tally) left(zone string)    { t.visits(zone, func(v *Visits) { v.Left++ }) }

func (t *tally) visits(zone string, count func(*Visits)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.of.Zones[zone]
	count(&v)
	t.of.Zones[zone] = v
}

func (t *tally) crossed(line string, left bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.of.Lines[line]
	if left {
		c.Left++
	} else {
		c.Right++
	}
	t.of.Lines[line] = c
}

func (t *tally) forget(zone, line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of.Zones, zone)
	delete(t.of.Lines, line)
}

// Counts are a copy of what was counted so far. Safe to call from any goroutine.
func (w *Watch) Counts() Counts {
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	return Counts{maps.Clone(w.tally.of.Zones), maps.Clone(w.tally.of.Lines)}
}

// Saved is what a watch has counted and who was where, to be kept while the process is not there.
type Saved struct {
	Counts Counts
	Inside []Presence
}

// Presence is an object in a zone, and since when.
type Presence struct {
	ID    seg.ID
	Zone  string
	Since seg.FrameRef
}

// Save copies what is to be kept, in the order of ids and zones.
func (w *Watch) Save() Saved {
	s := Saved{Counts: w.Counts()}
	for _, id := range slices.Sorted(maps.Keys(w.visitors)) {
		for _, p := range w.visitors[id].inside {
			if p.in {
				s.Inside = append(s.Inside, Presence{id, p.zone, p.since})
			}
		}
	}
	return s
}

// Restore takes up what was saved of the zones and lines that there are, and of the objects that live on. Frames are numbered anew: a visit
// that began before is counted in frames from the start.
func (w *Watch) Restore(s Saved, alive func(seg.ID) bool) {
	hasZone := func(name string) bool {
		return slices.ContainsFunc(w.zones, func(z zone) bool { return z.name == name })
	}
	hasLine := func(name string) bool {
		return slices.ContainsFunc(w.lines, func(l line) bool { return l.name == name })
	}
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	for name, v := range s.Counts.Zones {
		if hasZone(name) {
			w.tally.of.Zones[name] = v
		}
	}
	for name, c := range s.Counts.Lines {
		if hasLine(name) {
			w.tally.of.Lines[name] = c
		}
	}
	for _, p := range s.Inside {
		switch {
		case !hasZone(p.Zone):
		case !alive(p.ID): // it went while nobody looked
			v := w.tally.of.Zones[p.Zone]
			v.Left = min(v.Left+1, v.Entered)
			w.tally.of.Zones[p.Zone] = v
		default:
			w.arrive(p)
		}
	}
}

// arrive puts an object of an earlier run into the zone that it was in.
func (w *Watch) arrive(p Presence) {
	v := w.visitors[p.ID]
	if v == nil {
		v = &visitor{}
		w.visitors[p.ID] = v
	}
	v.presenceIn(p.Zone).in = true
	v.presenceIn(p.Zone).since = seg.FrameRef{Captured: p.Since.Captured}
}
