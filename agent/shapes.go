package agent

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/zones"
)

// maxShapes bounds a camera's zones, and its lines: names come from outside.
const maxShapes = 64

// shapes are a camera's zones and lines as its doors see them; what they mean is package zones' business.
type shapes struct {
	change sync.Mutex // one command at a time, so that this list and the watch's agree

	revision atomic.Uint64 // of what commands made of them
	kept     atomic.Pointer[zones.Counts]

	mu    sync.Mutex
	zones []api.Zone
	lines []api.Line

	fixedZones, fixedLines []string // those that are configured, by name
}

// begin takes the configured ones, and with recall those that commands made, and returns what watches them.
func (s *shapes) begin(co CameraOptions) *zones.Watch {
	for _, z := range co.Zones {
		s.fixedZones = append(s.fixedZones, z.Name)
	}
	for _, l := range co.Lines {
		s.fixedLines = append(s.fixedLines, l.Name)
	}
	co.recall()
	w := zones.New(zones.Defaults())
	s.zones, s.lines = slices.Clone(co.Zones), slices.Clone(co.Lines)
	for _, z := range s.zones {
		w.SetZone(z.Name, points(z.Points), z.Classes...)
	}
	for _, l := range s.lines {
		w.SetLine(l.Name, points(l.Points), l.Classes...)
	}
	if k := co.Known; k != nil {
		w.Restore(k.Borders, func(id seg.ID) bool {
			return slices.ContainsFunc(k.Objects, func(o tracker.Saved) bool { return o.ID == id })
		})
	}
	return w
}

// counted is what zones and lines of a camera have counted, and who is inside, as documents say it; nil for nothing.
func counted(camera string, n zones.Counts, inside map[string][]seg.ID) *api.Counts {
	if len(n.Zones)+len(n.Lines) == 0 {
		return nil
	}
	out := &api.Counts{Zones: map[string]api.Visits{}, Lines: map[string]api.Crossings{}, Inside: map[string][]string{}}
	for name, v := range n.Zones {
		out.Zones[name] = api.Visits{Inside: v.Entered - min(v.Left, v.Entered), Entered: v.Entered, Left: v.Left}
	}
	for name, ids := range inside {
		for _, id := range ids {
			out.Inside[name] = append(out.Inside[name], seg.ObjectID(camera, id))
		}
	}
	for name, c := range n.Lines {
		out.Lines[name] = api.Crossings(c)
	}
	return out
}

// all are the zones and lines in the order in which they were made; the slices are the caller's.
func (s *shapes) all() ([]api.Zone, []api.Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.zones), slices.Clone(s.lines)
}

// zone makes, replaces or removes a polygon.
func (c *camera) zone(ctx context.Context, z *api.Zone) error {
	s := &c.shapes
	s.change.Lock()
	defer s.change.Unlock()
	list, _ := s.all()
	list, err := put(list, *z, len(z.Points) > 0, "zones", func(o api.Zone) bool { return o.Name == z.Name })
	if err != nil {
		return err
	}
	if err := c.pipe.Zone(ctx, z.Name, points(z.Points), z.Classes...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zones = list
	s.revision.Add(1)
	return nil
}

// line makes, replaces or removes a directed line.
func (c *camera) line(ctx context.Context, l *api.Line) error {
	s := &c.shapes
	s.change.Lock()
	defer s.change.Unlock()
	_, lines := s.all()
	lines, err := put(lines, *l, len(l.Points) > 0, "lines", func(o api.Line) bool { return o.Name == l.Name })
	if err != nil {
		return err
	}
	if err := c.pipe.Line(ctx, l.Name, points(l.Points), l.Classes...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = lines
	s.revision.Add(1)
	return nil
}

// put replaces what has the same name, adds what has a new one, or only takes away.
func put[S any](list []S, v S, keep bool, what string, same func(S) bool) ([]S, error) {
	list = slices.DeleteFunc(list, same)
	if !keep {
		return list, nil
	}
	if len(list) >= maxShapes {
		return nil, &api.Error{Code: api.Overloaded, Message: fmt.Sprintf("the camera has %d %s already: remove one first", maxShapes, what)}
	}
	return append(list, v), nil
}
