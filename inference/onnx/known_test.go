package onnx

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/inference/known"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/testkit"
)

// warped is a graph whose inputs or outputs are changed on the way.
type warped struct {
	inference.Graph
	before, after func(*inference.Tensor)
}

func (w warped) Run(ctx context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	if w.before != nil {
		in = slices.Clone(in)
		for i := range in {
			in[i].Float32, in[i].Shape = slices.Clone(in[i].Float32), slices.Clone(in[i].Shape)
			w.before(&in[i])
		}
	}
	out, release, err := w.Graph.Run(ctx, in)
	out = slices.Clone(out) // the list is the graph's own
	for i := range out {
		if w.after != nil {
			out[i].Float32 = slices.Clone(out[i].Float32)
			w.after(&out[i])
		}
	}
	return out, release, err
}

// planes are a picture's three, [1,3,H,W].
func planes(t *inference.Tensor) (data [3][]float32, h, w int) {
	h, w = int(t.Shape[2]), int(t.Shape[3])
	for c := range data {
		data[c] = t.Float32[c*h*w:][:h*w]
	}
	return data, h, w
}

func swapRedAndBlue(t *inference.Tensor) {
	p, _, _ := planes(t)
	for i := range p[0] {
		p[0][i], p[2][i] = p[2][i], p[0][i]
	}
}

func transpose(t *inference.Tensor) {
	p, h, w := planes(t)
	for _, plane := range p {
		old := slices.Clone(plane)
		for y := range h {
			for x := range w {
				plane[x*h+y] = old[y*w+x]
			}
		}
	}
	t.Shape[2], t.Shape[3] = t.Shape[3], t.Shape[2]
}

// wantsBytes makes a graph of ImageNet's normalisation one that wants a picture of 0 to 255.
func wantsBytes(t *inference.Tensor) {
	mean, std := [3]float32{123.675, 116.28, 103.53}, [3]float32{58.395, 57.12, 57.375}
	p, _, _ := planes(t)
	for c, plane := range p {
		for i, v := range plane {
			plane[i] = (v - mean[c]) / std[c]
		}
	}
}

// stretch makes a picture [H,W,3] square.
func stretch(t *inference.Tensor) {
	h, w := int(t.Shape[0]), int(t.Shape[1])
	n := max(h, w)
	out := make([]float32, 0, 3*n*n)
	for y := range n {
		for x := range n {
			out = append(out, t.Float32[3*(y*h/n*w+x*w/n):][:3]...)
		}
	}
	t.Float32, t.Shape = out, []int64{int64(n), int64(n), 3}
}

func flipped(t *inference.Tensor) {
	p, h, w := planes(t)
	for _, plane := range p {
		for y := range h / 2 {
			for x := range w {
				plane[y*w+x], plane[(h-1-y)*w+x] = plane[(h-1-y)*w+x], plane[y*w+x]
			}
		}
	}
}

func only(name string, change func(*inference.Tensor)) func(*inference.Tensor) {
	return func(t *inference.Tensor) {
		if t.Name == name {
			change(t)
		}
	}
}

func swapXY(t *inference.Tensor) {
	for i := 0; i < len(t.Float32); i += 2 {
		t.Float32[i], t.Float32[i+1] = t.Float32[i+1], t.Float32[i]
	}
}

// examined is what is found of a model whose graphs are warped.
func examined(t *testing.T, files []inference.File, encoder, decoder warped) error {
	t.Helper()
	r, err := inference.Recognise("", files...)
	if err != nil {
		t.Fatal(err)
	}
	load := testRuntime(t).Loader(SessionOptions{})
	_, err = known.Examine(t.Context(), r.Family, func(f inference.Family) (inference.Segmenter, error) {
		return r.Load(func(file inference.File, outputs []string) (inference.Graph, error) {
			g, err := load(file, outputs)
			if file.String() == r.Decoder.String() {
				return warped{g, decoder.before, decoder.after}, err
			}
			return warped{g, encoder.before, encoder.after}, err
		}, f, inference.Options{})
	})
	return err
}

func fixtureFiles(names ...string) []inference.File {
	var out []inference.File
	for _, n := range names {
		out = append(out, inference.File{Path: filepath.Join("..", "testdata", "fixtures", filepath.FromSlash(n)+".onnx")})
	}
	return out
}

// TestRightModelsAnswerWhatIsKnown: every family's fixture and the default model pass; so would a real one.
func TestRightModelsAnswerWhatIsKnown(t *testing.T) {
	testkit.Long(t)
	for _, fx := range fixtures() {
		if err := examined(t, fixtureFiles(fx.files...), warped{}, warped{}); err != nil {
			t.Errorf("%s: %v", fx.family, err)
		}
		if err := known.Prove(t.Context(), fx.open(t)); err != nil {
			t.Errorf("%s, quickly: %v", fx.family, err)
		}
	}
	if err := examined(t, defaultFiles(nil), warped{}, warped{}); err != nil {
		t.Errorf("the default model: %v", err)
	}
}

// TestEachKindOfWrongIsCalledByItsName breaks right models in each way.
func TestEachKindOfWrongIsCalledByItsName(t *testing.T) {
	testkit.Long(t)
	sam, raw := fixtureFiles("nanosam/encoder-512", "nanosam/decoder"), fixtureFiles("sam-raw/encoder", "sam/decoder")
	each := func(v func(i int, x float32) float32) func(*inference.Tensor) {
		return func(t *inference.Tensor) {
			for i, x := range t.Float32 {
				t.Float32[i] = v(i, x)
			}
		}
	}
	nan := each(func(int, float32) float32 { return float32(math.NaN()) })
	zero := each(func(int, float32) float32 { return 0 })
	r := rand.New(rand.NewPCG(3, 4))
	shuffle := func(t *inference.Tensor) {
		r.Shuffle(len(t.Float32), func(i, j int) { t.Float32[i], t.Float32[j] = t.Float32[j], t.Float32[i] })
	}
	for name, c := range map[string]struct {
		files            []inference.File
		encoder, decoder warped
		want             string
	}{
		"no numbers":             {sam, warped{}, warped{after: only("low_res_masks", nan)}, "not numbers"},
		"zeros":                  {sam, warped{}, warped{after: zero}, "look like zeros"},
		"a shuffled embedding":   {sam, warped{after: shuffle}, warped{}, "look shuffled"},
		"transposed points":      {sam, warped{}, warped{before: only("point_coords", swapXY)}, "y before x"},
		"a transposed picture":   {sam, warped{before: transpose}, warped{}, "columns for its rows"},
		"blue, green, red":       {sam, warped{before: swapRedAndBlue}, warped{}, "blue, green, red"},
		"another normalisation":  {sam, warped{before: wantsBytes}, warped{}, "normalisation looks like another than the family's: none, values of 0 to 255"},
		"normalised once more":   {sam, warped{before: each(func(_ int, x float32) float32 { return x / 255 })}, warped{}, "normalised twice, the second time by its own graph: a division by 255"},
		"an upside-down picture": {sam, warped{before: flipped}, warped{}, "picture looks upside-down"},
		"masks inside out":       {sam, warped{}, warped{after: only("low_res_masks", each(func(_ int, x float32) float32 { return -x }))}, "inside out"},
		"negated scores":         {sam, warped{}, warped{after: only("iou_predictions", each(func(_ int, x float32) float32 { return -x }))}, "predicted IoUs look negated"},
		"another resize rule":    {raw, warped{before: stretch}, warped{}, "resize rule looks like another"},
	} {
		err := examined(t, c.files, c.encoder, c.decoder)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// defaultFiles are the default model's, its weights changed.
func defaultFiles(change func([]byte)) []inference.File {
	e, d := models.Encoder(), models.Decoder()
	if change != nil {
		e, d = inferencetest.Weights(e, change), inferencetest.Weights(d, change)
	}
	return []inference.File{{Name: "encoder", Data: e}, {Name: "decoder", Data: d}}
}

// TestBrokenWeightsAreRefused: the default model with its own numbers lost is refused before it is used.
func TestBrokenWeightsAreRefused(t *testing.T) {
	testkit.Long(t)
	r := rand.New(rand.NewPCG(5, 6))
	for name, c := range map[string]struct {
		change func([]byte)
		want   string
	}{
		"zeros": {func(b []byte) { clear(b) }, "zero"},
		"shuffled": {func(b []byte) {
			r.Shuffle(len(b)/4, func(i, j int) {
				var x [4]byte
				copy(x[:], b[4*i:])
				copy(b[4*i:4*i+4], b[4*j:4*j+4])
				copy(b[4*j:4*j+4], x[:])
			})
		}, "shuffled"},
		"no numbers": {func(b []byte) {
			for i := range b {
				b[i] = 0xff
			}
		}, "not numbers"},
	} {
		s, err := inference.Open(testRuntime(t).Loader(SessionOptions{}), "", inference.Options{}, defaultFiles(c.change)...)
		if err != nil {
			t.Fatal(err)
		}
		err = known.Prove(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err := errors.Join(s.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestAHastyRefusalLeavesOpenWhatIsWrong: before a model is used it is not asked in other ways, so a picture upside-down looks like anything.
func TestAHastyRefusalLeavesOpenWhatIsWrong(t *testing.T) {
	files := defaultFiles(nil)
	rows := inferencetest.Op{Type: "Slice", Indices: [][]int64{{-1}, {math.MinInt64}, {2}, {-1}}}
	files[0].Data = inferencetest.Before(files[0].Data, "image", rows)
	s, err := inference.Open(testRuntime(t).Loader(SessionOptions{}), "", inference.Options{}, files...)
	if err != nil {
		t.Fatal(err)
	}
	if err := known.Prove(t.Context(), s); err == nil || !strings.Contains(err.Error(), "segedge models check says which") {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestAModelThatBelievesNothingIsRefusedBeforeItIsUsed: its masks are right, but which of them is the best it says the wrong way round.
func TestAModelThatBelievesNothingIsRefusedBeforeItIsUsed(t *testing.T) {
	files := defaultFiles(nil)
	files[1].Data = inferencetest.After(files[1].Data, "iou_predictions", inferencetest.Op{Type: "Neg"})
	s, err := inference.Open(testRuntime(t).Loader(SessionOptions{}), "", inference.Options{}, files...)
	if err != nil {
		t.Fatal(err)
	}
	if err := known.Prove(t.Context(), s); err == nil || !strings.Contains(err.Error(), "predicted IoUs look negated") {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
