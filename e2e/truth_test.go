package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/flow"
)

// defaultModel opens the built-in model.
func defaultModel(t *testing.T) inference.Segmenter {
	t.Helper()
	if os.Getenv("SEGEDGE_ORT_LIB") == "" {
		t.Setenv("SEGEDGE_ORT_LIB", filepath.Join(root(t), "lib", "segedge", "libonnxruntime.so.1"))
	}
	rt, err := onnx.Open(onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := inference.Open(rt.Loader(onnx.SessionOptions{Threads: 1}), "", inference.Options{Name: models.Name},
		inference.File{Name: "encoder", Data: models.Encoder()}, inference.File{Name: "decoder", Data: models.Decoder()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// follower is a pipeline over the real model that follows one click.
type follower struct {
	p    *pipeline.Pipeline
	last *seg.Mask
}

func follow(t *testing.T, m inference.Segmenter, o tracker.Options) *follower {
	t.Helper()
	motion := flow.New(flow.Options{})
	p, err := pipeline.New(pipeline.Options{Model: m, Tracker: tracker.New(o, motion), Synchronous: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := motion.Close(); err != nil {
			t.Error(err)
		}
	})
	return &follower{p: p}
}

// step shows a frame and answers the mask of the one object in it.
func (f *follower) step(t *testing.T, fr *frame.Frame, click *seg.Point) *seg.Mask {
	t.Helper()
	if err := f.p.Step(t.Context(), fr); err != nil {
		t.Fatal(err)
	}
	if click != nil {
		if _, err := f.p.Prompt(t.Context(), pipeline.Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: *click, Label: seg.Positive}}}}); err != nil {
			t.Fatal(err)
		}
	}
	objects, _, err := f.p.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.last = nil
	if len(objects) > 0 && objects[0].State.Visible() {
		f.last = objects[0].Mask
	}
	return f.last
}

// unhidden is the object under one of the four places of the first frame that is hidden the least over 300 frames.
func unhidden(t *testing.T, scene *synthetic.Scene) (int, seg.Point) {
	t.Helper()
	best, most, at := -1, -1, seg.Point{}
	for k := range 4 {
		p := seg.Point{X: 0.2 + 0.2*float64(k), Y: 0.5}
		for i, o := range scene.Truth(0) {
			if !o.Mask.Contains(p) {
				continue
			}
			seen := 0
			for n := uint64(0); n < 300; n += 5 {
				if scene.Truth(n)[i].Visible >= 0.9 {
					seen++
				}
			}
			if seen > most {
				best, most, at = i, seen, p
			}
		}
	}
	t.Logf("following the %s, clicked at %.1f, %.1f, in sight in %d of 60 frames", scene.Truth(0)[best].Name, at.X, at.Y, most)
	return best, at
}

func score(m, truth *seg.Mask) float64 {
	if m == nil {
		return 0
	}
	return m.Resize(truth.W, truth.H).IoU(truth)
}

// A click on the first frame of the scene, 300 frames, the exact truth of each: the mask keeps an IoU of at least 0.75 while its
// object is not hidden. "Nothing moves" shows that the scene is not too easy, "flow alone" what the model adds.
func TestMaskStaysOnItsObject(t *testing.T) {
	scene, err := synthetic.New(synthetic.Options{Width: 640, Height: 360})
	if err != nil {
		t.Fatal(err)
	}
	m := defaultModel(t)
	product := follow(t, m, tracker.Options{})
	alone := follow(t, m, tracker.Options{MaxKeyframeGap: 1e6, Budget: 1e-9})
	which, click := unhidden(t, scene)
	var still *seg.Mask
	var sums [3]float64
	n := 0
	fr := frame.New(640, 360)
	for i := range uint64(300) {
		scene.Render(i, fr)
		fr.Seq, fr.Captured = i+1, time.Unix(0, 0).Add(scene.Time(i))
		var at *seg.Point
		if i == 0 {
			at = &click
		}
		a, b := product.step(t, fr, at), alone.step(t, fr, at)
		if i == 0 {
			still = a
		}
		truth := scene.Truth(i)[which]
		if truth.Visible < 0.9 {
			continue
		}
		n++
		for k, mask := range []*seg.Mask{a, still, b} {
			sums[k] += score(mask, truth.Mask)
		}
	}
	ours, nothing, flowOnly := sums[0]/float64(n), sums[1]/float64(n), sums[2]/float64(n)
	t.Logf("mean IoU over %d frames: segedge %.3f, nothing moves %.3f, flow alone %.3f", n, ours, nothing, flowOnly)
	if nothing >= 0.35 {
		t.Errorf("nothing moves scores %.3f: the scene is too easy", nothing)
	}
	if ours < 0.75 {
		t.Errorf("the mask's mean IoU with the truth is %.3f, less than 0.75", ours)
	}
}
