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

	"github.com/segedge/segedge/tracker"
)

// Share is by how much a sensitivity study turns each number, up and down.
const Share = 0.2

// SensitivityOptions says what to measure.
type SensitivityOptions struct {
	// Screen scores a tuning on short scenes, in points; numbers that move it by less than Moved are not measured in full.
	Screen func(ctx context.Context, t *tracker.Tuning) (float64, error)
	// Full scores a tuning on what numbers are chosen by, in points. Nil leaves it out.
	Full func(ctx context.Context, t *tracker.Tuning) (float64, error)
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
	Screen [2]float64
	Full   *[2]float64 // nil where the screening did not move
}

// measurement is a line of the log.
type measurement struct {
	Pass  string // "screen" or "full"
	Name  string // "" is the shipped tuning
	Value float64
	Score float64
}

// study is a sensitivity study under way.
type study struct {
	o     SensitivityOptions
	log   io.Writer
	known map[measurement]float64 // by pass, name and value
	done  int
	total int
}

// MeasureSensitivity turns each number of the tracker's tuning by a fifth, down and up, one at a time.
func MeasureSensitivity(ctx context.Context, o SensitivityOptions) (out []Sensitivity, err error) {
	known, err := readMeasurements(o.Log)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("sensitivity: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	knobs := Knobs(tracker.Defaults())
	s := &study{o: o, log: log, known: known, total: 2*len(knobs) + 1}
	for _, k := range knobs {
		r := Sensitivity{Knob: k}
		if r.Screen, err = s.turn(ctx, "screen", o.Screen, k); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	if o.Full == nil {
		return out, nil
	}
	for i, r := range out {
		if max(math.Abs(r.Screen[0]), math.Abs(r.Screen[1])) < o.Moved {
			continue
		}
		s.total += 2
		d, err := s.turn(ctx, "full", o.Full, r.Knob)
		if err != nil {
			return nil, err
		}
		out[i].Full = &d
	}
	return out, nil
}

// turn measures what a knob a fifth lower and a fifth higher changes.
func (s *study) turn(
	ctx context.Context,
	pass string,
	score func(context.Context, *tracker.Tuning) (float64, error),
	k Knob,
) (d [2]float64, err error) {
	shipped, err := s.measure(ctx, pass, score, "", 0)
	if err != nil {
		return d, err
	}
	for i, share := range []float64{-Share, Share} {
		v, err := s.measure(ctx, pass, score, k.Name, k.By(share))
		if err != nil {
			return d, err
		}
		d[i] = v - shipped
	}
	return d, nil
}

// measure scores the tuning with one number changed, unless the log has it.
func (s *study) measure(
	ctx context.Context,
	pass string,
	score func(context.Context, *tracker.Tuning) (float64, error),
	name string,
	value float64,
) (float64, error) {
	key := measurement{Pass: pass, Name: name, Value: value}
	if v, ok := s.known[key]; ok {
		return v, nil
	}
	t := tracker.Defaults()
	if name != "" {
		if err := Turn(&t, name, value); err != nil {
			return 0, err
		}
	}
	v, err := score(ctx, &t)
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
func SensitivityTable(w io.Writer, results []Sensitivity) error {
	rows := [][]string{{"number", "value", "scenes −20 %", "scenes +20 %", "J&F −20 %", "J&F +20 %"}}
	for _, r := range results {
		row := []string{r.Name, fmt.Sprintf("%.4g", r.Value), signed(r.Screen[0]), signed(r.Screen[1]), "", ""}
		if r.Full != nil {
			row[4], row[5] = signed(r.Full[0]), signed(r.Full[1])
		}
		rows = append(rows, row)
	}
	return writeTable(w, rows)
}

func signed(v float64) string {
	if math.Abs(v) < 0.005 {
		return "0"
	}
	return fmt.Sprintf("%+.2f", v)
}
