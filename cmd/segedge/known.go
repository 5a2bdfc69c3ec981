package main

import (
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/state"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/zones"
)

// knownVersion is of what the agent knows over restarts, []agent.Known.
const knownVersion = 2

// knownFile is the file that it is in.
func knownFile(folder string, log *slog.Logger) *state.File {
	return &state.File{Path: filepath.Join(folder, "known.state"), Version: knownVersion, Logger: log, Migrate: migrateKnown}
}

// known1 is what a camera knew in version 1, which had maps, and not how what had counted was drawn.
type known1 struct {
	Objects  []tracker.Saved
	Standing map[string]seg.ID
	Zones    []api.Zone
	Lines    []api.Line
	Borders  struct {
		Counts zones.Counts
		Inside []zones.Presence
	}
}

// migrateKnown reads version 1, cameras by name. What has counted then is one of its name now.
func migrateKnown(version int, payload []byte, into any) error {
	out, ok := into.(*[]agent.Known)
	if version != 1 || !ok {
		return fmt.Errorf("version %d is not known", version)
	}
	var cameras map[string]known1
	if err := state.Decode(payload, &cameras); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(cameras)) {
		k := cameras[name]
		next := agent.Known{Camera: name, Objects: k.Objects, Zones: k.Zones, Lines: k.Lines, Borders: zones.Saved{Inside: k.Borders.Inside}}
		for _, prompt := range slices.Sorted(maps.Keys(k.Standing)) {
			next.Standing = append(next.Standing, agent.Met{Prompt: prompt, Object: k.Standing[prompt]})
		}
		counts := k.Borders.Counts
		for _, zone := range slices.Sorted(maps.Keys(counts.Zones)) {
			next.Borders.Zones = append(next.Borders.Zones, zones.SavedZone{Name: zone, Visits: counts.Zones[zone]})
		}
		for _, line := range slices.Sorted(maps.Keys(counts.Lines)) {
			next.Borders.Lines = append(next.Borders.Lines, zones.SavedLine{Name: line, Crossings: counts.Lines[line]})
		}
		*out = append(*out, next)
	}
	return nil
}
