package soak

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// Summary writes what was found, as a Markdown table and a few lines.
func (r *Report) Summary(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%.0f minutes, %d samples, %d faults; ", r.Seconds/60, len(r.Samples), len(r.Faults))
	fmt.Fprintf(&b, "%d events, %d lost, %d out of order, %d twice; ", r.Events, r.Lost, r.Late, r.Duplicates)
	fmt.Fprintf(&b, "%d viewers, %d refused; %d restarts\n\n", r.Viewers, r.Refused, r.Restarts)
	b.WriteString("| series | first | last | an hour, after warm-up | upper bound |\n| --- | ---: | ---: | ---: | ---: |\n")
	for _, s := range series {
		if len(r.Samples) == 0 {
			break
		}
		first, last := s.of(r.Samples[0]), s.of(r.Samples[len(r.Samples)-1])
		slope, upper := "", ""
		if t, ok := r.Trends[s.Name]; ok && !math.IsInf(t.Interval, 0) {
			slope, upper = fmt.Sprintf("%+.1f ± %.1f", t.PerHour, t.Interval), fmt.Sprintf("%.1f", t.Upper())
		}
		fmt.Fprintf(&b, "| %s | %.1f %s | %.1f %s | %s | %s |\n", s.Name, first, s.Unit, last, s.Unit, slope, upper)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Verdict is an error for each thing that a soak must not find: an agent that ended, events that were lost, and, with a limit, resident
// memory whose slope may be above it, MiB an hour.
func (r *Report) Verdict(maxSlope float64) error {
	var errs []error
	if r.Restarts > 0 || r.Exit != "" {
		errs = append(errs, fmt.Errorf("the agent did not end well: %s", r.Exit))
	}
	if r.Lost > 0 {
		errs = append(errs, fmt.Errorf("%d events were lost and nothing says why (%s)", r.Lost, strings.Join(r.Missing, ", ")))
	}
	if r.Late > 0 {
		errs = append(errs, fmt.Errorf("%d events came after a later one", r.Late))
	}
	if r.Events == 0 {
		errs = append(errs, errors.New("no event came at all"))
	}
	if t, ok := r.Trends["RSS"]; maxSlope > 0 && (!ok || t.Upper() > maxSlope) {
		errs = append(errs, fmt.Errorf("resident memory may grow by %.1f MiB an hour, %g are allowed", t.Upper(), maxSlope))
	}
	return errors.Join(errs...)
}
