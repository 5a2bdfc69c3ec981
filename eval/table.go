package eval

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// VideoTable writes results as a Markdown table that also reads well in a terminal: a row a method, and for each method the J&F of
// every sequence.
func VideoTable(w io.Writer, results []*VideoResult) error {
	if len(results) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(results[0].Sequences))
	rows := [][]string{append([]string{"method", "input", "prompt", "fps", "J", "F", "J&F", "p50 ms", "p95 ms", "dropped"}, names...)}
	for _, r := range results {
		rate := "offline"
		if r.Realtime > 0 {
			rate = fmt.Sprintf("%g", r.Realtime)
		}
		if r.Delay > 0 {
			rate = fmt.Sprintf("%d late", r.Delay)
		}
		row := []string{
			r.Method, pixels(r.Input), string(r.Prompt), rate, percent(r.Mean.J), percent(r.Mean.F), percent(r.Mean.JF),
			fmt.Sprintf("%.1f", r.Millis.P50), fmt.Sprintf("%.1f", r.Millis.P95), fmt.Sprint(r.Dropped),
		}
		for _, n := range names {
			row = append(row, percent(r.Sequences[n].JF))
		}
		rows = append(rows, row)
	}
	return writeTable(w, rows)
}

// ClicksTable writes results as VideoTable does: for each a row of the whole, one for each set and one for each size of object.
func ClicksTable(w io.Writer, results []*ClicksResult) error {
	if len(results) == 0 {
		return nil
	}
	head := []string{"method", "input", "data", "objects"}
	for i := range results[0].MIoU {
		head = append(head, fmt.Sprintf("%d clicks", i+1))
	}
	head[4] = "1 click"
	rows := [][]string{append(head, "best of its masks", "NoC@85", "NoC@90", "box")}
	for _, r := range results {
		rows = append(rows, r.row("all", r.Answers))
		for _, n := range slices.Sorted(maps.Keys(r.Sets)) {
			if len(r.Sets) > 1 {
				rows = append(rows, r.row(n, r.Sets[n]))
			}
		}
		for _, n := range []string{"small", "medium", "large"} {
			if a, ok := r.Sizes[n]; ok {
				rows = append(rows, r.row(n, a))
			}
		}
	}
	rows = append(rows, baselineRows(results[0])...)
	return writeTable(w, rows)
}

func (r *ClicksResult) row(data string, a Answers) []string {
	row := []string{r.Method, pixels(r.Input), data, fmt.Sprint(a.Objects)}
	for _, v := range a.MIoU {
		row = append(row, percent(v))
	}
	return append(row, percent(a.Oracle1), fmt.Sprintf("%.2f", a.NoC85), fmt.Sprintf("%.2f", a.NoC90), percent(a.Box))
}

// baselineRows are the classical method's, which answers one click or a box.
func baselineRows(r *ClicksResult) [][]string {
	if r.BaselineClick == nil {
		return nil
	}
	row := func(data string, a Answers) []string {
		out := []string{"GrabCut", pixels(r.BaselineInput), data, fmt.Sprint(a.Objects), percent(*a.BaselineClick)}
		for range len(a.MIoU) + 2 {
			out = append(out, "")
		}
		return append(out, percent(*a.BaselineBox))
	}
	rows := [][]string{row("all", r.Answers)}
	for _, n := range slices.Sorted(maps.Keys(r.Sets)) {
		if len(r.Sets) > 1 {
			rows = append(rows, row(n, r.Sets[n]))
		}
	}
	for _, n := range []string{"small", "medium", "large"} {
		if a, ok := r.Sizes[n]; ok {
			rows = append(rows, row(n, a))
		}
	}
	return rows
}

// pixels is the longest side of a model's picture, for the table; blank where no model says.
func pixels(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// percent is a share of 1 in percent with one decimal.
func percent(v float64) string { return fmt.Sprintf("%.1f", 100*v) }

// writeTable writes rows, the first of which is the head, in columns of equal width: text to the left, figures to the right.
func writeTable(w io.Writer, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	var b strings.Builder
	for k, row := range rows {
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(c)))
			if i == 0 {
				b.WriteString("| " + c + pad)
				continue
			}
			b.WriteString(" | " + pad + c)
		}
		b.WriteString(" |\n")
		if k == 0 {
			for i, n := range widths {
				rule := strings.Repeat("-", max(n, 3))
				if i > 0 {
					rule = rule[1:] + ":"
				}
				b.WriteString("| " + rule + " ")
			}
			b.WriteString("|\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
