package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/dataset/collect"
	"github.com/segedge/segedge/dataset/propose"
	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/motion"
)

// dataAutoCmd finds pictures and masks in films by itself.
type dataAutoCmd struct {
	dataFlags
	Films     []string `arg:"" help:"Video files or folders of a video's pictures."`
	Pictures  int      `default:"20" help:"Of a film at most."`
	Every     int      `default:"30" help:"Of so many frames one is looked at."`
	Window    int      `default:"8" help:"Frames that a mask is followed there and back."`
	Masks     int      `default:"8" help:"Masks of a picture that are followed, the best."`
	Novelty   float64  `default:"0.02" help:"Least distance of a picture from those taken, 0..2."`
	Cycle     float64  `default:"0.8" help:"Least IoU of a mask with itself after the way there and back."`
	IoU       float64  `name:"iou" help:"Least predicted IoU; 0 is the model family's."`
	Stability float64  `help:"Least stability; 0 is the model family's."`
	Trust     bool     `help:"Take what passes for right; otherwise it is proposed, and a person judges it (segedge data review)."`
	Camera    string   `default:"film" help:"Name that the pictures are kept under."`
}

func (c *dataAutoCmd) Run(e *env) (err error) {
	cfg, store, faces, err := c.openToKeep()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, faces.Close()) }()
	m, err := openModel(e.ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	memo := eval.NewMemo(m.served, 2*c.Window) // a mask after the other goes the same way
	defer func() { err = errors.Join(err, memo.Close()) }()
	var known propose.Memory
	for _, film := range c.Films {
		frames, err := c.film(e.ctx, film)
		if err != nil {
			return err
		}
		o := propose.Options{
			Model: m.served, Follower: product(memo, cfg), Every: c.Every, Window: c.Window, Pictures: c.Pictures, Masks: c.Masks,
			Novelty: c.Novelty, Cycle: c.Cycle, MinIoU: c.IoU, MinStability: c.Stability,
		}
		pictures, masks, tried := 0, 0, 0
		err = propose.Auto(e.ctx, frames, &known, o, func(t *propose.Taken) error {
			pictures, masks, tried = pictures+1, masks+len(t.Masks), tried+t.Tried
			if err := memo.Close(); err != nil { // the next picture is another
				return err
			}
			s := c.sample(t)
			s.Model = m.served.Info().Name
			_, err := collect.Keep(store, s, []collect.Finder{faces})
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", film, err)
		}
		_, err = fmt.Fprintf(
			e.stdout, "%s: %d pictures with %d masks of %d that were followed there and back\n", film, pictures, masks, tried,
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// sample is a picture that was taken.
func (c *dataAutoCmd) sample(t *propose.Taken) *collect.Sample {
	s := &collect.Sample{Camera: c.Camera, Frame: t.Frame, Stage: collect.Automatic}
	s.Frame.Captured = time.Now()
	verdict := collect.Proposed
	if c.Trust {
		verdict = collect.Automatic
	}
	for _, m := range t.Masks {
		s.Masks = append(s.Masks, collect.Mask{
			Mask: m.Mask, Verdict: verdict, PredictedIoU: m.PredictedIoU, Stability: m.Stability, Cycle: m.Cycle,
			Prompt: seg.Prompt{Clicks: []seg.Click{{Point: m.Point, Label: seg.Positive}}},
		})
	}
	return s
}

// film opens a film anew for each way through it.
func (c *dataAutoCmd) film(ctx context.Context, source string) (func() iter.Seq2[*frame.Frame, error], error) {
	o, err := openSource(&config.Camera{Name: "film", Source: source}, false, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return func() iter.Seq2[*frame.Frame, error] {
		return func(yield func(*frame.Frame, error) bool) {
			s, err := o.Open(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			more, err := readAll(ctx, s, yield)
			if err = errors.Join(err, s.Close()); err != nil && more {
				yield(nil, err)
			}
		}
	}, nil
}

// readAll hands over a source's frames until its end, or until nobody wants more.
func readAll(ctx context.Context, s capture.Source, yield func(*frame.Frame, error) bool) (more bool, err error) {
	f := frame.New(2, 2)
	for n := uint64(1); ; n++ {
		err := s.Read(ctx, f)
		switch {
		case errors.Is(err, io.EOF):
			return true, nil
		case err != nil:
			return true, err
		}
		f.Seq, f.Captured = n, time.Unix(0, 0).Add(f.PTS)
		if !yield(f, nil) {
			return false, nil
		}
	}
}

// product is the agent's own walk as a follower.
func product(m *eval.Memo, cfg config.Config) func() (propose.Follower, error) {
	open := eval.Product(eval.ProductOptions{
		Model: m, Tracker: followOptions(cfg), Flow: func() (motion.Flow, func() error, error) { return lk.New(lk.Options{}), nil, nil },
	})
	return func() (propose.Follower, error) { return open() }
}

// followOptions are the tracker's as run ships them, at a known rate.
func followOptions(cfg config.Config) tracker.Options {
	o := trackerOptions(cfg)
	o.FPS = 30
	return o
}
