package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/zones"
)

// Known is what a camera knows that outlives the process: its objects, which of them prompts given at start were for, the zones and
// lines that commands made, and what is looked for. It has no maps, so that what is the same is written the same (state.File).
type Known struct {
	Camera   string
	View     string // CameraOptions.View then; empty in what programs wrote that did not know it
	Objects  []tracker.Saved
	Removals [][]tracker.Saved // what undo brings back of what was removed, oldest first
	Standing []Met
	Zones    []api.Zone
	Lines    []api.Line
	Watches  []watch.Saved
	Borders  zones.Saved // what all zones and lines have counted, and who is in them
}

// Met is a prompt given at start, by what it says, and the object that it became.
type Met struct {
	Prompt string
	Object seg.ID
}

// Known is what the cameras know, in their order. After Run it is what they knew at the end.
func (a *Agent) Known(ctx context.Context) ([]Known, error) {
	var all []Known
	var errs []error
	for _, c := range a.cameras.all() {
		known, err := c.known(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("camera %s: %w", c.name, err))
		}
		all = append(all, known)
	}
	return all, errors.Join(errs...)
}

// KnownOf is what one camera knows; nil where there is none of this name or it cannot say.
func (a *Agent) KnownOf(ctx context.Context, name string) *Known {
	c := a.cameras.get(name)
	if c == nil {
		return nil
	}
	known, err := c.known(ctx)
	if err != nil {
		return nil
	}
	return &known
}

// Kept says what of Known is on the disk. What zones and lines have counted is told only then, so that a kill makes no counter go back;
// before the first time, as it is.
func (a *Agent) Kept(known []Known) {
	for i := range known {
		if c := a.cameras.get(known[i].Camera); c != nil {
			counts := known[i].Borders.Counts()
			c.shapes.kept.Store(&counts)
		}
	}
}

// counts are what zones and lines have counted, as far as a kill cannot take it back.
func (c *camera) counts() zones.Counts {
	now := c.pipe.Counts()
	if kept := c.shapes.kept.Load(); kept != nil {
		return now.AtMost(*kept)
	}
	return now
}

func (c *camera) known(ctx context.Context) (Known, error) {
	saved, err := c.pipe.Save(ctx)
	zones, lines := c.shapes.made()
	return Known{
		Camera: c.name, View: c.o.View, Objects: saved.Objects, Removals: saved.Removals, Standing: c.standing.save(), Zones: zones, Lines: lines,
		Watches: c.lookout.save(), Borders: saved.Borders,
	}, err
}

// Revision changes when Known has become worth writing down.
func (a *Agent) Revision() uint64 {
	sum := uint64(0)
	for _, c := range a.cameras.all() {
		sum += c.pipe.Revision() + c.shapes.revision.Load() + c.lookout.revision.Load()
	}
	return sum
}

// recall takes up what the camera knew, before it runs. What is configured now is not overruled.
func (co *CameraOptions) recall() {
	k := co.Known
	if k == nil {
		return
	}
	co.Tracker.Restore(k.Objects, k.Removals...)
	for _, z := range k.Zones {
		if len(co.Zones) < maxShapes && !slices.ContainsFunc(co.Zones, func(o api.Zone) bool { return o.Name == z.Name }) {
			co.Zones = append(slices.Clone(co.Zones), z)
		}
	}
	for _, l := range k.Lines {
		if len(co.Lines) < maxShapes && !slices.ContainsFunc(co.Lines, func(o api.Line) bool { return o.Name == l.Name }) {
			co.Lines = append(slices.Clone(co.Lines), l)
		}
	}
}

// made are the zones and lines that are not configured.
func (s *shapes) made() ([]api.Zone, []api.Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	zones := slices.DeleteFunc(slices.Clone(s.zones), func(z api.Zone) bool { return slices.Contains(s.fixedZones, z.Name) })
	lines := slices.DeleteFunc(slices.Clone(s.lines), func(l api.Line) bool { return slices.Contains(s.fixedLines, l.Name) })
	return zones, lines
}

// Configured says which zones and lines of a camera are configured now, by name: the others were made by commands, and are known over a
// restart.
func (a *Agent) Configured(camera string, zones, lines []string) {
	if c := a.cameras.get(camera); c != nil {
		c.shapes.fix(zones, lines)
	}
}

func (s *shapes) fix(zones, lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fixedZones, s.fixedLines = zones, lines
	s.revision.Add(1)
}
