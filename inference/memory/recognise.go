package memory

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/segedge/segedge/inference"
)

// ErrUnknown is a set of files that is no known video model.
var ErrUnknown = errors.New("no known layout of a video model")

// layout is how a published export parts a video model into graphs.
type layout struct {
	name, title string
	graphs      []part
	image       inference.ImageRule
	make        func(loaded []inference.Graph, r *Recognised) graphs
}

// part is one graph of a layout: what it takes and gives at least.
type part struct {
	role            string
	inputs, outputs []string
}

// layouts are the exports that are known: NVIDIA's for DeepStream (sam2-onnx-tensorrt/export_sam2_onnx.py), which EdgeTAM fits too, and
// that of Isaac ROS (isaac_ros_segment_anything2/scripts/sam2_onnx_exporter.py).
func layouts() []layout {
	rule := inference.ImageRule{
		Input: "image", Rank: 4, Side: 1024, Fit: inference.FitSquash, Resample: inference.Bicubic, // as upstream reads a video's frames
		Mean: [3]float32{123.675, 116.28, 103.53}, Std: [3]float32{58.395, 57.12, 57.375},
	}
	boxed := rule
	boxed.Fit, boxed.Resample = inference.FitPad, inference.Pillow
	for i := range boxed.Pad {
		boxed.Pad[i] = -boxed.Mean[i] / boxed.Std[i] // it pads with black before it normalises
	}
	return []layout{
		{"sam2-video", "SAM 2, SAM 2.1 or EdgeTAM for videos, in four graphs", []part{
			{"image encoder", []string{"image"}, []string{"pix_feat", "high_res_feat0", "high_res_feat1", "vision_feats", "vision_pos_embed"}},
			{
				"memory attention",
				[]string{"current_vision_feat", "current_vision_pos_embed", "memory_0", "memory_1", "memory_pos_embed"},
				[]string{"image_embed"},
			},
			{
				"mask decoder",
				[]string{"point_coords", "point_labels", "image_embed", "high_res_feats_0", "high_res_feats_1"},
				[]string{"obj_ptr", "mask_for_mem", "pred_mask", "iou", "occ_logit"},
			},
			// SAM 2.1's takes occ_logit too; EdgeTAM's has no use for it, and its export drops what is not used.
			{"memory encoder", []string{"mask_for_mem", "pix_feat"}, []string{"maskmem_features", "maskmem_pos_enc", "temporal_code"}},
		}, rule, newFour},
		{"sam2-video-single", "SAM 2.1 for videos in one graph, as Isaac ROS exports it", []part{
			{
				"image encoder, memory and decoder",
				[]string{
					"image", "mask_memory", "obj_ptr_memory", "original_size", "permutation",
					"bbox_coords", "point_coords", "point_labels",
				},
				[]string{"high_res_masks", "object_score_logits", "maskmem_features", "maskmem_pos_enc", "obj_ptr_features"},
			},
		}, boxed, newOne},
	}
}

// Recognised is a video model whose layout is known.
type Recognised struct {
	Name  string // of the layout: "sam2-video"
	Title string // for people
	Files []inference.File
	Roles []string // of the files, in their order
	Side  int      // of the picture, pixels
	Timed bool     // the model tells pointers apart by their age: SAM 2.1 does, EdgeTAM does not

	layout
}

// Recognise finds the layout of one or four files, in any order, by the names of their inputs and outputs.
func Recognise(files ...inference.File) (*Recognised, error) {
	contracts := make([]*inference.Contract, len(files))
	for i, f := range files {
		c, err := f.Contract()
		if err != nil {
			return nil, err
		}
		contracts[i] = c
	}
	var why []string
	for _, l := range layouts() {
		r, err := l.match(files, contracts)
		if err == nil {
			return r, nil
		}
		why = append(why, err.Error())
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknown, strings.Join(why, "; "))
}

func (l *layout) match(files []inference.File, contracts []*inference.Contract) (*Recognised, error) {
	if len(files) != len(l.graphs) {
		return nil, fmt.Errorf("%s has %d files, not %d", l.name, len(l.graphs), len(files))
	}
	r := &Recognised{Name: l.name, Title: l.title, layout: *l}
	for _, g := range l.graphs {
		i := slices.IndexFunc(contracts, g.fits)
		if i < 0 {
			return nil, fmt.Errorf("%s has a graph for the %s, which takes %s and gives %s, and none of the files does", l.name, g.role,
				strings.Join(g.inputs, ", "), strings.Join(g.outputs, ", "))
		}
		r.Files, r.Roles = append(r.Files, files[i]), append(r.Roles, g.role)
		r.Timed = r.Timed || has(contracts[i].Inputs, "cond_frame_id_diff")
		if err := r.measure(contracts[i].Inputs); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// measure takes over the size of the picture.
func (r *Recognised) measure(inputs []inference.Port) error {
	i := slices.IndexFunc(inputs, func(p inference.Port) bool { return p.Name == "image" })
	if i < 0 {
		return nil
	}
	s := inputs[i].Shape
	if len(s) != 4 || s[2] != s[3] || s[2] <= 0 || s[2] > 4096 || s[2]%16 != 0 || inputs[i].Type != "float32" {
		return fmt.Errorf("%s takes a square picture of float32 with sides of a fixed multiple of 16, at most 4096, not %s", r.Name, inputs[i])
	}
	r.Side, r.image.Side = int(s[2]), int(s[2])
	return nil
}

func (g *part) fits(c *inference.Contract) bool {
	for _, n := range g.inputs {
		if !has(c.Inputs, n) {
			return false
		}
	}
	for _, n := range g.outputs {
		if !has(c.Outputs, n) {
			return false
		}
	}
	return true
}

func has(ports []inference.Port, name string) bool {
	return slices.ContainsFunc(ports, func(p inference.Port) bool { return p.Name == name })
}
