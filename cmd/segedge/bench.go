package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/flow"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/opencv"
	"github.com/segedge/segedge/video/openh264"
)

// benchCmd measures the stages on the built-in scene.
type benchCmd struct {
	settings
	Frames int  `help:"Frames of each row." default:"90"`
	JSON   bool `name:"json" help:"Print the result as JSON."`
}

// benchRow is the cost of one size and number of objects, in milliseconds of one thread a call.
type benchRow struct {
	Width     int                  `json:"width"`
	Height    int                  `json:"height"`
	Objects   int                  `json:"objects"`
	Keyframes uint64               `json:"keyframes"`
	Stages    map[string]benchCost `json:"stages"`
}

type benchCost struct {
	P50 float64 `json:"p50_ms"`
	P95 float64 `json:"p95_ms"`
	N   int     `json:"n"`
}

type benchResult struct {
	Machine  string     `json:"machine"`
	Model    string     `json:"model"`
	Provider string     `json:"provider"`
	Frames   int        `json:"frames"`
	Rows     []benchRow `json:"rows"`
}

// benchStages are the columns, in the order of a frame's walk.
var benchStages = []string{"reduce", "track", "embed", "decode", "refresh", "overlay", "convert", "encode"}

func (b *benchCmd) Run(e *env) (err error) {
	cfg, err := b.load()
	if err != nil {
		return err
	}
	m, err := openModel(e.ctx, cfg.Model, "", slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	info := m.Info()
	result := benchResult{
		Machine: fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
		Model:   info.Name, Provider: info.Provider, Frames: b.Frames,
	}
	bar := newBar(e.stderr, 6*b.Frames, "measuring")
	for _, size := range [][2]int{{854, 480}, {1280, 720}} {
		for _, n := range []int{1, 5, 10} {
			row, err := b.row(e.ctx, m.Model, size, n, bar)
			if err != nil {
				return err
			}
			result.Rows = append(result.Rows, row)
		}
	}
	_ = bar.Finish()
	if b.JSON {
		return json.NewEncoder(e.stdout).Encode(result)
	}
	return result.print(e.stdout)
}

// row walks the scene with n objects, each stage in turn in this goroutine.
func (b *benchCmd) row(ctx context.Context, m inference.Segmenter, size [2]int, n int, bar *progressbar.ProgressBar) (benchRow, error) {
	row := benchRow{Width: size[0], Height: size[1], Objects: n}
	scene, err := synthetic.New(synthetic.Options{Width: size[0], Height: size[1]})
	if err != nil {
		return row, err
	}
	motion := flow.New(flow.Options{})
	defer motion.Close()
	took := map[string][]time.Duration{}
	observe := func(stage string, d time.Duration) { took[stage] = append(took[stage], d) }
	picture, err := newPainter(size, observe)
	if err != nil {
		return row, err
	}
	defer picture.encoder.Close()
	p, err := pipeline.New(pipeline.Options{
		Model: m, Tracker: tracker.New(tracker.Options{}, motion), Synchronous: true, Observe: observe,
		Show: picture.show,
	})
	if err != nil {
		return row, err
	}
	f := frame.New(size[0], size[1])
	for i := range b.Frames {
		scene.Render(uint64(i), f)
		f.Seq, f.Captured = uint64(i+1), time.Unix(0, 0).Add(scene.Time(uint64(i)))
		if err := p.Step(ctx, f); err != nil {
			return row, errors.Join(err, p.Close())
		}
		if i == 0 {
			ask(ctx, p, n)
		}
		_ = bar.Add(1)
	}
	row.Keyframes = p.Counters().Keyframes
	row.Stages = costs(took)
	return row, errors.Join(p.Close(), picture.err)
}

// ask prompts n places of the scene: its four objects, then boxes of the ground. Where the model finds nothing, the row has an object
// fewer, which its decode column shows.
func ask(ctx context.Context, p *pipeline.Pipeline, n int) {
	for i := range n {
		var r pipeline.Request
		if i < 4 {
			r.Prompt.Clicks = []seg.Click{{Point: seg.Point{X: 0.2 + 0.2*float64(i), Y: 0.5}, Label: seg.Positive}}
		} else {
			x := 0.05 + 0.15*float64(i-4)
			r.Prompt.Box = &seg.Box{X0: x, Y0: 0.72, X1: x + 0.1, Y1: 0.9}
		}
		_, _ = p.Prompt(ctx, r)
	}
}

// painter is the picture's side of a frame: overlay, conversion, encoding.
type painter struct {
	paint   *overlay.Painter
	encoder video.Encoder
	observe func(string, time.Duration)
	pix     []byte
	picture video.Picture
	err     error
}

func newPainter(size [2]int, observe func(string, time.Duration)) (*painter, error) {
	paint, err := overlay.New(overlay.Options{})
	if err != nil {
		return nil, err
	}
	enc, err := openh264.New(openh264.Options{})(video.Format{Width: size[0], Height: size[1], FPS: 30, Bitrate: 2_500_000})
	if err != nil {
		return nil, err
	}
	p := &painter{paint: paint, encoder: enc, observe: observe}
	p.picture.Resize(size[0], size[1])
	return p, nil
}

func (p *painter) show(f *frame.Frame, objects []seg.Object) {
	start := time.Now()
	var err error
	p.pix, err = p.paint.Over(p.pix, f, objects)
	painted := time.Now()
	p.observe("overlay", painted.Sub(start))
	err = errors.Join(err, opencv.FromBGR(&p.picture, p.pix))
	converted := time.Now()
	p.observe("convert", converted.Sub(painted))
	_, _, encErr := p.encoder.Encode(&p.picture, false)
	p.observe("encode", time.Since(converted))
	p.err = errors.Join(p.err, err, encErr)
}

func costs(took map[string][]time.Duration) map[string]benchCost {
	out := map[string]benchCost{}
	for stage, d := range took {
		slices.Sort(d)
		at := func(q float64) float64 { return seg.Round4(d[int(q*float64(len(d)-1)+0.5)].Seconds() * 1000) }
		out[stage] = benchCost{at(0.5), at(0.95), len(d)}
	}
	return out
}

// print writes the table that docs/benchmarks.md shows.
func (r *benchResult) print(w io.Writer) error {
	fmt.Fprintf(w, "%s; %s on %s; %d frames a row; milliseconds, median (95th percentile)\n\n", r.Machine, r.Model, r.Provider, r.Frames)
	fmt.Fprintf(w, "| size | objects | %s | keyframes |\n|%s\n", strings.Join(benchStages, " | "), strings.Repeat(" --- |", len(benchStages)+3))
	for _, row := range r.Rows {
		fmt.Fprintf(w, "| %d×%d | %d |", row.Width, row.Height, row.Objects)
		for _, s := range benchStages {
			if c, ok := row.Stages[s]; ok {
				fmt.Fprintf(w, " %.1f (%.1f) |", c.P50, c.P95)
			} else {
				fmt.Fprint(w, " – |")
			}
		}
		fmt.Fprintf(w, " %d |\n", row.Keyframes)
	}
	_, err := fmt.Fprintln(w, "\nreduce, track, overlay, convert and encode run on every frame; embed and refresh on keyframes, beside them; decode on a prompt.")
	return err
}

// newBar shows progress on a terminal, and nothing elsewhere.
func newBar(w io.Writer, n int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetVisibility(isTerminal(w)))
}
