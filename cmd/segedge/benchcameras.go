package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/schollz/progressbar/v3"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// seat is a camera's place among several that share the model, which are measured from when the prompts of all are answered. Nil is that of
// a camera alone.
type seat struct {
	turns   *pipeline.Turns
	missing *atomic.Int64 // cameras whose prompts are not answered yet
	pics    []*frame.Frame
	here    bool
}

// ready notes that this camera's prompts are answered, and reports whether all are.
func (s *seat) ready() bool {
	if s == nil {
		return true
	}
	if !s.here {
		s.here = true
		s.missing.Add(-1)
	}
	return s.missing.Load() <= 0
}

func (s *seat) shared() *pipeline.Turns {
	if s == nil {
		return nil
	}
	return s.turns
}

// pictures are those that all are shown; nil where each draws its own.
func (s *seat) pictures() []*frame.Frame {
	if s == nil {
		return nil
	}
	return s.pics
}

// benchShared is what became of cameras that share the model.
type benchShared struct {
	Cameras   int         `json:"cameras"`
	FPS       float64     `json:"fps"`       // of a camera, in the mean
	Slowest   float64     `json:"slowest"`   // camera's
	Keyframes float64     `json:"keyframes"` // of all, a second
	Shares    []float64   `json:"shares"`    // each camera's of them, in percent
	Dropped   float64     `json:"dropped"`   // of the frames that came, in percent
	Frame     benchCost   `json:"frame"`     // of the camera whose frames took longest
	Each      []benchLive `json:"each"`
}

// shared measures numbers of cameras that share the model, and prints the table of what fits.
func (b *benchCmd) shared(e *env, m inference.Segmenter, cfg config.Config, result benchResult) error {
	b.Realtime = cmp.Or(b.Realtime, defaultRate)
	result.FPS = b.Realtime
	total := 0
	for _, n := range b.Cameras {
		total += n * b.Frames
	}
	bar := newBar(e.stderr, total, "measuring")
	for _, n := range b.Cameras {
		row, err := b.together(e, m, cfg, n, bar)
		if e.ctx.Err() != nil {
			return errors.Join(b.show(e.stdout, result, bar), errStopped)
		}
		if err != nil {
			return fmt.Errorf("bench of %d cameras: %w", n, err)
		}
		result.Shared = append(result.Shared, row)
	}
	return b.show(e.stdout, result, bar)
}

// defaultRate is what most cameras on walls are set to, in frames a second.
const defaultRate = 15

// together runs n cameras side by side, each with its own tracker, picture and encoder.
func (b *benchCmd) together(e *env, m inference.Segmenter, cfg config.Config, n int, bar *progressbar.ProgressBar) (benchShared, error) {
	scene, err := synthetic.New(synthetic.Options{Width: b.Size[0].w, Height: b.Size[0].h, Preset: "crowd"})
	if err != nil {
		return benchShared{}, err
	}
	turns, missing, pics := pipeline.NewTurns(0, nil), new(atomic.Int64), drawn(scene)
	missing.Store(int64(n))
	lives, errs := make([]benchLive, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			row, err := b.row(e.ctx, m, cfg, b.Size[0], b.Objects[0], bar, &seat{turns: turns, missing: missing, pics: pics})
			if errs[i] = err; err != nil {
				missing.Add(-int64(n)) // nobody waits for it
				return
			}
			lives[i] = *row.Live
		})
	}
	all.Wait()
	return sharedOf(lives), errors.Join(errs...)
}

// sharedOf sums the cameras up.
func sharedOf(lives []benchLive) benchShared {
	out := benchShared{Cameras: len(lives), Each: lives}
	var keyframes, came, dropped float64
	for i := range lives {
		l := &lives[i]
		fps := float64(l.Processed) / max(l.Seconds, 1e-9)
		out.FPS += fps / float64(len(lives))
		if i == 0 || fps < out.Slowest {
			out.Slowest = fps
		}
		out.Keyframes += float64(l.Keyframes) / max(l.Seconds, 1e-9)
		keyframes += float64(l.Keyframes)
		came, dropped = came+float64(l.Frames), dropped+float64(l.Dropped)
		if l.Frame.P95 > out.Frame.P95 {
			out.Frame = l.Frame
		}
	}
	for i := range lives {
		out.Shares = append(out.Shares, seg.Round4(100*float64(lives[i].Keyframes)/max(keyframes, 1)))
	}
	slices.Sort(out.Shares)
	out.FPS, out.Slowest, out.Keyframes = seg.Round4(out.FPS), seg.Round4(out.Slowest), seg.Round4(out.Keyframes)
	out.Dropped = seg.Round4(100 * dropped / max(came, 1))
	return out
}

// printShared writes the table of capacity.
func (r *benchResult) printShared(w io.Writer, size benchSize, objects int) error {
	fmt.Fprintf(w, "%s; %s on %s; %d×%d, %d object(s) a camera, %g frames a second by the clock, %d frames a row\n\n",
		r.Machine, r.Model, r.Provider, size.w, size.h, objects, r.FPS, r.Frames)
	fmt.Fprintln(w, "| cameras | fps of a camera | of the slowest | keyframes/s of all | share of a camera, % | dropped, % | frame, ms |")
	fmt.Fprintln(w, "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, s := range r.Shared {
		fmt.Fprintf(w, "| %d | %.1f | %.1f | %.1f | %.0f to %.0f | %.1f | %s |\n",
			s.Cameras, s.FPS, s.Slowest, s.Keyframes, s.Shares[0], s.Shares[len(s.Shares)-1], s.Dropped, s.Frame)
	}
	_, err := fmt.Fprintln(w, "\nEach camera is tracked, drawn and encoded; frame is from a frame's coming to its being encoded, "+
		"median (95th percentile), of the slowest camera.")
	return err
}
