// Package watch keeps looking for what a phrase names: of the boxes that a detector finds, look after look, it tells which are followed
// already, which may be something that was lost, and which are new. It sees no pictures and follows nothing: the agent looks, and asks the
// model.
package watch

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// DefaultLimit is how many objects a watch has at once where it does not say.
const DefaultLimit = 10

// Saved is a watch as it outlives the process.
type Saved struct {
	Text       string    // the phrase, without the zones
	Name       string    // of its objects; empty takes the phrase
	Limit      int       // objects at once, at most; 0 is DefaultLimit
	Zones      []string  // something new must stand in one of them; none: anywhere
	Until      time.Time // when it ends; zero for never
	Configured bool      // it is in the configuration
	Objects    []seg.ID  // that it found, or that it found to be followed already
	Made       []seg.ID  // those of them that it made, and that no person has taken for theirs since
}

// Watch is a phrase that is looked for again and again. Its owner calls it from one goroutine at a time.
type Watch struct {
	Saved
	sights   []sight // boxes of the last looks that nobody had
	declined []sight // boxes of what a person does not want
	frame    uint64  // the last one that was looked at
	pairs    []pair  // of its objects that are the same thing
	parts    []pair  // of its objects one of which is a part of the other
}

// sight is a box that is seen again and again.
type sight struct {
	box    seg.Box
	looks  int // in which it was there
	missed int // looks in a row in which it was not
}

// Find is a box that something has to be done about.
type Find struct {
	Box     seg.Box
	Perhaps []seg.ID // hidden or lost objects that it may be, the likeliest first: asked before anything else
	New     bool     // if it is none of them it is something new
}

// Seen notes that a frame is looked at, and says whether it was the last one too: to look at it again tells nothing.
func (w *Watch) Seen(frame uint64) bool {
	seen := frame == w.frame
	w.frame = frame
	return seen
}

// Match says what there is to do about the boxes of a look, by where the objects were in its frame; most is how many things the phrase asks
// for, 0 for any number, and within tells what stands in the watch's zones. eager believes what is seen for the first time.
func (w *Watch) Match(boxes []seg.Box, places []tracker.Place, most int, within func(seg.Box) bool, eager bool) []Find {
	w.keep(places)
	var finds []Find
	var free []seg.Box
	owned := map[seg.ID]bool{}
	owners := w.owners(boxes, places)
	for i, owner := range owners {
		if owner == nil {
			free = append(free, boxes[i])
			continue
		}
		owned[owner.ID] = true
		if owner.State == seg.Occluded && slices.Contains(w.Objects, owner.ID) {
			finds = append(finds, Find{Box: boxes[i], Perhaps: []seg.ID{owner.ID}})
		}
		w.Found(owner.ID)
	}
	w.part(boxes, owners, places)
	free = w.refuse(free)
	sought, all := w.missing(places, owned)
	need := confirmed
	if all > 0 {
		need = patience
	}
	w.see(free)
	for _, b := range free {
		f := Find{Box: b, Perhaps: sought}
		f.New = (eager && all == 0 || w.looks(b) >= need) && w.Room(most) && within(b)
		if f.New || len(f.Perhaps) > 0 {
			finds = append(finds, f)
		}
	}
	return finds
}

// Room says whether the watch may have one more object.
func (w *Watch) Room(most int) bool {
	limit := cmp.Or(w.Limit, DefaultLimit)
	if most > 0 {
		limit = min(limit, most)
	}
	return len(w.Objects) < limit
}

// Doubts says that something was seen that was not believed yet: it is worth looking again soon.
func (w *Watch) Doubts() bool {
	return slices.ContainsFunc(w.sights, func(s sight) bool { return s.missed == 0 && s.looks < confirmed })
}

// Found notes that an object is one of the watch's.
func (w *Watch) Found(id seg.ID) {
	if !slices.Contains(w.Objects, id) {
		w.Objects = append(w.Objects, id)
	}
}

// Makes notes that the watch has made an object.
func (w *Watch) Makes(id seg.ID) {
	w.Found(id)
	w.Made = append(w.Made, id)
}

// Decline takes it that what is in a box, an object of the watch, is not wanted, for as long as it is seen there.
func (w *Watch) Decline(id seg.ID, b seg.Box) {
	i := slices.Index(w.Objects, id)
	if i < 0 {
		return
	}
	w.Objects = slices.Delete(w.Objects, i, i+1)
	w.Keep(id)
	if !b.Empty() {
		w.declined = append(w.declined, sight{box: b})
	}
}

// Key is what makes two phrases the same watch.
func Key(text string) string { return strings.Join(strings.Fields(strings.ToLower(text)), " ") }

// keep forgets the objects that have ended.
func (w *Watch) keep(places []tracker.Place) {
	ended := func(id seg.ID) bool {
		return !slices.ContainsFunc(places, func(p tracker.Place) bool { return p.ID == id })
	}
	w.Objects, w.Made = slices.DeleteFunc(w.Objects, ended), slices.DeleteFunc(w.Made, ended)
}

// missing is how many of the watch's objects have no box of their own, and which of them are hidden or lost, and so to be asked about.
func (w *Watch) missing(places []tracker.Place, owned map[seg.ID]bool) (sought []seg.ID, all int) {
	for _, p := range places {
		if owned[p.ID] || !slices.Contains(w.Objects, p.ID) {
			continue
		}
		if all++; p.State == seg.Lost || p.State == seg.Occluded {
			sought = append(sought, p.ID)
		}
	}
	return sought, all
}

// owners are the objects that the boxes are of, each of at most one, the best overlaps first; nil for a box of none.
func (w *Watch) owners(boxes []seg.Box, places []tracker.Place) []*tracker.Place {
	type pair struct {
		box, place int
		overlap    float64
	}
	var pairs []pair
	for i, b := range boxes {
		for k := range places {
			p := &places[k]
			if p.Box.Empty() {
				continue
			}
			iou, own := b.IoU(p.Box), slices.Contains(w.Objects, p.ID)
			part := b.Intersect(p.Box).Area() / p.Box.Area()
			if iou >= anyIoU || own && (iou >= ownIoU || part >= ownPart) {
				pairs = append(pairs, pair{i, k, iou})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.overlap, a.overlap) })
	out, taken := make([]*tracker.Place, len(boxes)), make([]bool, len(places))
	for _, p := range pairs {
		if out[p.box] == nil && !taken[p.place] {
			out[p.box], taken[p.place] = &places[p.place], true
		}
	}
	return out
}

// refuse takes out the boxes of what a person does not want, and follows those.
func (w *Watch) refuse(free []seg.Box) []seg.Box {
	for i := range w.declined {
		d := &w.declined[i]
		d.missed++
		if k := slices.IndexFunc(free, d.near); k >= 0 {
			d.box, d.missed = free[k], 0
			free = slices.Delete(free, k, k+1)
		}
	}
	w.declined = slices.DeleteFunc(w.declined, func(s sight) bool { return s.missed > unwanted })
	return free
}

// see counts the looks in which the boxes that nobody has were there.
func (w *Watch) see(free []seg.Box) {
	for i := range w.sights {
		w.sights[i].missed++
	}
	for _, b := range free {
		if i := slices.IndexFunc(w.sights, func(s sight) bool { return s.missed > 0 && s.near(b) }); i >= 0 {
			w.sights[i] = sight{box: b, looks: w.sights[i].looks + 1}
		} else {
			w.sights = append(w.sights, sight{box: b, looks: 1})
		}
	}
	w.sights = slices.DeleteFunc(w.sights, func(s sight) bool { return s.missed >= forgotten })
}

// looks is in how many looks a box of the newest one was there.
func (w *Watch) looks(b seg.Box) int {
	for _, s := range w.sights {
		if s.box == b && s.missed == 0 {
			return s.looks
		}
	}
	return 0
}

// near says whether a box may be that of the sight a look later: it has come no farther than it is large, and is about as large.
func (s sight) near(b seg.Box) bool {
	p, q := s.box.Center(), b.Center()
	reach := max(b.X1-b.X0, b.Y1-b.Y0, s.box.X1-s.box.X0, s.box.Y1-s.box.Y0)
	ratio := b.Area() / max(s.box.Area(), 1e-9)
	return math.Hypot(p.X-q.X, p.Y-q.Y) <= reach && max(ratio, 1/ratio) < mostGrowth
}
