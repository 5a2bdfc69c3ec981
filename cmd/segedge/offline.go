package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/grounding"
	"github.com/segedge/segedge/offline"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/record"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/opencv"
	"github.com/segedge/segedge/video/openh264"
)

// offlineInput is the longest side that a model of any size sees where nobody waits for it: it costs twice what 448 costs, which a camera
// cannot afford, and outlines are sharper (docs/benchmarks.md).
const offlineInput = 640

// offlineModel is the model's settings for work without a clock.
func offlineModel(m config.Model) config.Model {
	m.Input = cmp.Or(m.Input, offlineInput)
	return m
}

// offlineRun is a recording on its way through the walk, and what it leaves behind.
type offlineRun struct {
	run     *runCmd
	cfg     config.Config
	camera  *config.Camera
	model   *loadedModel
	words   *grounding.Detector // nil where no phrase is asked, or grounding.model is none
	records *record.Recorder
	sink    *video.Sink
	done    pipeline.Counters
	took    time.Duration
	last    []seg.Object
}

// offline follows objects through a recording, every frame, without doors.
func (r *runCmd) offline(e *env, cfg config.Config) (err error) {
	if err := r.offlineFits(&cfg); err != nil {
		return err
	}
	o := &offlineRun{run: r, cfg: cfg, camera: &cfg.Cameras[0]}
	o.cfg.Model = offlineModel(cfg.Model)
	log := newLogger(e.stderr, cfg.Log.Format, logLevel(cfg.Log.Level))
	prompts, _, err := parsePrompts(o.camera.Prompts)
	if err != nil {
		return err
	}
	source, err := openSource(o.camera, false, log)
	if err != nil {
		return err
	}
	if o.model, err = openModel(e.ctx, o.cfg, log); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.model.Close()) }()
	if err := require(r.Require, o.model.Info()); err != nil {
		return err
	}
	closeWords, err := o.openWords(prompts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWords()) }()
	if o.records, err = record.New(record.Options{Camera: o.camera.Name, Video: r.Out, Masks: r.Masks, Wait: true}); err != nil {
		return err
	}
	if o.sink, err = video.New(video.Options{
		NewEncoder: openh264.New(openh264.Options{}),
		Convert:    opencv.FromBGR,
		Out:        func(u video.Unit, _ []seg.Object) { o.records.Unit(u) },
		Overlay:    overlay.Options{Camera: o.camera.Name, NoCandidates: true},
		Bitrate:    cfg.Video.Bitrate,
	}); err != nil {
		return errors.Join(err, o.records.Close())
	}
	bar := newBar(e.stderr, -1, "following")
	err = o.write(e.ctx, offline.Options{
		Open: source.Open, Prompts: prompts, Ground: o.ground, Show: o.show, Logger: log,
		Pipeline: pipeline.Options{
			Model: o.model.served, Tracker: tracker.New(trackerOptions(cfg), lk.New(lk.Options{})), MaxObjects: cfg.Tracker.MaxObjects,
		},
		Until: r.Duration, Done: func(n int) { _ = bar.Set(n) },
	})
	_ = bar.Finish()
	if errors.Is(err, offline.ErrLive) {
		return fmt.Errorf(
			"--offline: %s: %w; it takes a file, a folder of pictures, or synthetic with --duration",
			shownSource(o.camera.Source),
			err,
		)
	}
	return errors.Join(err, o.tell(e.stdout))
}

// offlineFits refuses what makes no sense without a clock.
func (r *runCmd) offlineFits(cfg *config.Config) error {
	synthetic := strings.HasPrefix(cfg.Cameras[0].Source, "synthetic")
	switch {
	case len(cfg.Cameras) != 1:
		return configFault{fmt.Errorf("--offline follows one recording: give it by --source, %d cameras are configured", len(cfg.Cameras))}
	case cfg.Cameras[0].Loop || r.Loop:
		return errors.New("--offline ends with its recording: leave --loop out")
	case synthetic && r.Duration <= 0:
		return errors.New("--offline: the built-in scene has no end: give --duration")
	case r.Listen != "" || r.Token != "":
		return errors.New("--offline has no page: leave --listen and --token out")
	case r.State != "":
		return errors.New("--offline keeps nothing but its files, and goes on from nothing: leave --state out")
	case r.Out == "" && r.Masks == "" && r.Summary == "":
		return errors.New("--offline makes files: say which, --out FILE.mp4, --masks FILE.jsonl or --summary FILE.json")
	}
	_, follow, err := parsePrompts(cfg.Cameras[0].Prompts)
	if err == nil && len(follow) > 0 {
		err = errors.New("--offline looks for a phrase until it is found, once: write text:PHRASE in place of follow")
	}
	return err
}

// write follows the recording, with the files written beside it, and closes them.
func (o *offlineRun) write(ctx context.Context, work offline.Options) (err error) {
	writing, written := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- o.records.Run(writing) }()
	begun := time.Now()
	o.done, err = offline.Run(ctx, work)
	o.took = time.Since(begun)
	written()
	err = errors.Join(err, <-ended, o.records.Close())
	o.sink.Close()
	return err
}

// show writes a frame's masks, then its picture.
func (o *offlineRun) show(f *frame.Frame, objects []seg.Object) (err error) {
	o.last = append(o.last[:0], objects...)
	o.records.Beside(painted(func(f *frame.Frame, objects []seg.Object) {
		if o.run.Out != "" {
			err = o.sink.Step(f, objects)
		}
	})).Show(f, objects)
	return err
}

// painted is a function as what frames are shown to.
type painted func(f *frame.Frame, objects []seg.Object)

// Show calls it.
func (p painted) Show(f *frame.Frame, objects []seg.Object) { p(f, objects) }

// openWords opens the detector where a phrase is asked that the model does not understand by itself. What it returns closes the graph.
func (o *offlineRun) openWords(prompts []pipeline.Request) (closed func() error, err error) {
	phrase := func(r pipeline.Request) bool { return r.Prompt.Text != "" }
	if !slices.ContainsFunc(prompts, phrase) || o.model.Info().Kinds.Text {
		return func() error { return nil }, nil
	}
	d, g, err := openGrounder(o.model.runtime, o.cfg)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, errors.New("--prompt text: grounding.model is none")
	}
	o.words = d
	return g.Close, nil
}

// ground finds the boxes that a phrase means.
func (o *offlineRun) ground(ctx context.Context, f *frame.Frame, phrase string) ([]seg.Named, error) {
	boxes, _, err := o.words.Ground(ctx, o.model.served, f, phrase)
	return boxes, err
}

// tell says what was done, and writes the summary.
func (o *offlineRun) tell(w io.Writer) error {
	perSecond := float64(o.done.Processed) / max(o.took.Seconds(), 1e-9)
	fmt.Fprintf(w, "%d frames, %d keyframes, %.1f frames a second\n", o.done.Processed, o.done.Keyframes, perSecond)
	if o.run.Summary == "" {
		return nil
	}
	out := summary{
		Frames: summaryFrames{Captured: o.done.Processed, Processed: o.done.Processed}, FPS: seg.Round4(perSecond),
		Stages: map[string]api.Latency{}, Keyframes: o.done.Keyframes, Objects: []summaryObject{},
	}
	for i := range o.last {
		out.Objects = append(out.Objects, summariseObject(o.camera.Name, &o.last[i]))
	}
	return writeJSON(o.run.Summary, []summary{out})
}
