package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"math"
	"os"
	"strings"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/inference/provider"
	"github.com/segedge/segedge/seg"
)

// videoCheck is how a video model follows what is known.
type videoCheck struct {
	Model    string  `json:"model"`
	Layout   string  `json:"layout"`
	Provider string  `json:"provider"`
	Least    float64 `json:"least_iou"` // of two discs, in any frame
	FrameMS  float64 `json:"frame_ms"`  // of a frame with two objects that are remembered, in the mean
	Bytes    int     `json:"memory_bytes"`
	Refused  string  `json:"refused,omitempty"`
}

// videoModel are the files of a video model, where the argument is one: a folder, or a file.
func videoModel(path string) (*memory.Recognised, bool) {
	files := []inference.File{{Path: path}}
	st, err := os.Stat(path)
	if err != nil {
		return nil, false
	}
	if st.IsDir() {
		if files, err = graphsIn(path); err != nil {
			return nil, false
		}
	}
	r, err := memory.Recognise(files...)
	return r, err == nil
}

// The known walk: two discs that drift apart, asked about by a click each in the first frame, the first corrected in the sixth.
const (
	walkFrames  = 10
	walkCorrect = 5
	walkLeast   = 0.55
)

func walkAt(i int) [2]image.Point { return [2]image.Point{{90 + 6*i, 90}, {300 + 6*i, 230 + 3*i}} }

// walkPicture is a frame of it, and the true masks.
func walkPicture(i int) (*frame.Frame, [2]*seg.Mask) {
	f := frame.New(480, 320)
	at := walkAt(i)
	var masks [2]*seg.Mask
	for k := range masks {
		masks[k] = seg.NewMask(f.Width, f.Height, image.Rect(0, 0, f.Width, f.Height))
	}
	for y := range f.Height {
		for x := range f.Width {
			colour := []byte{byte(120 + x%7), byte(100 + y%5), 70}
			for k, p := range at {
				if math.Hypot(float64(x-p.X), float64(y-p.Y)) <= 34 {
					colour = []byte{30, 40, byte(205 + (x+y)%9)}
					masks[k].Row(y)[x] = 1
				}
			}
			copy(f.Pix[y*f.Stride()+3*x:], colour)
		}
	}
	return f, masks
}

// checkVideo has a video model follow the known walk on the CPU.
func checkVideo(e *env, name string, r *memory.Recognised, threads int, asJSON bool) (err error) {
	rt, err := onnx.Open(onnx.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	m, err := memory.Open(rt.Loader(onnx.SessionOptions{Threads: threads}), r.Files...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	out := videoCheck{Model: name, Layout: r.Name, Provider: inference.CPU, Least: 1}
	if err := out.walk(e.ctx, m.NewBank()); err != nil {
		return err
	}
	if asJSON {
		err = json.NewEncoder(e.stdout).Encode(out)
	} else {
		_, err = fmt.Fprintf(e.stdout, "%s (%s) on %s: two discs over %d frames with a correction: IoU %.2f at least; "+
			"%.1f ms a frame; %d KiB of memory\n", out.Model, r.Title, out.Provider, walkFrames, out.Least, out.FrameMS, out.Bytes>>10)
	}
	if err == nil && out.Refused != "" {
		fmt.Fprintln(e.stdout, "REFUSED:", out.Refused)
		return exitError(1)
	}
	return err
}

func (v *videoCheck) walk(ctx context.Context, b *memory.Bank) error {
	var took time.Duration
	for i := range walkFrames {
		asked := map[int64]seg.Prompt{}
		for k, p := range walkAt(i) {
			if i == 0 || i == walkCorrect && k == 0 {
				at := seg.Point{X: float64(p.X) / 480, Y: float64(p.Y) / 320}
				asked[int64(k+1)] = seg.Prompt{Clicks: []seg.Click{{Point: at, Label: seg.Positive}}}
			}
		}
		f, truth := walkPicture(i)
		start := time.Now()
		seen, err := b.Step(ctx, f, asked)
		if err != nil {
			return err
		}
		if i > 0 {
			took += time.Since(start)
		}
		for k, s := range seen {
			iou := 0.0
			if s.Present() {
				iou = s.Logits.Cut(480, 320, seg.Threshold).IoU(truth[k])
			}
			v.Least = min(v.Least, seg.Round4(iou))
			if iou < walkLeast && v.Refused == "" {
				v.Refused = fmt.Sprintf("disc %d has an IoU of %.2f in frame %d, and needs %.2f", k+1, iou, i, walkLeast)
			}
		}
	}
	v.FrameMS, v.Bytes = seg.Round4(took.Seconds()*1000/(walkFrames-1)), b.Bytes()
	return nil
}

// remembering is a video model by whose memory cameras follow.
type remembering struct{ *memory.Model }

// Run has nothing to do: no better provider is made ready in the background.
func (*remembering) Run(context.Context) error { return nil }

// openVideo opens a video model on CUDA, where that is wanted and there, else on the CPU, if its answers are those of the graphs as the
// files have them; else it runs as the files have it.
func openVideo(
	ctx context.Context, f inference.Factory, c config.Model, name string, r *memory.Recognised, log *slog.Logger,
) (*remembering, error) {
	open := func(p inference.Provider) (*memory.Model, error) {
		return memory.Open(func(file inference.File, outputs []string) (inference.Graph, error) { return f.Load(file, outputs, p) }, r.Files...)
	}
	plain, err := open(inference.Unoptimized())
	if err != nil {
		return nil, err
	}
	o, why := inference.Options{Name: name, Provider: inference.CPU}, []string{"TensorRT is not tried for video models"}
	providers := []string{inference.CUDA, inference.CPU}
	if c.Provider == inference.CPU {
		providers, why = providers[1:], nil
	}
	for _, p := range providers {
		m, err := agreeing(ctx, f, inference.Provider{Name: p}, open, plain)
		if err == nil {
			o.Provider, o.Why = p, strings.Join(append(why, "its answers are those of the graphs as the files have them"), "; ")
			m.Tell(o)
			return &remembering{m}, plain.Close()
		}
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), plain.Close())
		}
		log.Info("a video model does not run there", "provider", p, "why", err)
		why = append(why, p+": "+strings.TrimPrefix(err.Error(), p+": "))
	}
	o.Why = strings.Join(append(why, "the graphs run as the files have them"), "; ")
	plain.Tell(o)
	return &remembering{plain}, nil
}

// agreeing is a video model on a provider that answers as the plain one does.
func agreeing(
	ctx context.Context, f inference.Factory, p inference.Provider, open func(inference.Provider) (*memory.Model, error), plain *memory.Model,
) (*memory.Model, error) {
	if err := f.Probe(p); err != nil {
		return nil, err
	}
	m, err := open(p)
	if err != nil {
		return nil, err
	}
	a, err := provider.Compare(ctx, plain, m)
	if err == nil {
		err = a.Check()
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// follows has a video model follow the known walk.
func follows(ctx context.Context, m *memory.Model) error {
	v := videoCheck{Least: 1}
	if err := v.walk(ctx, m.NewBank()); err != nil {
		return fmt.Errorf("the known walk: %w", err)
	}
	if v.Refused != "" {
		return errors.New("it does not follow by its memory: " + v.Refused)
	}
	return nil
}
