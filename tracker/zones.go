package tracker

import (
	"maps"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
)

// zone is a polygon that reports who enters and leaves; line is a directed one that reports who crosses.
type (
	zone struct {
		name    string
		corners []seg.Point
	}
	line struct {
		name     string
		from, to seg.Point
	}
)

// presence is an object in a zone: since when, and for how long it has been on the other side of the border.
type presence struct {
	zone    string
	in      bool
	since   uint64
	pending int // frames in a row that contradict in
}

// settleFrames is how many frames in a row a border must stay crossed: a mask's edge wavers.
const settleFrames = 3

// SetZone makes or replaces a polygon that reports zone.entered and zone.left, by the ground point of an object's mask; with no points it
// removes it. Points are normalised.
func (t *Tracker) SetZone(name string, points []seg.Point) {
	t.zones = slices.DeleteFunc(t.zones, func(z zone) bool { return z.name == name })
	for _, o := range t.objects {
		o.inside = slices.DeleteFunc(o.inside, func(p presence) bool { return p.zone == name })
	}
	if len(points) > 2 {
		t.zones = append(t.zones, zone{name, slices.Clone(points)})
	}
}

// SetLine makes or replaces a directed line that reports line.crossed, with the direction "left" or "right" as seen by someone who looks
// along it; with no points it removes it.
func (t *Tracker) SetLine(name string, points []seg.Point) {
	t.lines = slices.DeleteFunc(t.lines, func(l line) bool { return l.name == name })
	for _, o := range t.objects {
		maps.DeleteFunc(o.sides, func(n string, _ side) bool { return n == name })
	}
	if len(points) == 2 {
		t.lines = append(t.lines, line{name, points[0], points[1]})
	}
}

// side is where an object was last seen clear of a line.
type side struct {
	left bool
	at   seg.Point
}

// ground is where an object stands: the middle of its mask's lower edge.
func ground(m *seg.Mask) seg.Point {
	b := m.Box()
	return seg.Point{X: m.Centroid().X, Y: b.Y1}
}

// patrol reports what objects did to zones and lines in the newest frame.
func (t *Tracker) patrol(now uint64) {
	if len(t.zones) == 0 && len(t.lines) == 0 {
		return
	}
	for _, o := range t.objects {
		if o.shown == nil {
			continue
		}
		if m := t.currentMask(o); o.state.Visible() && !m.Rect.Empty() {
			g := ground(m)
			t.visit(o, g, now)
			t.cross(o, g)
		}
	}
}

func (t *Tracker) visit(o *object, g seg.Point, now uint64) {
	for _, z := range t.zones {
		i := slices.IndexFunc(o.inside, func(p presence) bool { return p.zone == z.name })
		if i < 0 {
			o.inside = append(o.inside, presence{zone: z.name})
			i = len(o.inside) - 1
		}
		p := &o.inside[i]
		if z.contains(g) == p.in {
			p.pending = 0
			continue
		}
		if p.pending++; p.pending < settleFrames {
			continue
		}
		p.in, p.pending = !p.in, 0
		if p.in {
			p.since = now
			t.changeWith(seg.ZoneEntered, o, map[string]any{"zone": z.name})
		} else {
			t.leave(o, p, now)
		}
	}
}

func (t *Tracker) leave(o *object, p *presence, now uint64) {
	frames := now - min(p.since, now)
	t.changeWith(seg.ZoneLeft, o, map[string]any{"zone": p.zone, "dwell_frames": frames, "dwell_s": float64(frames) / t.clock.fps})
}

// leaveAll ends an object's visits with its life.
func (t *Tracker) leaveAll(o *object) {
	for i := range o.inside {
		if o.inside[i].in {
			o.inside[i].in = false
			t.leave(o, &o.inside[i], t.Newest())
		}
	}
}

// contains counts how often a ray to the right meets the border (Shimrat 1962).
func (z *zone) contains(p seg.Point) bool {
	in := false
	for i, a := range z.corners {
		b := z.corners[(i+1)%len(z.corners)]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < a.X+(p.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

// clearance is how far from a line, in picture widths, an object must be for its side to count.
const clearance = 0.004

func (t *Tracker) cross(o *object, g seg.Point) {
	for _, l := range t.lines {
		d := l.distance(g)
		if d > -clearance && d < clearance {
			continue
		}
		now := side{d < 0, g}
		before, known := o.sides[l.name]
		if o.sides == nil {
			o.sides = map[string]side{}
		}
		o.sides[l.name] = now
		if !known || before.left == now.left || !l.between(before.at, g) {
			continue
		}
		direction := "right"
		if now.left {
			direction = "left"
		}
		t.changeWith(seg.LineCrossed, o, map[string]any{"line": l.name, "direction": direction})
	}
}

// distance is that of p from the endless line, negative on its left.
func (l *line) distance(p seg.Point) float64 {
	dx, dy := l.to.X-l.from.X, l.to.Y-l.from.Y
	n := dx*dx + dy*dy
	if n == 0 {
		return 0
	}
	return (dx*(p.Y-l.from.Y) - dy*(p.X-l.from.X)) / max(n, 1e-12) * math.Sqrt(n)
}

// between says whether the way from a to b meets the line between its ends.
func (l *line) between(a, b seg.Point) bool {
	da, db := l.distance(a), l.distance(b)
	if da == db {
		return false
	}
	k := da / (da - db)
	x, y := a.X+k*(b.X-a.X), a.Y+k*(b.Y-a.Y)
	dx, dy := l.to.X-l.from.X, l.to.Y-l.from.Y
	s := ((x-l.from.X)*dx + (y-l.from.Y)*dy) / max(dx*dx+dy*dy, 1e-12)
	return s >= 0 && s <= 1
}
