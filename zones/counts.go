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

// tally counts, and knows who is where; it is read from other goroutines.
type tally struct {
	mu     sync.Mutex
	of     Counts
	inside map[string][]seg.ID // by zone, in the order of ids
}

func newTally() tally {
	return tally{of: Counts{map[string]Visits{}, map[string]Crossings{}}, inside: map[string][]seg.ID{}}
}

func (t *tally) entered(zone string, id seg.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.of.Zones[zone]
	v.Entered++
	t.of.Zones[zone] = v
	t.put(zone, id)
}

// put has an object in a zone; mu is held.
func (t *tally) put(zone string, id seg.ID) {
	ids := t.inside[zone]
	if i, there := slices.BinarySearch(ids, id); !there {
		t.inside[zone] = slices.Insert(ids, i, id)
	}
}

func (t *tally) left(zone string, id seg.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.of.Zones[zone]
	v.Left++
	t.of.Zones[zone] = v
	t.inside[zone] = slices.DeleteFunc(t.inside[zone], func(o seg.ID) bool { return o == id })
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
	delete(t.inside, zone)
	delete(t.of.Lines, line)
}

// Counts are a copy of what was counted so far. Safe to call from any goroutine.
func (w *Watch) Counts() Counts {
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	return Counts{maps.Clone(w.tally.of.Zones), maps.Clone(w.tally.of.Lines)}
}

// Inside are the objects in each zone, by its name, in the order of ids: a copy. It agrees with the events, and has after a restart who was
// restored into a zone, of whom no zone.entered comes. Safe to call from any goroutine.
func (w *Watch) Inside() map[string][]seg.ID {
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	out := make(map[string][]seg.ID, len(w.tally.inside))
	for zone, ids := range w.tally.inside {
		out[zone] = slices.Clone(ids)
	}
	return out
}

// Saved is what a watch has counted and who was where, to be kept while the process is not there. It has no maps, so that what is the same
// is written the same.
type Saved struct {
	Zones  []SavedZone
	Lines  []SavedLine
	Inside []Presence
}

// Counts are those that were saved.
func (s *Saved) Counts() Counts {
	out := Counts{make(map[string]Visits, len(s.Zones)), make(map[string]Crossings, len(s.Lines))}
	for i := range s.Zones {
		out.Zones[s.Zones[i].Name] = s.Zones[i].Visits
	}
	for i := range s.Lines {
		out.Lines[s.Lines[i].Name] = s.Lines[i].Crossings
	}
	return out
}

// AtMost is what was counted, without what other has not counted yet.
func (c Counts) AtMost(other Counts) Counts {
	out := Counts{map[string]Visits{}, map[string]Crossings{}}
	for name, v := range c.Zones {
		if o, ok := other.Zones[name]; ok {
			out.Zones[name] = Visits{min(v.Entered, o.Entered), min(v.Left, o.Left)}
		}
	}
	for name, v := range c.Lines {
		if o, ok := other.Lines[name]; ok {
			out.Lines[name] = Crossings{min(v.Left, o.Left), min(v.Right, o.Right)}
		}
	}
	return out
}

// SavedZone is what a zone has counted, and how it was drawn then; without points it is one of that name, however it was drawn.
type SavedZone struct {
	Name    string
	Points  []seg.Point
	Classes []string
	Visits  Visits
}

// SavedLine is what a line has counted, as SavedZone.
type SavedLine struct {
	Name      string
	Points    []seg.Point
	Classes   []string
	Crossings Crossings
}

// Presence is an object in a zone, and since when.
type Presence struct {
	ID    seg.ID
	Zone  string
	Since seg.FrameRef
}

// Save is what is to be kept, in the order of zones, lines and ids.
func (w *Watch) Save() Saved {
	counts, s := w.Counts(), Saved{}
	for _, z := range w.zones {
		if v, ok := counts.Zones[z.name]; ok {
			s.Zones = append(s.Zones, SavedZone{z.name, z.corners, z.only, v})
		}
	}
	for _, l := range w.lines {
		if c, ok := counts.Lines[l.name]; ok {
			s.Lines = append(s.Lines, SavedLine{l.name, l.points(), l.only, c})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.visitors)) {
		for _, p := range w.visitors[id].inside {
			if p.in {
				s.Inside = append(s.Inside, Presence{id, p.zone, p.since})
			}
		}
	}
	return s
}

// Restore takes up what was saved of the zones and lines that are drawn as they were, and of the objects that live on. Frames are numbered
// anew: a visit that began before is counted in frames from the start.
func (w *Watch) Restore(s Saved, alive func(seg.ID) bool) {
	w.tally.mu.Lock()
	defer w.tally.mu.Unlock()
	for _, z := range s.Zones {
		if slices.ContainsFunc(w.zones, func(now zone) bool { return now.name == z.Name && drawn(z.Points, now.corners, z.Classes, now.only) }) {
			w.tally.of.Zones[z.Name] = z.Visits
		}
	}
	for _, l := range s.Lines {
		if slices.ContainsFunc(w.lines, func(now line) bool { return now.name == l.Name && drawn(l.Points, now.points(), l.Classes, now.only) }) {
			w.tally.of.Lines[l.Name] = l.Crossings
		}
	}
	for _, p := range s.Inside {
		v, same := w.tally.of.Zones[p.Zone]
		switch {
		case !same:
		case !alive(p.ID): // it went while nobody looked
			v.Left = min(v.Left+1, v.Entered)
			w.tally.of.Zones[p.Zone] = v
		default:
			w.arrive(p)
		}
	}
}

// drawn reports whether what was saved is drawn now as it was then, as far as that is known.
func drawn(then, now []seg.Point, of, only []string) bool {
	return then == nil || slices.Equal(then, now) && slices.Equal(of, only)
}

// arrive puts an object of an earlier run into the zone that it was in; the tally is locked.
func (w *Watch) arrive(p Presence) {
	v := w.visitors[p.ID]
	if v == nil {
		v = &visitor{}
		w.visitors[p.ID] = v
	}
	w.tally.put(p.Zone, p.ID)
	v.presenceIn(p.Zone).in = true
	v.presenceIn(p.Zone).since = seg.FrameRef{Captured: p.Since.Captured}
}
