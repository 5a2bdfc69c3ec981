package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/segedge/segedge/stream/watcher"
)

// JoinOptions say how many viewers come and go.
type JoinOptions struct {
	Program string // the agent's executable
	Dir     string // the agent's state and log go here
	Joins   int
	Warm    int // that come and go before anything is measured
	Rows    int // of the table beside the first
	// Progress is told after each. May be nil.
	Progress func(joins int)
}

// JoinReport is what an agent holds at rest, before viewers came and went and after so many of them.
type JoinReport struct {
	Rows []JoinRow `json:"rows"`
}

// JoinRow is the agent at rest.
type JoinRow struct {
	Joins  int `json:"joins"`
	Sample     // medians of a few
}

// maxGrown is what resident memory may have grown by, MiB: less than a tenth of what a viewer takes for each of a thousand.
const maxGrown = 5

// One visit may take so long, and so long may what it used take to go.
const (
	visitTime = 30 * time.Second
	restTime  = 2 * time.Minute
)

// Joins has viewers come, see the first picture and go, one after another, and samples the agent when nobody is there.
func Joins(ctx context.Context, o JoinOptions) (*JoinReport, error) {
	log, err := os.Create(filepath.Join(o.Dir, "agent.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // it is for reading, by a person
	r := &run{o: Options{Program: o.Program, Dir: o.Dir}, ended: make(chan error, 1)}
	if err := r.launch(
		ctx, log, "run", "--state", filepath.Join(o.Dir, "state"), "--listen", "127.0.0.1:0", "--set", "cameras.0.name="+steadyCamera,
		"--set", "cameras.0.width=640", "--set", "cameras.0.height=360", "--set", "cameras.0.fps=15",
	); err != nil {
		return nil, err
	}
	defer r.stop()
	out := &JoinReport{}
	if err := r.visits(ctx, o.Warm, nil); err != nil {
		return nil, err
	}
	joins := 0
	for row := range o.Rows + 1 {
		next := o.Joins * row / o.Rows
		err := r.visits(ctx, next-joins, func(n int) {
			if o.Progress != nil {
				o.Progress(joins + n)
			}
		})
		if err != nil {
			return out, err
		}
		joins = next
		s, err := r.atRest(ctx, out.Rows)
		if err != nil {
			return out, err
		}
		out.Rows = append(out.Rows, JoinRow{joins, s})
	}
	return out, nil
}

// visits has n viewers come and go.
func (r *run) visits(ctx context.Context, n int, done func(int)) error {
	for i := range n {
		visit, cancel := context.WithTimeout(ctx, visitTime)
		err := watcher.Visit(visit, r.page+"whep/"+steadyCamera)
		cancel()
		if err != nil {
			return fmt.Errorf("viewer %d of %d: %w", i+1, n, err)
		}
		if done != nil {
			done(i + 1)
		}
	}
	return nil
}

// atRest waits until the agent holds no more than it did at first, or for as long as that may take, and samples it a few times.
func (r *run) atRest(ctx context.Context, before []JoinRow) (Sample, error) {
	var samples []Sample
	for deadline := time.Now().Add(restTime); len(samples) < 5; {
		select {
		case <-ctx.Done():
			return Sample{}, ctx.Err()
		case err := <-r.ended:
			r.ended <- err
			return Sample{}, fmt.Errorf("the agent ended: %w", err)
		case <-time.After(time.Second):
		}
		s, err := take(ctx, r.cmd.Process.Pid, r.page+"metrics", steadyCamera)
		if err != nil {
			return s, err
		}
		busy := len(before) > 0 && (s.Goroutines > before[0].Goroutines || s.Files > before[0].Files)
		if busy && time.Now().Before(deadline) {
			samples = samples[:0]
			continue
		}
		samples = append(samples, s)
	}
	return Sample{
		RSS:  median(samples, func(s Sample) float64 { return s.RSS }),
		Heap: median(samples, func(s Sample) float64 { return s.Heap }),
		Native: median(
			samples,
			func(s Sample) float64 { return s.Native },
		),
		Goroutines: median(samples, func(s Sample) float64 { return s.Goroutines }),
		Files:      median(samples, func(s Sample) float64 { return s.Files }),
		Threads:    median(samples, func(s Sample) float64 { return s.Threads }),
		FPS:        median(samples, func(s Sample) float64 { return s.FPS }),
	}, nil
}

func median(samples []Sample, of func(Sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// Table writes the rows for people.
func (r *JoinReport) Table(w io.Writer) error {
	_, err := fmt.Fprint(
		w,
		"| joins and leaves | goroutines | descriptors | threads | RSS, MiB | Go heap, MiB |\n| ---: | ---: | ---: | ---: | ---: | ---: |\n",
	)
	for _, row := range r.Rows {
		_, e := fmt.Fprintf(
			w,
			"| %d | %.0f | %.0f | %.0f | %.1f | %.1f |\n",
			row.Joins,
			row.Goroutines,
			row.Files,
			row.Threads,
			row.RSS,
			row.Heap,
		)
		err = errors.Join(err, e)
	}
	return err
}

// Verdict is what viewers that have gone have left behind; nil for nothing.
func (r *JoinReport) Verdict() error {
	if len(r.Rows) < 2 {
		return errors.New("nothing was measured")
	}
	first, last := r.Rows[0], r.Rows[len(r.Rows)-1]
	var errs []error
	if last.Goroutines > first.Goroutines {
		errs = append(errs, fmt.Errorf("%.0f goroutines are left", last.Goroutines-first.Goroutines))
	}
	if last.Files > first.Files {
		errs = append(errs, fmt.Errorf("%.0f descriptors are left open", last.Files-first.Files))
	}
	if grown := last.RSS - first.RSS; grown > maxGrown {
		errs = append(errs, fmt.Errorf("resident memory has grown by %.1f MiB, more than %d", grown, maxGrown))
	}
	return errors.Join(errs...)
}
