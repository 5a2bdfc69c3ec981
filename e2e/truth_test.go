package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/motion"
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

// truthPlaces are clicks on the scene's four objects in its first frame.
var truthPlaces = []seg.Point{{X: 0.2, Y: 0.5}, {X: 0.4, Y: 0.5}, {X: 0.6, Y: 0.5}, {X: 0.8, Y: 0.5}}

// watched is one object of the scene: its place in the truth, its id in the pipeline, and how well it was followed.
type watched struct {
	truth             int
	id                seg.ID
	still             *seg.Mask
	flow              eval.Follower
	ours, none, alone float64
	frames            int
}

func score(m, truth *seg.Mask) float64 {
	if m == nil {
		return 0
	}
	return m.Resize(truth.W, truth.H).IoU(truth)
}

// Clicks on the first frame of the scene, 300 frames, the exact truth of each: the masks keep an IoU of at least 0.75. In crossing two that look
// alike pass each other and must not swap. In crowd all hide each other in many ways, some without anything that tells them apart, so there
// only the mean is held, to less. "Nothing moves" shows that the scene is not too easy, "flow alone" what the model adds. With SEGEDGE_SCENES=n it
// is n renderings of 450 frames, of other textures and noise and of two sizes: what docs/benchmarks.md tells.
func TestMasksStayOnTheirObjects(t *testing.T) {
	scenes, frames := 1, uint64(300)
	if n, err := strconv.Atoi(os.Getenv("SEGEDGE_SCENES")); err == nil {
		scenes, frames = n, 450
	}
	for _, c := range []struct {
		preset     string
		mean, each float64 // least IoU
	}{{"calm", 0.75, 0.65}, {"crossing", 0.75, 0.65}, {"default", 0.75, 0.5}, {"crowd", 0.5, 0}} {
		for seed := range scenes {
			o := synthetic.Options{Width: 640, Height: 360, Preset: c.preset, Seed: uint64(seed)}
			if seed%2 == 1 {
				o.Width, o.Height = 854, 480
			}
			t.Run(fmt.Sprintf("%s %d", c.preset, seed), func(t *testing.T) { masksStay(t, o, frames, c.mean, c.each) })
		}
	}
}

func masksStay(t *testing.T, o synthetic.Options, frames uint64, mean, each float64) {
	scene, err := synthetic.New(o)
	if err != nil {
		t.Fatal(err)
	}
	m := defaultModel(t)
	p, err := pipeline.New(pipeline.Options{Model: m, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})), Synchronous: true})
	if err != nil {
		t.Fatal(err)
	}
	fr := frame.New(o.Width, o.Height)
	show := func(n uint64) {
		scene.Render(n, fr)
		fr.Seq, fr.Captured = n+1, time.Unix(0, 0).Add(scene.Time(n))
		if err := p.Step(t.Context(), fr); err != nil {
			t.Fatal(err)
		}
	}
	show(0)
	objects := make([]*watched, len(truthPlaces))
	for i, at := range truthPlaces {
		objects[i] = watch(t, scene, p, m, fr, at)
	}
	for n := uint64(1); n < frames; n++ {
		show(n)
		truth := scene.Truth(n)
		now, _, err := p.Objects(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range objects {
			w.score(t, fr, now, truth[w.truth])
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	report(t, scene, objects, mean, each)
}

// watch asks for the object at a place of the first frame, of the pipeline and of the baselines.
func watch(t *testing.T, scene *synthetic.Scene, p *pipeline.Pipeline, m inference.Segmenter, fr *frame.Frame, at seg.Point) *watched {
	t.Helper()
	w := &watched{truth: slices.IndexFunc(scene.Truth(0), func(o synthetic.Object) bool { return o.Mask.Contains(at) })}
	if w.truth < 0 {
		t.Fatalf("no object under %v", at)
	}
	prompt := seg.Prompt{Clicks: []seg.Click{{Point: at, Label: seg.Positive}}}
	r, err := p.Prompt(t.Context(), pipeline.Request{Prompt: prompt})
	if err != nil {
		t.Fatal(err)
	}
	w.id, w.still = r.Object.ID, r.Object.Mask
	open := eval.FlowAlone(m, func() (motion.Flow, func() error, error) {
		return lk.New(lk.Options{}), nil, nil
	})
	if w.flow, err = open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.flow.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := w.flow.Start(fr, prompt); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) score(t *testing.T, fr *frame.Frame, now []seg.Object, truth synthetic.Object) {
	t.Helper()
	alone, err := w.flow.Next(fr)
	if err != nil {
		t.Fatal(err)
	}
	if truth.Visible < 0.9 {
		return
	}
	w.frames++
	w.none += score(w.still, truth.Mask)
	w.alone += score(alone, truth.Mask)
	for i := range now {
		if now[i].ID == w.id && now[i].State.Visible() {
			w.ours += score(now[i].Mask, truth.Mask)
		}
	}
}

func report(t *testing.T, scene *synthetic.Scene, objects []*watched, mean, each float64) {
	t.Helper()
	var ours, none float64
	for _, w := range objects {
		n := float64(w.frames)
		t.Logf("%-6s over %d frames: segedge %.3f, nothing moves %.3f, flow alone %.3f", scene.Truth(0)[w.truth].Name, w.frames, w.ours/n, w.none/n, w.alone/n)
		ours += w.ours / n / float64(len(objects))
		none += w.none / n / float64(len(objects))
		if w.ours/n < each {
			t.Errorf("an object that nothing hides was followed with a mean IoU of only %.3f", w.ours/n)
		}
	}
	t.Logf("mean: segedge %.3f, nothing moves %.3f", ours, none)
	if none >= 0.35 {
		t.Errorf("nothing moves scores %.3f: the scene is too easy", none)
	}
	if ours < mean {
		t.Errorf("the masks' mean IoU with the truth is %.3f, less than %.2f", ours, mean)
	}
}
