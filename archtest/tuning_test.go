package archtest

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what docs/sensitivity.md says behind the numbers of the tunings")

// effects is what turning a number by a fifth, down and up, changes: the IoU of the built-in scenes and J&F, in points.
type effects struct{ scenes, jf *[2]float64 }

// tunedLine is a number of a tuning: its name, what is said of it, and in brackets what it changes.
var tunedLine = regexp.MustCompile(`^\t(\w+) +(?:int|float64) +// (.*?)(?: \[([^\]]*)\])?$`)

// TestWhatANumberChanges: behind each number that was chosen stands, in brackets, what docs/sensitivity.md, the output of make sensitivity,
// has measured of it: nothing is said that was not measured, and nothing that was is left unsaid.
func TestWhatANumberChanges(t *testing.T) {
	measured := sensitivity(t)
	for prefix, folder := range map[string]string{"": "", "Motion.": "motion", "Shape.": "shape", "Look.": "look", "LK.": "lk"} {
		path := filepath.Join("..", "tracker", folder, "tuning.go")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines, numbers := strings.Split(string(text), "\n"), 0
		for i, line := range lines {
			m := tunedLine.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			numbers++
			want := measured[prefix+m[1]].String()
			if *update {
				lines[i] = strings.TrimSuffix(line, " ["+m[3]+"]") + " [" + want + "]"
			} else if m[3] != want {
				t.Errorf("%s: %s says [%s], docs/sensitivity.md [%s]: go test ./archtest -run Changes -update", path, m[1], m[3], want)
			}
		}
		if numbers == 0 {
			t.Errorf("%s has no numbers", path)
		}
		if *update {
			if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// sensitivity reads the tables of docs/sensitivity.md.
func sensitivity(t *testing.T) map[string]effects {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "sensitivity.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]effects{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 8 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		e := all[cells[1]]
		for at, into := range map[int]**[2]float64{3: &e.scenes, 5: &e.jf} {
			down, err1 := strconv.ParseFloat(cells[at], 64)
			up, err2 := strconv.ParseFloat(cells[at+1], 64)
			if err1 == nil && err2 == nil {
				*into = &[2]float64{down, up}
			}
		}
		all[cells[1]] = e
	}
	return all
}

// String is J&F's change; that of the scenes too, where J&F, of one object at a time, feels nothing.
func (e effects) String() string {
	switch {
	case e.jf == nil && e.scenes == nil:
		return "not measured"
	case e.jf == nil:
		return "scenes " + pair(*e.scenes)
	case pair(*e.jf) == "0 0" && e.scenes != nil && pair(*e.scenes) != "0 0":
		return "0 0, scenes " + pair(*e.scenes)
	}
	return pair(*e.jf)
}

// pair is two changes, to a tenth of a point.
func pair(v [2]float64) string { return tenth(v[0]) + " " + tenth(v[1]) }

func tenth(v float64) string {
	if v = math.Round(10*v) / 10; v == 0 {
		return "0"
	}
	return strings.ReplaceAll(fmt.Sprintf("%+.1f", v), "-", "−")
}
