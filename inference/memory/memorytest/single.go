package memorytest

import (
	"slices"

	"github.com/segedge/segedge/inference"
)

func single() inference.File {
	return file(Single, []string{
		"image", "mask_memory", "obj_ptr_memory", "original_size", "permutation", "bbox_coords", "point_coords", "point_labels",
	}, []string{"high_res_masks", "object_score_logits", "maskmem_features", "maskmem_pos_enc", "obj_ptr_features"})
}

// all is the one graph: those that are known first, then those by points, then those by boxes; the last row of each is a dummy.
func all(in []inference.Tensor) []inference.Tensor {
	seen := encode(in)
	size, n := of(in, "original_size").Int32, int(of(in, "permutation").Shape[0])
	labels, points, boxes := of(in, "point_labels"), of(in, "point_coords").Float32, of(in, "bbox_coords")
	byPoints, byBoxes := int(labels.Shape[0])-1, int(boxes.Shape[0])-1
	known := n - byPoints - byBoxes
	const k = 5
	coords, said := make([]float32, 2*k*n), slices.Repeat([]float32{-1}, k*n)
	full := func(v float32) float32 { return (v+0.125)*4 - 0.5 } // of the model's own picture, as the four graphs take it
	for o := known; o < known+byPoints; o++ {
		for i := range k {
			said[o*k+i] = float32(labels.Int32[(o-known)*k+i])
			coords[2*(o*k+i)], coords[2*(o*k+i)+1] = full(points[2*((o-known)*k+i)]), full(points[2*((o-known)*k+i)+1])
		}
	}
	for o := known + byPoints; o < n; o++ {
		for i, v := range boxes.Float32[4*(o-known-byPoints):][:4] {
			coords[2*o*k+i] = full(v)
		}
		said[o*k], said[o*k+1] = 2, 3
	}
	shown := of(in, "mask_memory").Float32
	memories := tensor("memory_1", int64(n), 2, 64, cells, cells)
	for o := range n {
		for f := range 2 { // between them are their places
			copy(memories.Float32[(2*o+f)*64*cells*cells:][:64*cells*cells], shown[(4*o+2*f)*64*cells*cells:])
		}
	}
	decoded := decode([]inference.Tensor{
		{Name: "point_coords", Float32: coords},
		{Name: "point_labels", Shape: []int64{int64(n), k}, Float32: said},
		attend([]inference.Tensor{memories})[0],
		{Name: "high_res_feats_0", Float32: of(seen, "high_res_feat0").Float32},
	})
	mask := tensor("high_res_masks", int64(n), 1, int64(size[0]), int64(size[1]))
	for o := range n {
		for i := range int(size[0] * size[1]) {
			x, y := i%int(size[1]), i/int(size[1])
			mask.Float32[o*int(size[0]*size[1])+i] = of(decoded, "pred_mask").Float32[o*low*low+y*low+x]
		}
	}
	made := remember(decoded)
	made[0].Shape = []int64{int64(n), 64, cells, cells}
	score, pointer := of(decoded, "occ_logit"), of(decoded, "obj_ptr")
	score.Name, pointer.Name = "object_score_logits", "obj_ptr_features"
	return []inference.Tensor{mask, score, pointer, made[0], tensor("maskmem_pos_enc", int64(n), 64, cells, cells)}
}
