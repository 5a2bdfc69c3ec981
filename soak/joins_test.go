package soak

import (
	"strings"
	"testing"
)

// What is left behind is told by name; less than before, and a little more memory, is nothing.
func TestJoinsVerdict(t *testing.T) {
	at := func(goroutines, files, rss float64) JoinRow {
		return JoinRow{Sample: Sample{Goroutines: goroutines, Files: files, RSS: rss}}
	}
	for _, c := range []struct {
		rows []JoinRow
		want string // empty is well
	}{
		{[]JoinRow{at(90, 20, 300), at(90, 20, 304)}, ""},
		{[]JoinRow{at(90, 20, 300), at(99, 20, 300), at(88, 19, 290)}, ""},
		{[]JoinRow{at(90, 20, 300), at(91, 20, 300)}, "1 goroutines"},
		{[]JoinRow{at(90, 20, 300), at(90, 22, 300)}, "2 descriptors"},
		{[]JoinRow{at(90, 20, 300), at(90, 20, 306)}, "6.0 MiB"},
		{[]JoinRow{at(90, 20, 300)}, "nothing was measured"},
	} {
		err := (&JoinReport{Rows: c.rows}).Verdict()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.rows, err, c.want)
		}
	}
}

func TestJoinsTable(t *testing.T) {
	var out strings.Builder
	r := JoinReport{Rows: []JoinRow{{0, Sample{Goroutines: 90, Files: 20, Threads: 12, RSS: 301.25, Heap: 9}}, {1000, Sample{Goroutines: 90}}}}
	if err := r.Table(&out); err != nil || !strings.Contains(out.String(), "| 0 | 90 | 20 | 12 | 301.2 | 9.0 |\n| 1000 | 90 |") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
