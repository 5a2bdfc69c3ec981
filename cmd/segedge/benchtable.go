package main

import (
	"fmt"
	"io"
	"strings"
)

// benchStages are the columns, in the order of a frame's walk.
var benchStages = []string{"reduce", "track", "embed", "decode", "refresh", "overlay", "convert", "encode"}

// print writes the table that docs/benchmarks.md shows.
func (r *benchResult) print(w io.Writer) error {
	fmt.Fprintf(w, "%s; %s on %s; %d frames a row; milliseconds, median (95th percentile)\n\n", r.Machine, r.Model, r.Provider, r.Frames)
	heads := append([]string{"size", "objects", "followed"}, benchStages...)
	heads = append(heads, "keyframes")
	if r.FPS > 0 {
		heads = append(heads, "frame", "came", "dropped")
	}
	fmt.Fprintf(w, "| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat(" --- |", len(heads)))
	for _, row := range r.Rows {
		fmt.Fprintf(w, "| %d×%d | %d | %.1f |", row.Width, row.Height, row.Objects, row.Followed)
		for _, s := range benchStages {
			fmt.Fprintf(w, " %s |", row.Stages[s])
		}
		fmt.Fprintf(w, " %d |", row.Keyframes)
		if l := row.Live; l != nil {
			fmt.Fprintf(w, " %s | %d | %d |", l.Frame, l.Frames, l.Dropped)
		}
		fmt.Fprintln(w)
	}
	note := "reduce, track, overlay, convert and encode run on every frame; embed and refresh on keyframes, beside them; decode on a prompt."
	if r.FPS > 0 {
		note += fmt.Sprintf("\nFrames came by the clock, %g a second; frame is from a frame's coming to its being encoded.", r.FPS)
	}
	_, err := fmt.Fprintln(w, "\n"+note)
	return err
}

// String is the median and the 95th percentile, or a dash where nothing was measured.
func (c benchCost) String() string {
	if c.N == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f (%.1f)", c.P50, c.P95)
}
