package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/motion"
)

// evalSensitivityCmd measures what each number of the tracker is worth.
type evalSensitivityCmd struct {
	settings
	Data      string   `type:"path" help:"Folder with annotated video to measure numbers on that move the scenes: DAVIS layout, or images/ and labels/ with frames of videos." placeholder:"DIR"`
	Scenes    []string `help:"Built-in scenes of the screening." default:"crossing,occlusion"`
	Frames    int      `help:"Frames of a scene." default:"60"`
	Rate      float64  `help:"Frames a second of a scene: fewer show more of its course in as many frames." default:"15"`
	Moved     float64  `help:"Points by which a number must move the scenes to be measured on the data; 0 measures all there, and leaves the scenes out." default:"0.1"`
	FPS       float64  `name:"fps" help:"Rate at which the data's pictures were taken, frames a second." default:"24"`
	Sequences []string `help:"Only these sequences of the data." placeholder:"NAME,..."`
	Delay     int      `help:"Frames that answers come late on the data, as from a slow model." placeholder:"FRAMES"`
	Only      []string `help:"Only these numbers, in this order: each by its path, or a group by how theirs begin (Look.)." placeholder:"NAME,..."`
	Log       string   `type:"path" help:"What was measured, a line each; a study that was stopped goes on from it. What another version or model measured, or on other data, is measured anew." default:"build/sensitivity.jsonl"`
	Out       string   `type:"path" help:"Also write the table to this file." placeholder:"FILE.md"`
}

func (c *evalSensitivityCmd) Run(e *env) (err error) {
	if c.Moved == 0 && c.Data == "" {
		return errors.New("eval sensitivity: without scenes (--moved 0) there must be --data to measure on")
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	m, err := openModel(e.ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	memo := eval.NewMemo(m.served, 4096)
	defer func() { err = errors.Join(err, memo.Close()) }()
	info := m.Info()
	who := fmt.Sprintf("%s, %s at %d", version, info.Identity(), cfg.Model.Input)
	o := eval.SensitivityOptions{
		Moved: c.Moved, Only: c.Only, Log: c.Log,
		ScreenOn: fmt.Sprintf("%s: %s, %d at %g", who, strings.Join(c.Scenes, ","), c.Frames, c.Rate),
		FullOn:   fmt.Sprintf("%s: %s at %g, %d late, %s", who, c.Data, c.FPS, c.Delay, strings.Join(c.Sequences, ",")),
	}
	if c.Moved > 0 {
		if o.Screen, err = c.screen(memo); err != nil {
			return err
		}
	}
	if o.Full, err = c.full(memo); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.Log), 0o755); err != nil {
		return err
	}
	bar := newBar(e.stderr, 1, "sensitivity")
	o.Progress = func(done, total int, what string) {
		bar.ChangeMax(total)
		bar.Describe(what)
		_ = bar.Set(done)
	}
	results, err := eval.MeasureSensitivity(e.ctx, o)
	_ = bar.Finish()
	if err != nil {
		return err
	}
	var table strings.Builder
	table.WriteString(c.made())
	if err := eval.SensitivityTable(&table, results); err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.WriteFile(c.Out, []byte(table.String()), 0o644); err != nil {
			return err
		}
	}
	_, err = io.WriteString(e.stdout, table.String())
	return err
}

// made says how the table was made.
func (c *evalSensitivityCmd) made() string {
	s := "What changes, in points, when a number is turned by a fifth, down and up, alone; `make sensitivity`.\n"
	if c.Moved > 0 {
		s += fmt.Sprintf("Scenes: the mean IoU over the four objects of %s, %d frames at %g a second, each clicked on once.\n",
			strings.Join(c.Scenes, " and "), c.Frames, c.Rate)
	}
	if c.Data != "" {
		s += fmt.Sprintf("J&F: annotated video at %g frames a second from a mask of the first frame, answers %d frames late", c.FPS, c.Delay)
		if n := len(c.Sequences); n > 0 {
			s += fmt.Sprintf("; %d of its sequences: %s", n, strings.Join(c.Sequences, ", "))
		}
		s += ".\n"
	}
	return s + "\n"
}

// screen scores a tuning by the mean IoU, in points, over the built-in scenes.
func (c *evalSensitivityCmd) screen(m inference.Segmenter) (eval.Scoring, error) {
	var scenes []*eval.Scene
	for i, preset := range c.Scenes {
		s, err := eval.RenderScene(synthetic.Options{Width: 640, Height: 360, FPS: c.Rate, Preset: preset, Seed: uint64(i)}, c.Frames)
		if err != nil {
			return nil, err
		}
		scenes = append(scenes, s)
	}
	return func(ctx context.Context, n *eval.Numbers) (float64, error) {
		sum := 0.0
		for _, s := range scenes {
			iou, err := s.Follow(ctx, m, tracker.New(tracker.Options{Tuning: &n.Tuning}, lk.New(lk.Options{Tuning: &n.LK})))
			if err != nil {
				return 0, err
			}
			sum += iou
		}
		return 100 * sum / float64(len(scenes)), nil
	}, nil
}

// full scores a tuning by J&F, in points, from a first-frame mask on the data; nil without any.
func (c *evalSensitivityCmd) full(m inference.Segmenter) (eval.Scoring, error) {
	if c.Data == "" {
		return nil, nil
	}
	videos, err := dataset.Videos(c.Data)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, n *eval.Numbers) (float64, error) {
		flow := func() (motion.Flow, func() error, error) { return lk.New(lk.Options{Tuning: &n.LK}), nil, nil }
		r, err := eval.Video(ctx, eval.VideoOptions{
			Videos: videos, Sequences: c.Sequences, Prompt: eval.PromptMask, Method: "segedge", FPS: c.FPS,
			New: eval.Product(eval.ProductOptions{Model: m, Flow: flow, Delay: c.Delay, Tracker: tracker.Options{FPS: c.FPS, Tuning: &n.Tuning}}),
		})
		if err != nil {
			return 0, err
		}
		return 100 * r.Mean.JF, nil
	}, nil
}
