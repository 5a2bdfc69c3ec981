package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// one is the layout of a single graph. It is shown the newest conditioning frame and the last frame of each object, and takes a prompt
// about a known object for a new object. Objects that are known come first, then those asked about by points, then those by boxes; the last
// row of prompts is a dummy (SAM2Wrapper, SAM2StateManager).
type one struct {
	graph inference.Graph
	side  int
}

func newOne(g []inference.Graph, r *Recognised) graphs { return &one{graph: g[0], side: r.Side} }

// maxPoints of one object, fixed in the graph.
const maxPoints = 5

func (m *one) supports(p *seg.Prompt) error {
	kind := ""
	switch {
	case p.Box != nil && len(p.Clicks) > 0:
		kind = "box together with points"
	case len(p.Clicks) > maxPoints:
		kind = fmt.Sprintf("prompts of more than %d points, this one has %d", maxPoints, len(p.Clicks))
	default:
		return nil
	}
	return &inference.UnsupportedError{Family: "sam2-video-single", Kind: kind}
}

// reduced is by how much smaller than its input the graph is told the picture is: it answers at that size, and its own masks are a quarter.
const reduced = 4

// see has nothing to do: the encoder runs again in every call.
func (m *one) see(context.Context, *picture) (func(), error) { return func() {}, nil }

func (m *one) answer(ctx context.Context, w *work, in *picture, qs []*question) error {
	slices.SortStableFunc(qs, func(x, y *question) int { return place(x) - place(y) })
	width, height := max(in.placed.Width/reduced, 1), max(in.placed.Height/reduced, 1)
	inputs := append(m.remembered(w, qs), m.asked(w, qs, width, height)...)
	order := make([]int64, len(qs))
	for i := range order {
		order[i] = int64(i)
	}
	inputs = append(inputs, *in.tensor,
		inference.Tensor{Name: "original_size", Shape: []int64{2}, Int32: []int32{int32(height), int32(width)}},
		inference.Tensor{Name: "permutation", Shape: []int64{int64(len(qs))}, Int64: order})
	out, release, err := m.graph.Run(ctx, inputs)
	if err != nil {
		return err
	}
	defer release()
	return m.read(w, out, qs, seg.Point{
		X: float64(width*reduced) / float64(in.placed.Width), Y: float64(height*reduced) / float64(in.placed.Height),
	})
}

// place is where in the batch a question belongs: without a prompt, with points, with a box.
func place(q *question) int {
	switch {
	case q.prompt == nil:
		return 0
	case q.prompt.Box == nil:
		return 1
	}
	return 2
}

// remembered are the memories: conditioning features and their place, the last frame's and theirs; zeros for what is new.
func (m *one) remembered(w *work, qs []*question) []inference.Tensor {
	s, cells := w.space, int64(m.side/16)
	size, n := int(64*cells*cells), int64(len(qs))
	s.spatial, s.pointers = sized(s.spatial, 4*size*len(qs)), sized(s.pointers, 2*256*len(qs))
	clear(s.spatial)
	clear(s.pointers)
	for i, q := range qs {
		if q.prompt != nil || q.memory.last == nil {
			continue
		}
		for k, r := range []*record{q.memory.said, q.memory.last} {
			copy(s.spatial[(4*i+2*k)*size:][:size], r.Features)
			copy(s.spatial[(4*i+2*k+1)*size:][:size], w.code.Place)
			copy(s.pointers[(2*i+k)*256:][:256], r.Pointer)
		}
	}
	return []inference.Tensor{
		{Name: "mask_memory", Shape: []int64{n, 4, 64, cells, cells}, Float32: s.spatial},
		{Name: "obj_ptr_memory", Shape: []int64{n, 2, 256}, Float32: s.pointers},
	}
}

// asked are the prompts, on a picture of w×h. The decoder adds half a pixel of its input by itself.
func (m *one) asked(wk *work, qs []*question, w, h int) []inference.Tensor {
	s := wk.space
	s.points, s.labels = s.points[:0], s.labels[:0]
	var short []int32
	var boxes []float32
	const half = 0.5 / reduced
	for _, q := range qs {
		if q.prompt == nil {
			continue
		}
		if r := q.prompt.Box; r != nil {
			for _, v := range []float64{r.X0 * float64(w), r.Y0 * float64(h), r.X1 * float64(w), r.Y1 * float64(h)} {
				boxes = append(boxes, float32(v-half))
			}
			continue
		}
		for i := range maxPoints {
			if i >= len(q.prompt.Clicks) {
				s.points, short = append(s.points, 0, 0), append(short, -1)
				continue
			}
			c := q.prompt.Clicks[i]
			s.points = append(s.points, float32(c.X*float64(w)-half), float32(c.Y*float64(h)-half))
			short = append(short, int32(c.Label))
		}
	}
	s.points = append(s.points, make([]float32, 2*maxPoints)...) // the dummies
	short = append(short, -1, -1, -1, -1, -1)
	boxes = append(boxes, 0, 0, 0, 0)
	n := int64(len(short) / maxPoints)
	return []inference.Tensor{
		{Name: "point_coords", Shape: []int64{n, maxPoints, 2}, Float32: s.points},
		{Name: "point_labels", Shape: []int64{n, maxPoints}, Int32: short},
		{Name: "bbox_coords", Shape: []int64{int64(len(boxes) / 4), 4}, Float32: boxes},
	}
}

func (m *one) read(w *work, out []inference.Tensor, qs []*question, extent seg.Point) error {
	rows, ts, err := rowsOf(out, len(qs), "high_res_masks", "object_score_logits", "obj_ptr_features", "maskmem_features", "maskmem_pos_enc")
	if err != nil {
		return err
	}
	s := ts[0].Shape
	for i, q := range qs {
		r := rows[i]
		q.seen = Seen{Occlusion: float64(r[1][0]), Logits: &seg.Logits{
			W: int(s[len(s)-1]), H: int(s[len(s)-2]), Extent: extent, Data: slices.Clone(r[0]),
		}}
		if w.plain {
			continue
		}
		q.made = record{Pointer: slices.Clone(r[2]), Features: slices.Clone(r[3])}
		if w.code.Shape == nil {
			w.code = code{Shape: slices.Clone(ts[3].Shape[1:]), Place: slices.Clone(r[4])}
		}
	}
	return nil
}
