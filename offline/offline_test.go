package offline_test

import (
	"context"
	"errors"
	"image"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/offline"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// film is a recording of a red block that wanders over a grey ground, two pixels a frame.
type film struct {
	frames int
	fps    float64
	pts    func(n int) time.Duration
	live   bool
	broken int   // the frame, from 0, that cannot be read; 0 is none
	dark   int   // frames at the beginning that show nothing
	closed *bool // what becomes of it

	n int
}

func (f *film) Info() capture.Info {
	return capture.Info{Width: width, Height: height, FPS: f.fps, Live: f.live}
}

func (f *film) Close() error { *f.closed = true; return nil }

const width, height = 160, 96

var errTorn = errors.New("the file is torn")

func (f *film) Read(ctx context.Context, dst *frame.Frame) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.n >= f.frames:
		return io.EOF
	case f.broken > 0 && f.n == f.broken:
		return errTorn
	}
	dst.Resize(width, height)
	dst.PTS = f.pts(f.n)
	for y := range height {
		for x := range width {
			v := byte(110 + 40*math.Sin(float64(x)/3)*math.Cos(float64(y)/4))
			p := dst.Pix[3*(y*width+x):][:3]
			p[0], p[1], p[2] = v, v, v
			if f.n < f.dark {
				p[0], p[1], p[2] = 0, 0, 0
			} else if inBlock(f.n, x, y) {
				p[0], p[1], p[2] = 10, 10, byte(200+(x*7+y*13)%16)
			}
		}
	}
	f.n++
	return nil
}

func inBlock(n, x, y int) bool { return x >= 20+2*n && x < 50+2*n && y >= 30 && y < 60 }

func even(n int) time.Duration { return time.Duration(n) * 40 * time.Millisecond }

// seen is a frame as it was shown.
type seen struct {
	frame.Meta
	found int
	iou   float64
}

// follow runs a film with a click on its block, and gives what was shown.
func follow(t *testing.T, f *film, change func(o *offline.Options)) (shown []seen, done pipeline.Counters, err error) {
	t.Helper()
	model := inferencetest.New(inferencetest.Options{Tolerance: 40})
	f.closed = new(bool)
	if f.pts == nil {
		f.pts = even
	}
	o := offline.Options{
		Open:     func(context.Context) (capture.Source, error) { return f, nil },
		Pipeline: pipeline.Options{Model: model, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{}))},
		Prompts:  []pipeline.Request{{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: at(0), Label: seg.Positive}}}}},
		Show: func(fr *frame.Frame, objects []seg.Object) error {
			s := seen{Meta: fr.Meta, found: len(objects)}
			if len(objects) == 1 && objects[0].Mask != nil {
				s.iou = objects[0].Mask.Resize(width, height).IoU(truth(int(fr.Seq) - 1))
			}
			shown = append(shown, s)
			return nil
		},
	}
	if change != nil {
		change(&o)
	}
	done, err = offline.Run(t.Context(), o)
	if !*f.closed {
		t.Error("the source was left open")
	}
	if n := model.Live(); n != 0 {
		t.Errorf("%d embeddings were left open", n)
	}
	return shown, done, err
}

// at is the middle of the block in a frame.
func at(n int) seg.Point { return seg.Point{X: (35 + 2*float64(n)) / width, Y: 45.0 / height} }

func truth(n int) *seg.Mask {
	m := seg.NewMask(width, height, image.Rect(20+2*n, 30, 50+2*n, 60).Intersect(image.Rect(0, 0, width, height)))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

func TestEveryFrameIsShownWithItsObjects(t *testing.T) {
	shown, done, err := follow(t, &film{frames: 40, fps: 25}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(shown) != 40 || done.Processed != 40 || done.Keyframes < 36 {
		t.Fatalf("%d frames shown, %d followed, %d keyframes", len(shown), done.Processed, done.Keyframes)
	}
	for i, s := range shown {
		if s.Seq != uint64(i+1) || s.Captured.Sub(shown[0].Captured) != even(i) {
			t.Errorf("frame %d is shown as %d, %v after the first", i+1, s.Seq, s.Captured.Sub(shown[0].Captured))
		}
		if s.found != 1 || s.iou < 0.85 {
			t.Errorf("frame %d: %d objects, IoU %.2f", s.Seq, s.found, s.iou)
		}
	}
}

func TestFramesAreDatedByTheirTimesOrTheRate(t *testing.T) {
	for name, c := range map[string]struct {
		pts  func(n int) time.Duration
		fps  float64
		want []time.Duration
	}{
		"no times":          {func(int) time.Duration { return 0 }, 10, []time.Duration{0, 100, 200, 300}},
		"nor a rate":        {func(int) time.Duration { return 0 }, 0, []time.Duration{0, 40, 80, 120}},
		"uneven":            {func(n int) time.Duration { return time.Duration(n*n) * 10 * time.Millisecond }, 25, []time.Duration{0, 10, 40, 90}},
		"jumps by an hour":  {func(n int) time.Duration { return even(n) + time.Duration(n/2)*time.Hour }, 25, []time.Duration{0, 40, 80, 120}},
		"runs back":         {func(n int) time.Duration { return even(10 - n) }, 20, []time.Duration{0, 50, 100, 150}},
		"starts in between": {func(n int) time.Duration { return time.Hour + even(n) }, 25, []time.Duration{0, 40, 80, 120}},
	} {
		t.Run(name, func(t *testing.T) {
			shown, _, err := follow(t, &film{frames: 4, fps: c.fps, pts: c.pts}, nil)
			if err != nil || len(shown) != 4 {
				t.Fatalf("%d frames, %v", len(shown), err)
			}
			for i, s := range shown {
				if got := s.Captured.Sub(shown[0].Captured); got != c.want[i]*time.Millisecond {
					t.Errorf("frame %d is dated %v, want %v", i+1, got, c.want[i]*time.Millisecond)
				}
			}
		})
	}
}

func TestAPhraseIsLookedForUntilItIsFound(t *testing.T) {
	var asked []uint64
	shown, _, err := follow(t, &film{frames: 40, fps: 25, dark: 3}, func(o *offline.Options) {
		o.Prompts = []pipeline.Request{{Name: "block", Prompt: seg.Prompt{Text: "block"}}}
		o.Ground = func(_ context.Context, f *frame.Frame, phrase string) ([]seg.Named, error) {
			if phrase != "block" {
				t.Errorf("asked for %q", phrase)
			}
			if asked = append(asked, f.Seq); len(asked) < 3 {
				return nil, nil
			}
			return []seg.Named{{Box: truth(int(f.Seq) - 1).Box()}, {Box: truth(int(f.Seq) - 1).Box()}}, nil // twice the same thing
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(asked) != 3 || asked[0] <= 3 || asked[1] != asked[0]+10 || asked[2] != asked[0]+20 {
		t.Fatalf("asked at frames %v", asked)
	}
	for _, s := range shown {
		if want := s.Seq >= asked[2]; (s.found == 1) != want || want && s.iou < 0.8 {
			t.Errorf("frame %d: %d objects, IoU %.2f", s.Seq, s.found, s.iou)
		}
	}
}

func TestItEndsWhereItShould(t *testing.T) {
	full := errors.New("the disk is full")
	for name, c := range map[string]struct {
		film   film
		change func(o *offline.Options)
		frames int
		err    error
		says   string
	}{
		"after a while":   {film{frames: 40, fps: 25}, func(o *offline.Options) { o.Until = 400 * time.Millisecond }, 10, nil, ""},
		"what is live":    {film{frames: 40, live: true}, nil, 0, offline.ErrLive, "live"},
		"a torn file":     {film{frames: 40, fps: 25, broken: 7}, nil, 7, errTorn, "after 7 frames"},
		"a full disk":     {film{frames: 40, fps: 25}, func(o *offline.Options) { o.Show = func(*frame.Frame, []seg.Object) error { return full } }, 1, full, "full"},
		"words, no words": {film{frames: 40, fps: 25}, func(o *offline.Options) { o.Prompts[0].Prompt = seg.Prompt{Text: "block"} }, 1, nil, "no detector"},
		"nothing there": {film{frames: 5, fps: 25}, func(o *offline.Options) {
			o.Pipeline.Model = inferencetest.New(inferencetest.Options{Answer: func(_ seg.Prompt, a seg.Prediction) seg.Prediction {
				for i := range a.Candidates {
					for k := range a.Candidates[i].Logits.Data {
						a.Candidates[i].Logits.Data[k] = -8
					}
				}
				return a
			}})
		}, 5, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, done, err := follow(t, &c.film, c.change)
			if int(done.Processed) != c.frames {
				t.Errorf("%d frames, want %d", done.Processed, c.frames)
			}
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("error %v is not %v", err, c.err)
			}
		})
	}
}

func TestItEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &film{frames: 40, fps: 25, pts: even, closed: new(bool)}
	done, err := offline.Run(ctx, offline.Options{
		Open: func(context.Context) (capture.Source, error) { return f, nil },
		Pipeline: pipeline.Options{
			Model: inferencetest.New(inferencetest.Options{}), Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
		},
		Show: func(f *frame.Frame, _ []seg.Object) error {
			if f.Seq == 4 {
				cancel()
			}
			return nil
		},
	})
	if err != nil || done.Processed != 4 || !*f.closed {
		t.Errorf("%d frames, %v, closed %v", done.Processed, err, *f.closed)
	}
}

func TestProgressIsTold(t *testing.T) {
	var told []int
	if _, _, err := follow(t, &film{frames: 5, fps: 25}, func(o *offline.Options) { o.Done = func(n int) { told = append(told, n) } }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []int{1, 2, 3, 4, 5}) {
		t.Errorf("told %v", told)
	}
}
