package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/flow"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/opencv"
	"github.com/segedge/segedge/video/openh264"
)

// benchCmds measure this machine.
type benchCmds struct {
	Stages benchCmd       `cmd:"" default:"withargs" help:"Measure what each stage costs on this machine."`
	Remote benchRemoteCmd `cmd:"" help:"Measure what a model costs that an inference server runs: one server, several cameras."`
	Joins  benchJoinsCmd  `cmd:"" help:"Have viewers come and go, and print what the agent holds before and after."`
	Soak   soakCmd        `cmd:"" help:"Run the whole agent for long while what it depends on fails, and draw what grows."`
}

// benchCmd measures the stages on the built-in scene.
type benchCmd struct {
	settings
	Objects  []int       `help:"Numbers of objects to follow, at most 64." default:"1,10,50"`
	Size     []benchSize `help:"Frame sizes, WIDTHxHEIGHT." default:"854x480,1280x720"`
	Frames   int         `help:"Frames of each row." default:"90"`
	Flow     string      `help:"What measures motion: the product's own, or OpenCV's." enum:"lk,opencv" default:"lk"`
	Realtime float64     `help:"Feed frames by the clock at this rate instead, the model beside them: what comes too late is dropped and counted." placeholder:"FPS"`
	Cameras  []int       `help:"Numbers of cameras that share the model, each with the first of the objects at the first of the sizes, fed by the clock." placeholder:"N,…"`
	JSON     bool        `name:"json" help:"Print the result as JSON."`
}

// benchSize is a frame size as a person writes it.
type benchSize struct{ w, h int }

// UnmarshalText reads "854x480".
func (s *benchSize) UnmarshalText(text []byte) error {
	if n, err := fmt.Sscanf(string(text), "%dx%d", &s.w, &s.h); err != nil || n != 2 || s.w < 64 || s.h < 64 {
		return fmt.Errorf("%q is no frame size of at least 64x64: write it like 854x480", text)
	}
	return nil
}

// benchRow is the cost of one size and number of objects, in milliseconds of one thread a call.
type benchRow struct {
	Width     int                  `json:"width"`
	Height    int                  `json:"height"`
	Objects   int                  `json:"objects"`  // asked for
	Followed  float64              `json:"followed"` // shown in a frame, in the mean
	Keyframes uint64               `json:"keyframes"`
	Live      *benchLive           `json:"live,omitempty"`
	Stages    map[string]benchCost `json:"stages"`
}

type benchResult struct {
	Machine  string        `json:"machine"`
	Model    string        `json:"model"`
	Provider string        `json:"provider"`
	Flow     string        `json:"flow"`
	FPS      float64       `json:"realtime_fps,omitempty"`
	Frames   int           `json:"frames"`
	Rows     []benchRow    `json:"rows"`
	Shared   []benchShared `json:"cameras,omitempty"`
}

func (b *benchCmd) Run(e *env) (err error) {
	cfg, err := b.load()
	if err == nil {
		err = b.check()
	}
	if err != nil {
		return err
	}
	m, err := openModel(e.ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	info := m.Info()
	result := benchResult{
		Machine: fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
		Model:   info.Name, Provider: info.Provider, Frames: b.Frames, Flow: b.Flow, FPS: b.Realtime,
	}
	if len(b.Cameras) > 0 {
		return b.shared(e, m.served, cfg, result)
	}
	bar := newBar(e.stderr, len(b.Size)*len(b.Objects)*b.Frames, "measuring")
	for _, size := range b.Size {
		for _, n := range b.Objects {
			row, err := b.row(e.ctx, m.served, cfg, size, n, bar, nil)
			if e.ctx.Err() != nil {
				return errors.Join(b.show(e.stdout, result, bar), errStopped)
			}
			if err != nil {
				return fmt.Errorf("bench of %d objects at %dx%d: %w", n, size.w, size.h, err)
			}
			result.Rows = append(result.Rows, row)
		}
	}
	return b.show(e.stdout, result, bar)
}

// errStopped is the end of a bench that somebody stopped: what was being measured then is not shown.
var errStopped = errors.New("stopped: what is shown was measured to its end, and the rest not at all")

// show prints the rows that were measured to their end.
func (b *benchCmd) show(w io.Writer, result benchResult, bar *progressbar.ProgressBar) error {
	_ = bar.Finish()
	switch {
	case b.JSON:
		return json.NewEncoder(w).Encode(result)
	case len(b.Cameras) > 0:
		return result.printShared(w, b.Size[0], b.Objects[0])
	}
	return result.print(w)
}

// check refuses what cannot be measured.
func (b *benchCmd) check() error {
	for _, n := range b.Objects {
		if n < 0 || n > 64 {
			return fmt.Errorf("--objects %d: an agent follows 0 to 64", n)
		}
	}
	if b.Frames < 2 || b.Realtime < 0 {
		return errors.New("--frames must be 2 or more and --realtime a rate")
	}
	for _, n := range b.Cameras {
		if n < 1 || n > config.MaxCameras {
			return fmt.Errorf("--cameras %d: an agent has 1 to %d", n, config.MaxCameras)
		}
	}
	return nil
}

// row walks the scene with n objects: each stage in turn in this goroutine or, by the clock, as an agent does.
func (b *benchCmd) row(
	ctx context.Context,
	m inference.Segmenter,
	cfg config.Config,
	size benchSize,
	n int,
	bar *progressbar.ProgressBar,
	among *seat,
) (row benchRow, err error) {
	row = benchRow{Width: size.w, Height: size.h, Objects: n}
	scene, err := synthetic.New(synthetic.Options{Width: size.w, Height: size.h, Preset: "crowd"})
	if err != nil {
		return row, err
	}
	motion, done := b.motion()
	defer func() { err = errors.Join(err, done()) }()
	watch := &stopwatch{took: map[string][]time.Duration{}}
	picture, err := newPainter(size, watch)
	if err != nil {
		return row, err
	}
	defer picture.encoder.Close()
	p, err := pipeline.New(pipeline.Options{
		Model: m, Tracker: tracker.New(trackerOptions(cfg), motion), Synchronous: b.Realtime == 0, Observe: watch.stage,
		Show: picture.show, MaxObjects: cfg.Tracker.MaxObjects, Turns: among.shared(),
	})
	if err != nil {
		return row, err
	}
	if b.Realtime > 0 {
		row.Live, err = b.live(ctx, p, scene, watch, n, bar, among)
	} else {
		err = b.walk(ctx, p, scene, n, bar)
	}
	row.Keyframes, row.Stages, row.Followed = p.Counters().Keyframes, watch.costs(), watch.followed()
	delete(row.Stages, "age")
	return row, errors.Join(err, picture.err, ctx.Err())
}

// motion is what measures motion, and what frees it.
func (b *benchCmd) motion() (f motion.Flow, done func() error) {
	if b.Flow == "opencv" {
		f := flow.New(flow.Options{})
		return f, f.Close
	}
	return lk.New(lk.Options{}), func() error { return nil }
}

// walk takes each frame when the last one is done.
func (b *benchCmd) walk(ctx context.Context, p *pipeline.Pipeline, scene *synthetic.Scene, n int, bar *progressbar.ProgressBar) error {
	f := frame.New(scene.Options().Width, scene.Options().Height)
	for i := range b.Frames {
		scene.Render(uint64(i), f)
		f.Seq, f.Captured = uint64(i+1), time.Unix(0, 0).Add(scene.Time(uint64(i)))
		if err := p.Step(ctx, f); err != nil {
			return errors.Join(err, p.Close())
		}
		if i == 0 {
			ask(ctx, p, n)
		}
		if ctx.Err() != nil {
			break
		}
		_ = bar.Add(1)
	}
	return p.Close()
}

// ask prompts n places of the scene: clicks on its four objects, then discs of the ground as masks, on a grid, which need no model to be
// believed. Where the model finds nothing under a click, the row has an object fewer, which its column of those followed shows.
func ask(ctx context.Context, p *pipeline.Pipeline, n int) {
	for i := range n {
		var r pipeline.Request
		if i < 4 {
			r.Prompt.Clicks = []seg.Click{{Point: seg.Point{X: 0.2 + 0.2*float64(i), Y: 0.5}, Label: seg.Positive}}
		} else {
			r.Prompt.Mask = disc((float64((i-4)%10)+0.5)/10, 0.55+0.1*float64((i-4)/10))
		}
		_, _ = p.Prompt(ctx, r)
	}
}

// disc is a mask prompt of a disc of 6 % of the picture's width.
func disc(cx, cy float64) *seg.Logits {
	l := &seg.Logits{W: 160, H: 90, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 160*90)}
	for i := range l.Data {
		x, y := float64(i%l.W)+0.5-cx*float64(l.W), float64(i/l.W)+0.5-cy*float64(l.H)
		l.Data[i] = float32(max(-6, min(6, 4.8-math.Hypot(x, y))))
	}
	return l
}

// painter is the picture's side of a frame: overlay, conversion, encoding.
type painter struct {
	paint   *overlay.Painter
	encoder video.Encoder
	watch   *stopwatch
	pix     []byte
	picture video.Picture
	err     error
}

func newPainter(size benchSize, watch *stopwatch) (*painter, error) {
	paint, err := overlay.New(overlay.Options{})
	if err != nil {
		return nil, err
	}
	enc, err := openh264.New(openh264.Options{})(video.Format{Width: size.w, Height: size.h, FPS: 30, Bitrate: 2_500_000})
	if err != nil {
		return nil, err
	}
	p := &painter{paint: paint, encoder: enc, watch: watch}
	p.picture.Resize(size.w, size.h)
	return p, nil
}

func (p *painter) show(f *frame.Frame, objects []seg.Object) {
	p.watch.see(objects)
	start := time.Now()
	var err error
	p.pix, err = p.paint.Over(p.pix, f, objects)
	painted := time.Now()
	p.watch.observe("overlay", painted.Sub(start))
	err = errors.Join(err, opencv.FromBGR(&p.picture, p.pix))
	converted := time.Now()
	p.watch.observe("convert", converted.Sub(painted))
	_, _, encErr := p.encoder.Encode(&p.picture, false)
	p.watch.observe("encode", time.Since(converted))
	p.watch.observe("age", time.Since(f.Captured))
	p.err = errors.Join(p.err, err, encErr)
}

// newBar shows progress on a terminal, and nothing elsewhere.
func newBar(w io.Writer, n int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(
		n,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(
			30,
		),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetVisibility(isTerminal(w)),
	)
}
