// Package zones says what objects do at the borders that a person drew in a camera's picture: who enters and leaves a polygon, and for how
// long, and who crosses a line, and which way. It is shown the objects of each frame and passes on what a tracker told of them, so that an
// object leaves its zones before it ends. It follows nothing itself and knows no pixels but the masks'.
package zones

import (
	"maps"
	"slices"

	"github.com/segedge/segedge/seg"
)

// Watch watches the zones and lines of one camera. One goroutine owns it. Objects are judged by their ground point, the middle of the
// mask's lower edge, in normalised coordinates. What it has counted anybody may ask.
type Watch struct {
	tuning   Tuning
	zones    []zone
	lines    []line
	visitors map[seg.ID]*visitor
	tally    tally
}

// visitor is what is known of one object.
type visitor struct {
	told   *seg.Object // as it was last reported
	inside []presence
	sides  map[string]side // by line

	name, prompt string          // as they were when
	fits         map[string]bool // was found out, by class
}

// presence is an object in a zone, or just outside of it.
type presence struct {
	zone    string
	in      bool
	since   seg.FrameRef // that it is in
	pending int          // frames in a row that contradict in
}

// New makes a watch without zones.
func New(k Tuning) *Watch {
	return &Watch{tuning: k, visitors: map[seg.ID]*visitor{}, tally: newTally()}
}

// SetZone makes or replaces a polygon that reports zone.entered and zone.left; with fewer than three points it removes it. Those in it do
// not leave; those in what replaces it, of its classes, enter. It begins to count anew. Points are normalised. Of objects only those of the
// classes are seen, if any are given: those in whose name, or phrase, one stands as a word.
func (w *Watch) SetZone(name string, points []seg.Point, only ...string) {
	w.tally.forget(name, "")
	w.zones = slices.DeleteFunc(w.zones, func(z zone) bool { return z.name == name })
	for _, v := range w.visitors {
		v.inside = slices.DeleteFunc(v.inside, func(p presence) bool { return p.zone == name })
	}
	if len(points) > 2 {
		w.zones = append(w.zones, zone{name, slices.Clone(points), slices.Clone(only)})
	}
}

// SetLine makes or replaces a directed line that reports line.crossed, with the direction "left" or "right" as seen by someone who looks
// along it; without two points it removes it. Classes and counts are as for zones.
func (w *Watch) SetLine(name string, points []seg.Point, only ...string) {
	w.tally.forget("", name)
	w.lines = slices.DeleteFunc(w.lines, func(l line) bool { return l.name == name })
	for _, v := range w.visitors {
		maps.DeleteFunc(v.sides, func(n string, _ side) bool { return n == name })
	}
	if len(points) == 2 {
		w.lines = append(w.lines, line{name, points[0], points[1], slices.Clone(only)})
	}
}

// Report appends what a tracker told, each end of an object after its leaving the zones that it was in, and what the objects of frame ref
// do at zones and lines; without objects, between frames, only the former. Objects that no zone.entered would make sense of yet (nothing
// was told of them) are left out.
func (w *Watch) Report(ref seg.FrameRef, told []seg.Change, objects []seg.Object, dst []seg.Change) []seg.Change {
	for _, c := range told {
		v := w.visitors[c.After.ID]
		if v == nil {
			v = &visitor{}
			w.visitors[c.After.ID] = v
		}
		if v.told == nil { // it is known from an earlier run
			v.told = c.Before
		}
		if c.Type == seg.ObjectEnded {
			dst = w.depart(v, ref, c.After, dst)
			delete(w.visitors, c.After.ID)
		}
		dst = append(dst, c)
		v.told = c.After
	}
	if len(w.zones) == 0 && len(w.lines) == 0 {
		return dst
	}
	for i := range objects {
		o := &objects[i]
		if v := w.visitors[o.ID]; v != nil && o.State.Visible() && o.Mask != nil && !o.Mask.Rect.Empty() {
			g := ground(o.Mask)
			dst = w.visit(v, o, g, ref, dst)
			dst = w.cross(v, o, g, dst)
		}
	}
	return dst
}

// ground is where an object stands: the middle of its mask's lower edge.
func ground(m *seg.Mask) seg.Point { return seg.Point{X: m.Centroid().X, Y: m.Box().Y1} }

// visit takes a frame's ground point into account. A border counts as crossed when it stayed so for some frames: a mask's edge wavers.
func (w *Watch) visit(v *visitor, o *seg.Object, g seg.Point, ref seg.FrameRef, dst []seg.Change) []seg.Change {
	for _, z := range w.zones {
		p := v.presenceIn(z.name)
		if (z.contains(g) && v.are(o, z.only)) == p.in {
			p.pending = 0
			continue
		}
		if p.pending++; p.pending < w.tuning.SettleFrames {
			continue
		}
		p.in, p.pending = !p.in, 0
		if p.in {
			p.since = ref
			w.tally.entered(z.name, o.ID)
			dst = v.tell(seg.ZoneEntered, o, map[string]any{"zone": z.name}, dst)
		} else {
			dst = w.leave(v, p, ref, o, dst)
		}
	}
	return dst
}

func (v *visitor) presenceIn(zone string) *presence {
	i := slices.IndexFunc(v.inside, func(p presence) bool { return p.zone == zone })
	if i < 0 {
		i, v.inside = len(v.inside), append(v.inside, presence{zone: zone})
	}
	return &v.inside[i]
}

// leave reports the end of a visit, with how long it was in frames and, by their capture times, in seconds.
func (w *Watch) leave(v *visitor, p *presence, ref seg.FrameRef, o *seg.Object, dst []seg.Change) []seg.Change {
	w.tally.left(p.zone, o.ID)
	frames := ref.Seq - min(p.since.Seq, ref.Seq)
	return v.tell(seg.ZoneLeft, o, map[string]any{
		"zone": p.zone, "dwell_frames": frames, "dwell_s": max(0, ref.Captured.Sub(p.since.Captured).Seconds()),
	}, dst)
}

// depart ends an object's visits with its life.
func (w *Watch) depart(v *visitor, ref seg.FrameRef, o *seg.Object, dst []seg.Change) []seg.Change {
	for i := range v.inside {
		if v.inside[i].in {
			dst = w.leave(v, &v.inside[i], ref, o, dst)
		}
	}
	return dst
}

// cross reports the lines whose other side an object came to be on, where its way met the line between its ends.
func (w *Watch) cross(v *visitor, o *seg.Object, g seg.Point, dst []seg.Change) []seg.Change {
	for i := range w.lines {
		l := &w.lines[i]
		if !v.are(o, l.only) {
			delete(v.sides, l.name) // where it was, it was as something else
			continue
		}
		d := l.distance(g)
		if d > -w.tuning.Clearance && d < w.tuning.Clearance {
			continue
		}
		now := side{d < 0, g}
		before, known := v.sides[l.name]
		if v.sides == nil {
			v.sides = map[string]side{}
		}
		v.sides[l.name] = now
		if !known || before.left == now.left || !l.between(before.at, g) {
			continue
		}
		direction := "right"
		if now.left {
			direction = "left"
		}
		w.tally.crossed(l.name, now.left)
		dst = v.tell(seg.LineCrossed, o, map[string]any{"line": l.name, "direction": direction}, dst)
	}
	return dst
}

func (v *visitor) tell(typ seg.EventType, o *seg.Object, details map[string]any, dst []seg.Change) []seg.Change {
	after := *o
	dst = append(dst, seg.Change{Type: typ, Before: v.told, After: &after, Details: details})
	v.told = &after
	return dst
}
