package eval

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// Share is by how much a sensitivity study turns each number, up and down.
const Share = 0.2

// Numbers are all that a study turns: the tracker's, and its optical flow's.
type Numbers struct {
	tracker.Tuning
	LK lk.Tuning
}

// Shipped are the numbers that the product is shipped with.
func Shipped() Numbers { return Numbers{Tuning: tracker.Defaults(), LK: lk.Defaults()} }

// Scoring measures numbers, in points.
type Scoring func(ctx context.Context, n *Numbers) (float64, error)

// SensitivityOptions says what to measure.
type SensitivityOptions struct {
	// Screen scores on short scenes; numbers that move it by less than Moved are not measured in full. Nil leaves it out: all are.
	Screen Scoring
	// Full scores on what numbers are chosen by. Nil leaves it out.
	Full Scoring
	// ScreenOn and FullOn say what they score on: the log's measurements on something else are not taken for theirs.
	ScreenOn, FullOn string
	// Only names the numbers to turn, in this order, each by its path or by how that begins ("Look."). Nil turns all.
	Only []string
	// Moved is the least change of Screen, in points, that makes a number worth Full.
	Moved float64
	// Log is a file that results are appended to as they come, and read back from: a study that was stopped goes on where it was.
	Log string
	// Progress is told of every measurement. May be nil.
	Progress func(done, total int, what string)
}

// Sensitivity is what a number is worth: the change of both scores, in points, with the number a fifth lower and a fifth higher.
type Sensitivity struct {
	Knob
	Screen *[2]float64 // nil where there was no screening
	Full   *[2]float64 // nil where the screening did not move
}

// Sensitivities are what every number is worth, and the scores, in points, of what is shipped; 0 for a pass that was left out.
type Sensitivities struct {
	Screen, Full float64
	Numbers      []Sensitivity
}

// measurement is a line of the log.
type measurement struct {
	Pass  string // "screen" or "full"
	On    string // what was scored on
	Name  string // "" is what is shipped
	Value float64
	Score float64
}

// study is a sensitivity study under way.
type study struct {
	o     SensitivityOptions
	log   io.Writer
	known map[measurement]float64 // by pass, what was scored on, name and value
	done  int
	total int
}

// MeasureSensitivity turns each number by a fifth, down and up, one at a time.
func MeasureSensitivity(ctx context.Context, o SensitivityOptions) (out *Sensitivities, err error) {
	known, err := readMeasurements(o.Log)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("sensitivity: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	knobs, err := chosen(Knobs(Shipped()), o.Only)
	if err != nil {
		return nil, err
	}
	s := &study{o: o, log: log, known: known, total: 2*len(knobs) + 1}
	out = &Sensitivities{}
	for _, k := range knobs {
		r, err := s.both(ctx, k)
		if err != nil {
			return nil, err
		}
		out.Numbers = append(out.Numbers, r)
	}
	out.Screen, out.Full = known[measurement{Pass: "screen", On: o.ScreenOn}], known[measurement{Pass: "full", On: o.FullOn}]
	return out, nil
}

// chosen are the knobs that are named, in that order; all where none is.
func chosen(knobs []Knob, only []string) ([]Knob, error) {
	if len(only) == 0 {
		return knobs, nil
	}
	var out []Knob
	for _, name := range only {
		n := len(out)
		for _, k := range knobs {
			if strings.HasPrefix(k.Name, name) && !slices.Contains(out, k) && (k.Name == name || strings.HasSuffix(name, ".")) {
				out = append(out, k)
			}
		}
		if len(out) == n {
			return nil, fmt.Errorf("sensitivity: no number %s, or it was named before", name)
		}
	}
	return out, nil
}

// both passes of a number, the second where the first moved.
func (s *study) both(ctx context.Context, k Knob) (r Sensitivity, err error) {
	r.Knob = k
	if s.o.Screen != nil {
		if r.Screen, err = s.turn(ctx, "screen", s.o.Screen, k); err != nil {
			return r, err
		}
		if max(math.Abs(r.Screen[0]), math.Abs(r.Screen[1])) < s.o.Moved {
			return r, nil
		}
		s.total += 2
	}
	if s.o.Full != nil {
		r.Full, err = s.turn(ctx, "full", s.o.Full, k)
	}
	return r, err
}

// turn measures what a knob a fifth lower and a fifth higher changes.
func (s *study) turn(
	ctx context.Context,
	pass string,
	score Scoring,
	k Knob,
) (*[2]float64, error) {
	shipped, err := s.measure(ctx, pass, score, "", 0)
	if err != nil {
		return nil, err
	}
	d := &[2]float64{}
	for i, share := range []float64{-Share, Share} {
		v, err := s.measure(ctx, pass, score, k.Name, k.By(share))
		if err != nil {
			return nil, err
		}
		d[i] = v - shipped
	}
	return d, nil
}

// measure scores the tuning with one number changed, unless the log has it.
func (s *study) measure(
	ctx context.Context,
	pass string,
	score Scoring,
	name string,
	value float64,
) (float64, error) {
	key := measurement{Pass: pass, On: s.o.ScreenOn, Name: name, Value: value}
	if pass == "full" {
		key.On = s.o.FullOn
	}
	if v, ok := s.known[key]; ok {
		return v, nil
	}
	n := Shipped()
	if name != "" {
		if err := Turn(&n, name, value); err != nil {
			return 0, err
		}
	}
	v, err := score(ctx, &n)
	if err != nil {
		return 0, fmt.Errorf("sensitivity of %s at %g: %w", name, value, err)
	}
	s.known[key] = v
	key.Score = v
	line, err := json.Marshal(key)
	if err != nil {
		return 0, err
	}
	if _, err := s.log.Write(append(line, '\n')); err != nil {
		return 0, fmt.Errorf("sensitivity: %w", err)
	}
	s.done++
	if s.o.Progress != nil {
		s.o.Progress(s.done, s.total, pass+" "+name)
	}
	return v, nil
}

func readMeasurements(path string) (map[measurement]float64, error) {
	known := map[measurement]float64{}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return known, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sensitivity: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var m measurement
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			continue // the last line of a study that was killed
		}
		score := m.Score
		m.Score = 0
		known[m] = score
	}
	return known, lines.Err()
}

// SensitivityTable writes results as a Markdown table.
func SensitivityTable(w io.Writer, s *Sensitivities) error {
	rows := [][]string{{"number", "value", "scenes −20 %", "scenes +20 %", "J&F −20 %", "J&F +20 %"}}
	rows = append(rows, []string{"as shipped", "", score(s.Screen), "", score(s.Full), ""})
	for _, r := range s.Numbers {
		row := []string{r.Name, fmt.Sprintf("%.4g", r.Value), "", "", "", ""}
		for i, d := range []*[2]float64{r.Screen, r.Full} {
			if d != nil {
				row[2+2*i], row[3+2*i] = signed(d[0]), signed(d[1])
			}
		}
		rows = append(rows, row)
	}
	return writeTable(w, rows)
}

func score(v float64) string {
	if v == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", v)
}

func signed(v float64) string {
	if math.Abs(v) < 0.005 {
		return "0"
	}
	return fmt.Sprintf("%+.2f", v)
}
