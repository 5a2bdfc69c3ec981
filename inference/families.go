package inference

// The published preprocessing constants, in units of 0..255, RGB.
var (
	imageNetMean = [3]float32{123.675, 116.28, 103.53}
	imageNetStd  = [3]float32{58.395, 57.12, 57.375}
)

// Families are the models that the engine knows, in the order in which a pair of graphs is tried against them.
func Families() []Family {
	return []Family{segedgeTiny(), sam()}
}

func segedgeTiny() Family {
	return Family{
		Name: "segedge", Title: "segedge tiny",
		Image: ImageRule{
			Input: "image", Rank: 4, Fit: FitGrid, Side: 320, Grid: 32, Resample: Fast, Pad: [3]float32{124, 116, 104},
			Embeds: map[string]string{"embed_8": "embed_8", "embed_4": "embed_4"},
		},
		Ask: PromptRule{
			Points: "point_coords", Labels: "point_labels", Mask: "mask_input", Has: "has_mask_input",
			Neutral: true, Batched: true, Kinds: Kinds{Points: true, Negatives: true, Box: true, Mask: true},
		},
		Reply: ReplyRule{Logits: "low_res_masks", Scores: "iou_predictions", Single: 0, Multi: [2]int{0, 4}},
		Half:  true,
	}
}

func sam() Family {
	return Family{
		Name: "sam", Title: "SAM, MobileSAM",
		Image: ImageRule{
			Rank: 4, Fit: FitPad, Side: 1024, Resample: Pillow, Mean: imageNetMean, Std: imageNetStd,
			Embeds: map[string]string{"image_embeddings": "image_embeddings"},
		},
		Ask: PromptRule{
			Points: "point_coords", Labels: "point_labels", Mask: "mask_input", Has: "has_mask_input", Size: "orig_im_size",
			Offset: -0.5, PadPoint: true, Kinds: Kinds{Points: true, Negatives: true, Box: true, Mask: true},
		},
		Reply: ReplyRule{Logits: "low_res_masks", Scores: "iou_predictions", Single: 0, Multi: [2]int{1, 3}},
	}
}

// grid is the size of a mask prompt for a picture.
func (f *Family) grid(g geometry) (w, h int) { return g.grid() }

// answer is the size that a decoder is told to answer at, where it asks: the points' own grid, or the picture at the
// size of the logits, so that the enlargement inside the graph, which nobody reads, costs the least.
func (f *Family) answer(g geometry) (w, h int) {
	if f.Ask.Frame > 0 {
		return f.Ask.Frame, f.Ask.Frame
	}
	return max(1, g.sw/stride), max(1, g.sh/stride)
}
