// Package memorytest is a video model for tests, in the four graphs of SAM 2's export but in pure Go, exact and at once: what is tracked is
// the red within three cells of 16 pixels of where it was in any frame that is remembered, what is asked about is the red near a click or
// in a box, and there is an object where anything of it is seen. The fixture sam2-video computes the same. It is to be had in one graph
// too, as Isaac ROS exports it. It counts what it is asked and what is given back. It is no model for people; no product code imports it.
package memorytest

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/memory"
)

// Side of the picture that the model sees, pixels, and the sides of its maps, cells.
const (
	Side  = 256
	low   = Side / 4
	cells = Side / 16
	reach = 3 // cells about a memory or a click
)

// Graphs are the model's graphs, and what was asked of them.
type Graphs struct {
	// Hold is called before each call of a graph, with its role; it may block, and its error fails the call. May be nil.
	Hold func(ctx context.Context, role string) error

	mu    sync.Mutex
	blind bool
	calls []Call
	lent  int
	open  int
}

// Call is one call of a graph.
type Call struct {
	Role    string // Encoder, Attention, Decoder, Memory or Single
	Objects int
	Prompt  bool // the decoder was asked about points
	Shown   int  // the attention: frames of each object
}

// The roles of the graphs.
const (
	Encoder   = "image encoder"
	Attention = "memory attention"
	Decoder   = "mask decoder"
	Memory    = "memory encoder"
	Single    = "one graph"
)

// Model makes a model of the four graphs.
func (g *Graphs) Model(name string) (*memory.Model, error) { return g.made(name, contracts()...) }

// SingleModel makes a model of the one graph.
func (g *Graphs) SingleModel(name string) (*memory.Model, error) { return g.made(name, single()) }

func (g *Graphs) made(name string, files ...inference.File) (*memory.Model, error) {
	m, err := memory.Open(g.load, files...)
	if err != nil {
		return nil, err
	}
	m.Tell(inference.Options{Name: name, Provider: inference.CPU})
	return m, nil
}

// Blind has the model say of everything that it is not in the picture, whatever its mask.
func (g *Graphs) Blind(yes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.blind = yes
}

// Calls are the calls so far of one role.
func (g *Graphs) Calls(role string) []Call {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(g.calls), func(c Call) bool { return c.Role != role })
}

// Left are the graphs that are open, and the answers that were not given back.
func (g *Graphs) Left() (graphs, answers int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open, g.lent
}

// file is a graph of these inputs, of which the picture has its size, and outputs.
func file(role string, in, out []string) inference.File {
	c := &inference.Contract{}
	for _, n := range in {
		p := inference.Port{Name: n, Type: "float32"}
		if n == "image" {
			p.Shape = []int64{1, 3, Side, Side}
		}
		c.Inputs = append(c.Inputs, p)
	}
	for _, n := range out {
		c.Outputs = append(c.Outputs, inference.Port{Name: n, Type: "float32"})
	}
	return inference.File{Name: role, Says: c}
}

func contracts() []inference.File {
	return []inference.File{
		file(Encoder, []string{"image"}, []string{"pix_feat", "high_res_feat0", "high_res_feat1", "vision_feats", "vision_pos_embed"}),
		file(Attention, []string{
			"current_vision_feat", "current_vision_pos_embed", "memory_0", "memory_1", "memory_pos_embed", "cond_frame_id_diff",
		}, []string{"image_embed"}),
		file(Decoder, []string{"point_coords", "point_labels", "image_embed", "high_res_feats_0", "high_res_feats_1"},
			[]string{"obj_ptr", "mask_for_mem", "pred_mask", "iou", "occ_logit"}),
		file(Memory, []string{"mask_for_mem", "pix_feat", "occ_logit"}, []string{"maskmem_features", "maskmem_pos_enc", "temporal_code"}),
	}
}

func (g *Graphs) load(f inference.File, _ []string) (inference.Graph, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open++
	return &graph{g, f.Name}, nil
}

type graph struct {
	of   *Graphs
	role string
}

func (g *graph) Inputs() []inference.Port  { return nil }
func (g *graph) Outputs() []inference.Port { return nil }

func (g *graph) Close() error {
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	g.of.open--
	return nil
}

func (g *graph) Run(ctx context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	if g.of.Hold != nil {
		if err := g.of.Hold(ctx, g.role); err != nil {
			return nil, nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	c := Call{Role: g.role, Objects: 1}
	var out []inference.Tensor
	switch g.role {
	case Encoder:
		out = encode(in)
	case Attention:
		c.Objects, c.Shown = int(of(in, "memory_1").Shape[0]), int(of(in, "memory_1").Shape[1])
		out = attend(in)
	case Decoder:
		c.Objects = int(of(in, "point_labels").Shape[0])
		c.Prompt = slices.ContainsFunc(of(in, "point_labels").Float32, func(v float32) bool { return v >= 0 })
		out = decode(in)
	case Single:
		c.Objects = int(of(in, "permutation").Shape[0])
		c.Prompt = of(in, "point_labels").Shape[0]+of(in, "bbox_coords").Shape[0] > 2
		out = all(in)
	default:
		c.Objects = int(of(in, "mask_for_mem").Shape[0])
		out = remember(in)
	}
	g.of.mu.Lock()
	defer g.of.mu.Unlock()
	for _, t := range out {
		for i := range t.Float32 {
			if g.of.blind && (t.Name == "occ_logit" || t.Name == "object_score_logits") {
				t.Float32[i] = -3
			}
		}
	}
	g.of.calls = append(g.of.calls, c)
	g.of.lent++
	return out, func() {
		g.of.mu.Lock()
		defer g.of.mu.Unlock()
		g.of.lent--
	}, nil
}

func of(ts []inference.Tensor, name string) inference.Tensor {
	return ts[slices.IndexFunc(ts, func(t inference.Tensor) bool { return t.Name == name })]
}

func tensor(name string, shape ...int64) inference.Tensor {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return inference.Tensor{Name: name, Shape: shape, Float32: make([]float32, n)}
}

// encode reduces the picture; the colours, 0..1, are the first three channels of each map.
func encode(in []inference.Tensor) []inference.Tensor {
	image := of(in, "image").Float32
	mean, std := [3]float32{123.675, 116.28, 103.53}, [3]float32{58.395, 57.12, 57.375}
	pool := func(name string, channels, side int64) inference.Tensor {
		t, step := tensor(name, 1, channels, side, side), int(Side/side)
		for c := range 3 {
			for i := range int(side * side) {
				y, x := i/int(side)*step+step/2, i%int(side)*step+step/2
				t.Float32[c*int(side*side)+i] = (image[c*Side*Side+y*Side+x]*std[c] + mean[c]) / 255
			}
		}
		return t
	}
	return []inference.Tensor{
		pool("pix_feat", 256, cells), pool("high_res_feat0", 32, low), pool("high_res_feat1", 64, Side/8), pool("vision_feats", 256, cells),
		tensor("vision_pos_embed", cells*cells, 1, 256),
	}
}

// attend marks, in the first channel, the cells near any memory; the mark of cell i is 1.
func attend(in []inference.Tensor) []inference.Tensor {
	m := of(in, "memory_1")
	n, frames := int(m.Shape[0]), int(m.Shape[1])
	out := tensor("image_embed", int64(n), 256, cells, cells)
	for o := range n {
		for k := range frames {
			was := m.Float32[(o*frames+k)*64*cells*cells:][:cells*cells]
			for i, v := range was {
				if v > 0.25 {
					mark(out.Float32[o*256*cells*cells:][:cells*cells], cells, i%cells-reach, i/cells-reach, i%cells+reach, i/cells+reach)
				}
			}
		}
	}
	return []inference.Tensor{out}
}

func mark(on []float32, side, x0, y0, x1, y1 int) {
	for y := max(y0, 0); y <= min(y1, side-1); y++ {
		for x := max(x0, 0); x <= min(x1, side-1); x++ {
			on[y*side+x] = 1
		}
	}
}

// decode answers the red that is marked: about a click or in a box, where somebody asks, else near what is remembered.
func decode(in []inference.Tensor) []inference.Tensor {
	points, labels, colours := of(in, "point_coords").Float32, of(in, "point_labels"), of(in, "high_res_feats_0").Float32
	n, k := int(labels.Shape[0]), int(labels.Shape[1])
	embed := of(in, "image_embed").Float32
	rows := int64(n)
	pointer, high, mask := tensor("obj_ptr", rows, 256), tensor("mask_for_mem", rows, 1, Side, Side), tensor("pred_mask", rows, 1, low, low)
	iou, there := tensor("iou", rows, 1), tensor("occ_logit", rows, 1)
	for o := range n {
		on := wanted(points[2*o*k:][:2*k], labels.Float32[o*k:][:k], embed[o%max(len(embed)/(256*cells*cells), 1)*256*cells*cells:])
		most, m := float32(-8), mask.Float32[o*low*low:][:low*low]
		for i := range m {
			r, g, b := colours[i], colours[low*low+i], colours[2*low*low+i]
			if m[i] = -8; on[i] > 0 {
				m[i] = min(max((r-max(g, b)-0.2)*40, -8), 8)
			}
			most = max(most, m[i])
		}
		for i := range Side * Side {
			v := m[i/Side/4*low+i%Side/4]
			high.Float32[o*Side*Side+i] = 20/(1+float32(math.Exp(-float64(v)))) - 10
		}
		iou.Float32[o], there.Float32[o], pointer.Float32[o*256] = 0.9, most, most
	}
	return []inference.Tensor{pointer, high, mask, iou, there}
}

// wanted are the cells of the mask that may be the object's.
func wanted(points, labels, near []float32) []float32 {
	on := make([]float32, low*low)
	var box []int
	said := false
	for i, l := range labels {
		x, y := int(points[2*i]+0.5)/4, int(points[2*i+1]+0.5)/4
		switch {
		case l == 1:
			said = true
			mark(on, low, x-4*reach, y-4*reach, x+4*reach, y+4*reach)
		case l >= 2:
			said = true
			box = append(box, x, y)
		}
	}
	switch {
	case len(box) == 4:
		clear(on)
		mark(on, low, box[0], box[1], box[2], box[3])
	case !said:
		for i := range on {
			on[i] = near[i/low/4*cells+i%low/4]
		}
	}
	return on
}

// remember keeps the share of each cell that is the object's, in the first channel.
func remember(in []inference.Tensor) []inference.Tensor {
	given := of(in, "mask_for_mem")
	n := int(given.Shape[0])
	out := tensor("maskmem_features", int64(n), 64, cells, cells)
	for o := range n {
		for i := range Side * Side {
			v := (given.Float32[o*Side*Side+i] + 10) / 20
			out.Float32[o*64*cells*cells+i/Side/16*cells+i%Side/16] += v / 256
		}
	}
	return []inference.Tensor{out, tensor("maskmem_pos_enc", int64(n), cells*cells, 64), tensor("temporal_code", 7, 1, 1, 64)}
}
