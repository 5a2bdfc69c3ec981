package memory

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// The fakes have the published signature at 64 pixels: 16 tokens of 64 numbers a memory, unless it is EdgeTAM's kind, of 8 tokens. What they
// answer can be read back: memory m of a run is filled with m, its pointer too, the position of token i is i/100, that of age a is a+1.
const (
	fakeSide  = 64
	fakeCells = fakeSide / 16
)

// fakeModel counts what is asked of its graphs.
type fakeModel struct {
	timed    bool
	shape    []int64 // of a memory
	made     float32
	occluded bool
	fail     string // the graph that fails
	asked    map[string][][]inference.Tensor
}

func newFake(timed bool) *fakeModel {
	f := &fakeModel{timed: timed, shape: []int64{64, fakeCells, fakeCells}, asked: map[string][][]inference.Tensor{}}
	if !timed {
		f.shape = []int64{8, 64}
	}
	return f
}

func port(name string, shape ...int64) inference.Port {
	return inference.Port{Name: name, Type: "float32", Shape: shape}
}

// files are the layout's contracts, without files.
func (f *fakeModel) files(name string) []inference.File {
	var out []inference.File
	for _, l := range layouts() {
		if l.name != name {
			continue
		}
		for _, g := range l.graphs {
			c := &inference.Contract{}
			for _, n := range g.inputs {
				c.Inputs = append(c.Inputs, port(n))
			}
			for _, n := range g.outputs {
				c.Outputs = append(c.Outputs, port(n))
			}
			if has(c.Inputs, "image") {
				c.Inputs[slices.Index(g.inputs, "image")].Shape = []int64{1, 3, fakeSide, fakeSide}
			}
			if f.timed && g.role == "memory attention" {
				c.Inputs = append(c.Inputs, port("cond_frame_id_diff"))
			}
			out = append(out, inference.File{Name: g.role, Says: c})
		}
	}
	return out
}

func (f *fakeModel) open(t *testing.T, name string) *Model {
	t.Helper()
	files := f.files(name)
	slices.Reverse(files) // in any order
	m, err := Open(func(file inference.File, _ []string) (inference.Graph, error) { return &fakeGraph{f, file.Name}, nil }, files...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

type fakeGraph struct {
	model *fakeModel
	role  string
}

func (g *fakeGraph) Inputs() []inference.Port  { return nil }
func (g *fakeGraph) Outputs() []inference.Port { return nil }
func (g *fakeGraph) Close() error              { return nil }

func (g *fakeGraph) Run(_ context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	f := g.model
	if f.fail == g.role {
		return nil, nil, errors.New("out of memory")
	}
	var kept []inference.Tensor
	for _, t := range in {
		t.Float32 = slices.Clone(t.Float32)
		kept = append(kept, t)
	}
	f.asked[g.role] = append(f.asked[g.role], kept)
	switch g.role {
	case "image encoder":
		return tensors(tensor("pix_feat", 0, 1, 256, 4, 4), tensor("high_res_feat0", 0, 1, 32, 16, 16), tensor("high_res_feat1", 0, 1, 64, 8, 8),
			tensor("vision_feats", 0, 1, 256, 4, 4), tensor("vision_pos_embed", 0, 16, 1, 256))
	case "memory attention":
		return tensors(tensor("image_embed", 0, of(in, "memory_0").Shape[0], 256, 4, 4))
	case "mask decoder":
		n := of(in, "point_coords").Shape[0]
		return tensors(tensor("obj_ptr", f.made+1, n, 256), tensor("mask_for_mem", 0, n, 1, 64, 64), tensor("pred_mask", 1, n, 1, 16, 16),
			tensor("iou", 0.75, n, 1), tensor("occ_logit", f.score(), n, 1))
	case "memory encoder":
		f.made++
		place, times := tensor("maskmem_pos_enc", 0, 1, f.tokens(), 64), tensor("temporal_code", 0, 7, 1, 1, 64)
		for i := range place.Float32 {
			place.Float32[i] = float32(i/64) / 100
		}
		for i := range times.Float32 {
			times.Float32[i] = float32(i/64 + 1)
		}
		n := of(in, "occ_logit").Shape[0]
		place.Shape[0] = n
		place.Float32 = slices.Repeat(place.Float32, int(n))
		return tensors(tensor("maskmem_features", f.made, append([]int64{n}, f.shape...)...), place, times)
	}
	f.made++
	n := of(in, "permutation").Shape[0]
	return tensors(tensor("high_res_masks", 1, n, 1, 12, 16), tensor("object_score_logits", f.score(), n, 1),
		tensor("maskmem_features", f.made, append([]int64{n}, f.shape...)...), tensor("maskmem_pos_enc", 0.5, append([]int64{n}, f.shape...)...),
		tensor("obj_ptr_features", f.made, n, 256))
}

func (f *fakeModel) score() float32 {
	if f.occluded {
		return -3
	}
	return 3
}

func (f *fakeModel) tokens() int64 {
	n := int64(1)
	for _, d := range f.shape {
		n *= d
	}
	return n / 64
}

func tensors(ts ...inference.Tensor) ([]inference.Tensor, func(), error) { return ts, func() {}, nil }

func tensor(name string, value float32, shape ...int64) inference.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return inference.Tensor{Name: name, Shape: shape, Float32: slices.Repeat([]float32{value}, int(n))}
}

func of(ts []inference.Tensor, name string) inference.Tensor {
	i := slices.IndexFunc(ts, func(t inference.Tensor) bool { return t.Name == name })
	return ts[i]
}

var someFrame = frame.New(64, 48)

func click(x, y float64) seg.Prompt {
	return seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: x, Y: y}, Label: seg.Positive}}}
}

// ask is a prompt for one object.
func ask(id int64, p seg.Prompt) map[int64]seg.Prompt { return map[int64]seg.Prompt{id: p} }

func step(t *testing.T, b *Bank, asked map[int64]seg.Prompt) []Seen {
	t.Helper()
	out, err := b.Step(t.Context(), someFrame, asked)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
