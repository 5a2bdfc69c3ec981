package onnx

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// upstreamCase is one answer of a published predictor (inference/testdata/upstream/reference.py).
type upstreamCase struct {
	Name    string
	Picture string
	Size    [2]int
	Points  [][2]float64
	Labels  []int
	Box     []float64
	Mask    string
	Moved   bool
	Logits  string
	Shape   []int
	Scores  []float32
}

// recorder keeps what a graph answered last.
type recorder struct {
	inference.Graph
	last map[string]inference.Tensor
}

func (r *recorder) Run(ctx context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	out, release, err := r.Graph.Run(ctx, in)
	r.last = map[string]inference.Tensor{}
	for _, t := range out {
		t.Float32 = slices.Clone(t.Float32)
		r.last[t.Name] = t
	}
	return out, release, err
}

// TestUpstream compares our logits with those of the published Python predictors, on the same picture, prompts and weights.
// The graphs run as the files have them: what ONNX Runtime's optimisations do is its own affair (TestOptimisedUpstream).
func TestUpstream(t *testing.T) {
	testkit.Long(t)
	root := os.Getenv("SEGEDGE_UPSTREAM")
	if root == "" {
		t.Skip("SKIPPED: SEGEDGE_UPSTREAM is not set (see inference/testdata/upstream/reference.py)")
	}
	for name, f := range map[string]struct {
		logits string
		place  func(w, h float64) (mw, mh, sx, sy float64) // the picture in the model's frame, and what its coordinates are multiplied with
	}{
		"sam": {"low_res_masks", rounded}, "mobilesam": {"low_res_masks", rounded}, "edgesam": {"masks", rounded},
		"nanosam": {"low_res_masks", truncated}, "sam2": {"masks", squashed}, "efficientsam": {"output_masks", squashed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Skipf("SKIPPED: %v", err)
			}
			compareUpstream(t, filepath.Join(root, name), f.logits, f.place)
		})
	}
}

func rounded(w, h float64) (mw, mh, sx, sy float64) {
	s := 1024 / max(w, h)
	mw, mh = math.Floor(w*s+0.5), math.Floor(h*s+0.5)
	return mw, mh, mw / w, mh / h
}

// truncated is NanoSAM's: the shorter side is cut off to whole pixels, but coordinates are not scaled with it.
func truncated(w, h float64) (mw, mh, sx, sy float64) {
	s := 1024 / max(w, h)
	return math.Floor(w * s), math.Floor(h * s), s, s
}

func squashed(w, h float64) (mw, mh, sx, sy float64) { return 1024, 1024, 1024 / w, 1024 / h }

// TestOptimisedUpstream says which of those graphs this ONNX Runtime optimises into other answers. inference/provider
// finds that out at start.
func TestOptimisedUpstream(t *testing.T) {
	testkit.Long(t)
	root := os.Getenv("SEGEDGE_UPSTREAM")
	if root == "" {
		t.Skip("SKIPPED: SEGEDGE_UPSTREAM is not set (see inference/testdata/upstream/reference.py)")
	}
	rt := testRuntime(t)
	for _, name := range []string{"sam", "mobilesam", "sam2", "efficientsam"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Logf("SKIPPED: %v", err)
			continue
		}
		var out [2][]float32
		for i, p := range []inference.Provider{inference.Unoptimized(), {}} {
			g, err := rt.Load(inference.File{Path: filepath.Join(root, name, "encoder.onnx")}, SessionOptions{Provider: p})
			if err != nil {
				t.Fatal(err)
			}
			in := inference.Tensor{Name: g.Inputs()[0].Name, Shape: []int64{1, 3, 1024, 1024}, Float32: make([]float32, 3<<20)}
			for k := range in.Float32 {
				in.Float32[k] = float32(math.Sin(float64(k)/7e3) + math.Cos(float64(k%1024)/40))
			}
			o, release, err := g.Run(t.Context(), []inference.Tensor{in})
			if err != nil {
				t.Fatal(err)
			}
			out[i] = slices.Clone(o[len(o)-1].Float32)
			release()
			_ = g.Close()
		}
		off, spread := difference(out[1], out[0])
		t.Logf("%-12s ONNX Runtime %s: optimised encoder off by %.2e of %.1f", name, rt.Version(), off, spread)
	}
}

func compareUpstream(t *testing.T, dir, output string, place func(w, h float64) (mw, mh, sx, sy float64)) {
	data, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []upstreamCase
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	rec := &recorder{}
	load := testRuntime(t).Loader(SessionOptions{Provider: inference.Unoptimized()})
	s, err := inference.Open(func(f inference.File, outputs []string) (inference.Graph, error) {
		g, err := load(f, outputs)
		if slices.Contains(outputs, output) {
			rec.Graph = g
			return rec, err
		}
		return g, err
	}, "", inference.Options{}, inference.File{Path: filepath.Join(dir, "encoder.onnx")}, inference.File{Path: filepath.Join(dir, "decoder.onnx")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	embeds := map[string]inference.Embedding{}
	firsts := map[string][]float32{}
	worst := 0.0
	for _, c := range cases {
		e := embeds[c.Picture]
		if e == nil {
			if e, err = s.Embed(t.Context(), rgb(t, filepath.Join(dir, c.Picture+".rgb"), c.Size)); err != nil {
				t.Fatal(err)
			}
			embeds[c.Picture] = e
			defer e.Close()
		}
		if _, err := e.Decode(t.Context(), []seg.Prompt{c.prompt(t, dir, place)}); err != nil {
			t.Fatal(err)
		}
		want := floats(t, filepath.Join(dir, c.Logits))
		got := rec.last[output].Float32
		skip := (len(got) - len(want)) / (256 * 256) // the token of the single mask, where one click left it out
		if c.Shape[0] == 3 {
			got = got[skip*256*256:]
		}
		off, spread := difference(got[:len(want)], want)
		moved := 0.0
		if c.Name == "one click" {
			firsts[c.Picture] = want
		}
		if c.Moved {
			moved, _ = difference(want, firsts[c.Picture])
		}
		worst = max(worst, off)
		t.Logf("%-6s %-32s max |ours − theirs| %.2e; logits span %.2f; the half pixel moved them by %.2e", c.Picture, c.Name, off, spread, moved)
		if off > 1e-3 {
			t.Errorf("%s, %s: off by %.4f", c.Picture, c.Name, off)
		}
	}
	t.Logf("worst of %d: %.2e", len(cases), worst)
}

// prompt is the case in our normalised coordinates. Upstream scales a pixel's index and then adds half a model pixel.
func (c *upstreamCase) prompt(t *testing.T, dir string, place func(w, h float64) (mw, mh, sx, sy float64)) seg.Prompt {
	mw, mh, sx, sy := place(float64(c.Size[0]), float64(c.Size[1]))
	at := func(x, y float64) seg.Point { return seg.Point{X: (x*sx + 0.5) / mw, Y: (y*sy + 0.5) / mh} }
	var p seg.Prompt
	for i, q := range c.Points {
		p.Clicks = append(p.Clicks, seg.Click{Point: at(q[0], q[1]), Label: seg.Label(c.Labels[i])})
	}
	if c.Box != nil {
		a, b := at(c.Box[0], c.Box[1]), at(c.Box[2], c.Box[3])
		p.Box = &seg.Box{X0: a.X, Y0: a.Y, X1: b.X, Y1: b.Y}
	}
	if c.Mask != "" {
		p.Mask = &seg.Logits{W: 256, H: 256, Extent: seg.Point{X: 1024 / mw, Y: 1024 / mh}, Data: floats(t, filepath.Join(dir, c.Mask))}
	}
	return p
}

func difference(a, b []float32) (most, spread float64) {
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range a {
		most = max(most, math.Abs(float64(a[i]-b[i])))
		lo, hi = min(lo, float64(b[i])), max(hi, float64(b[i]))
	}
	return most, hi - lo
}

func floats(t *testing.T, path string) []float32 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

func rgb(t *testing.T, path string, size [2]int) *frame.Frame {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(size[0], size[1])
	for i := 0; i < len(data); i += 3 {
		f.Pix[i], f.Pix[i+1], f.Pix[i+2] = data[i+2], data[i+1], data[i]
	}
	return f
}
