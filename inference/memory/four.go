package memory

import (
	"context"
	"fmt"
	"slices"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// four is the layout of an image encoder, a memory attention, a mask decoder and a memory encoder. All but the first are batched over
// objects.
//
// Its decoder has no mask input, and answers with the mask that it believes most, also where upstream's predictor would take the single
// mask.
type four struct {
	encoder, attention, decoder, memory inference.Graph
	side                                int
	timed                               bool
}

func newFour(g []inference.Graph, r *Recognised) graphs {
	return &four{encoder: g[0], attention: g[1], decoder: g[2], memory: g[3], side: r.Side, timed: r.Timed}
}

func (m *four) supports(*seg.Prompt) error { return nil }

func (m *four) see(ctx context.Context, in *picture) (func(), error) {
	seen, release, err := m.encoder.Run(ctx, []inference.Tensor{*in.tensor})
	in.seen = seen
	return release, err
}

func (m *four) answer(ctx context.Context, w *work, in *picture, qs []*question) error {
	for _, g := range groups(qs) {
		if err := m.answerGroup(ctx, w, in, g); err != nil {
			return err
		}
	}
	return nil
}

// maxGroup bounds the objects of a call: attention is shown some 20 MiB of each at 1024 pixels.
const maxGroup = 8

// groups are the questions that share a call: nobody said anything, and as much is remembered, of the same age. A prompt has a call of its
// own.
func groups(qs []*question) [][]*question {
	var out [][]*question
	for _, q := range qs {
		i := slices.IndexFunc(out, func(g []*question) bool {
			return q.prompt == nil && g[0].prompt == nil && len(g) < maxGroup && alike(&q.memory, &g[0].memory)
		})
		if i < 0 {
			out = append(out, []*question{q})
		} else {
			out[i] = append(out[i], q)
		}
	}
	return out
}

func alike(a, b *choice) bool {
	return len(a.spatial) == len(b.spatial) && len(a.pointers) == len(b.pointers) && a.age == b.age
}

// answerGroup asks for one group: attention, where there is something to remember, the decoder, and the memory encoder.
func (m *four) answerGroup(ctx context.Context, w *work, in *picture, g []*question) error {
	seen := in.seen
	image, err := output(seen, "vision_feats")
	if err != nil {
		return err
	}
	embed := []inference.Tensor{*image}
	if g[0].remembers() {
		var release func()
		if embed, release, err = m.attention.Run(ctx, m.attend(w, seen, g)); err != nil {
			return err
		}
		defer release()
	}
	points, labels := m.points(w, in, g)
	inputs := append([]inference.Tensor{points, labels}, named(embed, "vision_feats", "image_embed")...)
	inputs = append(append(inputs, named(seen, "high_res_feat0", "high_res_feats_0")...), named(seen, "high_res_feat1", "high_res_feats_1")...)
	decoded, release, err := m.decoder.Run(ctx, inputs)
	if err != nil {
		return err
	}
	defer release()
	if err := m.read(in, decoded, g); err != nil || w.plain {
		return err
	}
	remembered, release, err := m.memory.Run(ctx, append(slices.Clip(decoded), named(seen, "pix_feat", "pix_feat")...))
	if err != nil {
		return err
	}
	defer release()
	return remember(w, decoded, remembered, g)
}

// named are the tensors of one name under another.
func named(ts []inference.Tensor, from, to string) []inference.Tensor {
	var out []inference.Tensor
	for _, t := range ts {
		if t.Name == from || t.Name == to {
			t.Name = to
			out = append(out, t)
		}
	}
	return out
}

// points are the prompts in the model's frame, where the decoder adds half a pixel by itself. Who is not asked about has one point labelled
// −1.
func (m *four) points(w *work, in *picture, g []*question) (points, labels inference.Tensor) {
	n := 1
	if p := g[0].prompt; p != nil {
		n = len(placesOf(p))
	}
	s := w.space
	s.points, s.labels = sized(s.points, 2*n*len(g)), sized(s.labels, n*len(g))
	clear(s.points)
	for i := range s.labels {
		s.labels[i] = -1
	}
	if p := g[0].prompt; p != nil {
		for i, c := range placesOf(p) {
			s.points[2*i] = float32(c.X*float64(in.placed.Width) - 0.5)
			s.points[2*i+1] = float32(c.Y*float64(in.placed.Height) - 0.5)
			s.labels[i] = float32(c.Label)
		}
	}
	count := int64(len(g))
	return inference.Tensor{Name: "point_coords", Shape: []int64{count, int64(n), 2}, Float32: s.points},
		inference.Tensor{Name: "point_labels", Shape: []int64{count, int64(n)}, Float32: s.labels}
}

// placesOf are a prompt's points: a box is two, labelled 2 and 3, and comes first (sam2_video_predictor.py, add_new_points_or_box).
func placesOf(p *seg.Prompt) []seg.Click {
	var out []seg.Click
	if b := p.Box; b != nil {
		out = append(out, seg.Click{Point: seg.Point{X: b.X0, Y: b.Y0}, Label: 2}, seg.Click{Point: seg.Point{X: b.X1, Y: b.Y1}, Label: 3})
	}
	return append(out, p.Clicks...)
}

// attend are the inputs of the memory attention.
func (m *four) attend(w *work, seen []inference.Tensor, g []*question) []inference.Tensor {
	s, c := w.space, &w.code
	count, k, n := len(g), len(g[0].memory.spatial), len(g[0].memory.pointers)
	s.spatial, s.place, s.pointers = s.spatial[:0], s.place[:0], s.pointers[:0]
	width := len(c.Times) / (recent + 1)
	for _, q := range g {
		for _, v := range q.memory.spatial {
			s.spatial = append(s.spatial, v.features...)
			s.place = c.placed(s.place, v.age, width)
		}
		for _, p := range q.memory.pointers {
			s.pointers = append(s.pointers, p...)
			s.place = append(s.place, make([]float32, len(p))...) // the graph places pointers by itself, or not at all
		}
	}
	batch := func(name string, data []float32, dims ...int64) inference.Tensor {
		return inference.Tensor{Name: name, Shape: append([]int64{int64(count)}, dims...), Float32: data}
	}
	in := []inference.Tensor{
		batch("memory_0", s.pointers, int64(n), int64(len(g[0].memory.pointers[0]))),
		batch("memory_1", s.spatial, append([]int64{int64(k)}, c.Shape...)...),
		batch("memory_pos_embed", s.place, int64(len(s.place)/count/width), int64(width)),
	}
	if m.timed {
		s.age[0] = g[0].memory.age
		in = append(in, inference.Tensor{Name: "cond_frame_id_diff", Shape: []int64{}, Float32: s.age[:]})
	}
	in = append(in, named(seen, "vision_feats", "current_vision_feat")...)
	return append(in, named(seen, "vision_pos_embed", "current_vision_pos_embed")...)
}

// placed appends the position code of a memory of this age.
func (c *code) placed(to []float32, age, width int) []float32 {
	times := c.Times[age*width:][:width]
	for i := 0; i < len(c.Place); i += width {
		for k, v := range c.Place[i:][:width] {
			to = append(to, v+times[k])
		}
	}
	return to
}

// read takes the group's answers out of what the decoder gave.
func (m *four) read(in *picture, decoded []inference.Tensor, g []*question) error {
	rows, ts, err := rowsOf(decoded, len(g), "pred_mask", "iou", "occ_logit")
	if err != nil {
		return err
	}
	mask := ts[0].Shape
	for i, q := range g {
		q.seen = Seen{IoU: float64(rows[i][1][0]), Occlusion: float64(rows[i][2][0]), Logits: &seg.Logits{
			W: int(mask[len(mask)-1]), H: int(mask[len(mask)-2]), Extent: in.placed.Extent, Data: slices.Clone(rows[i][0]),
		}}
	}
	return nil
}

// remember takes what is remembered of the group out of what the decoder and the memory encoder gave.
func remember(w *work, decoded, remembered []inference.Tensor, g []*question) error {
	pointers, _, err := rowsOf(decoded, len(g), "obj_ptr")
	if err != nil {
		return err
	}
	features, ts, err := rowsOf(remembered, len(g), "maskmem_features")
	if err != nil {
		return err
	}
	if err := w.code.learn(remembered, ts[0], len(g)); err != nil {
		return err
	}
	for i, q := range g {
		q.made = record{Pointer: slices.Clone(pointers[i][0]), Features: slices.Clone(features[i][0])}
	}
	return nil
}

// learn takes over what places memories, the first time.
func (c *code) learn(remembered []inference.Tensor, features *inference.Tensor, n int) error {
	if c.Shape != nil {
		return nil
	}
	place, err := output(remembered, "maskmem_pos_enc")
	if err != nil {
		return err
	}
	first, err := row(place, 0, n)
	if err != nil {
		return err
	}
	times, err := output(remembered, "temporal_code")
	if err != nil {
		return err
	}
	width := len(times.Float32) / (recent + 1)
	tokens := len(features.Float32) / n / max(width, 1)
	if len(times.Float32) != width*(recent+1) || len(first) != tokens*width || width == 0 {
		return fmt.Errorf("temporal_code %v and maskmem_pos_enc %v do not fit memories of %v", times.Shape, place.Shape, features.Shape)
	}
	c.Shape, c.Place, c.Times = slices.Clone(features.Shape[1:]), slices.Clone(first), slices.Clone(times.Float32)
	return nil
}
