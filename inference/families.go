package inference

// Families are the models that the engine knows. Adding one is one entry here and one fixture (testdata/gen).
func Families() []Family {
	return []Family{
		segedgeTiny(), sam(), samRaw(), nanoSAM(), edgeSAM(), efficientSAM(), efficientSAMSingle(), sam2(), sam2Sized(),
	}
}

// segedgeTiny is the project's own model (training/model.py).
func segedgeTiny() Family {
	return Family{
		Name: "segedge", Title: "segedge tiny",
		Image: ImageRule{
			Input: "image", Rank: 4, Fit: FitGrid, Side: 448, Grid: 32, Resample: Fast, Pad: [3]float32{124, 116, 104},
			Embeds:  map[string]string{"embed_8": "embed_8", "embed_4": "embed_4"},
			Strides: map[string]int{"embed_8": 8, "embed_4": 4},
		},
		Ask: PromptRule{
			Points: "point_coords", Labels: "point_labels", Mask: "mask_input", Has: "has_mask_input",
			Neutral: true, Batched: true, Kinds: Kinds{Points: true, Negatives: true, Box: true, Mask: true},
			Window: WindowRule{Margin: 0.5, Least: 32, Most: 0.5, Call: 8000, Floor: -10},
		},
		Reply: ReplyRule{Logits: "low_res_masks", Scores: "iou_predictions", Single: 0, Multi: [2]int{0, 4}},
		Half:  true,
	}
}

// sam is Meta's decoder (segment_anything/utils/onnx.py) with an encoder of normalised squares. MobileSAM's is the same;
// its encoder gave wrong results in 16 bits (nanosam's README), so the family runs in 32.
func sam() Family {
	f := Family{
		Name: "sam", Title: "SAM, MobileSAM",
		Image: ImageRule{
			Rank: 4, Fit: FitPad, Side: 1024, Resample: Pillow,
			Embeds: map[string]string{"image_embeddings": "image_embeddings"},
		},
		Ask: PromptRule{
			Points: "point_coords", Labels: "point_labels", Mask: "mask_input", Has: "has_mask_input", Size: "orig_im_size",
			Square: 1024, Offset: -0.5, Grid: 256, PadPoint: true,
			Kinds: Kinds{Points: true, Negatives: true, Box: true, Mask: true},
		},
		Reply: ReplyRule{Logits: "low_res_masks", Scores: "iou_predictions", Single: 0, Multi: [2]int{1, 3}},
	}
	f.Image.Mean, f.Image.Std = imageNet()
	return f
}

// samRaw is SAM with samexporter's encoder that normalises and pads by itself (samexporter/export_encoder.py).
func samRaw() Family {
	f := sam()
	f.Name, f.Title = "sam-raw", "SAM with samexporter's encoder that takes any size"
	f.Image.Rank, f.Image.Fit = 3, FitLong
	f.Image.Mean, f.Image.Std = [3]float32{}, [3]float32{}
	return f
}

// nanoSAM is NVIDIA's (nanosam/utils/predictor.py): the shorter side truncated, no size, scores first.
func nanoSAM() Family {
	f := sam()
	f.Name, f.Title = "nanosam", "NanoSAM"
	f.Image.Truncate, f.Image.Resample = true, Bicubic // it names no filter, and that is Pillow's
	f.Ask.Size = ""
	f.Ask.MaxPoints = 10 // the profile that its engine is built with
	f.Half = true
	return f
}

// edgeSAM has no mask prompt (edge_sam/utils/coreml.py). Its licence is non-commercial: never a default.
func edgeSAM() Family {
	f := sam()
	f.Name, f.Title = "edgesam", "EdgeSAM"
	f.Ask.Size, f.Ask.Mask, f.Ask.Has, f.Ask.Kinds.Mask = "", "", "", false
	f.Reply.Logits, f.Reply.Scores = "masks", "scores"
	return f
}

// efficientSAM squashes and normalises by itself; its points are on the grid that orig_im_size names, and it adds half
// a pixel of the 1024 that it squashes to (efficient_sam/efficient_sam.py, get_rescaled_pts). Label 0 has no embedding.
func efficientSAM() Family {
	return Family{
		Name: "efficientsam", Title: "EfficientSAM",
		Image: ImageRule{
			Input: "batched_images", Rank: 4, Fit: FitFrame, Std: [3]float32{255, 255, 255},
			Embeds: map[string]string{"image_embeddings": "image_embeddings"},
		},
		Ask: PromptRule{
			Points: "batched_point_coords", Labels: "batched_point_labels", Size: "orig_im_size",
			Queries: true, Frame: 256, Grid: 256, Offset: -0.5 * 256 / 1024, FromZero: true, MaxPoints: 6,
			Kinds: Kinds{Points: true, Box: true},
		},
		Reply: ReplyRule{Logits: "output_masks", Scores: "iou_predictions", Single: -1, Multi: [2]int{0, 3}},
	}
}

// efficientSAMSingle is the same in one file, which runs the encoder again for every prompt.
func efficientSAMSingle() Family {
	f := efficientSAM()
	f.Name, f.Title = "efficientsam-single", "EfficientSAM in a single file"
	f.Image.Embeds = nil
	f.Ask.Image, f.Ask.Size, f.Ask.Frame, f.Ask.Offset, f.Ask.HalfOf = "batched_images", "", 0, 0, 1024
	f.Ask.Grid = 0 // it answers at the picture's size
	return f
}

// sam2 is SAM 2 and 2.1 for images as samexporter writes them (samexporter/export_sam2.py): squashed, batched, the single
// mask's token dropped. has_mask_input multiplies the whole batch, so prompts with and without a mask do not mix.
func sam2() Family {
	mean, std := imageNet()
	return Family{
		Name: "sam2", Title: "SAM 2, SAM 2.1 for images",
		Image: ImageRule{
			Input: "image", Rank: 4, Fit: FitSquash, Side: 1024, Resample: Torch, Mean: mean, Std: std,
			Embeds: map[string]string{
				"image_embed": "image_embed", "high_res_feats_0": "high_res_feats_0", "high_res_feats_1": "high_res_feats_1",
			},
		},
		Ask: PromptRule{
			Points: "point_coords", Labels: "point_labels", Mask: "mask_input", Has: "has_mask_input",
			Square: 1024, Offset: -0.5, Grid: 256, Batched: true, OneHas: true,
			Kinds: Kinds{Points: true, Negatives: true, Box: true, Mask: true},
		},
		Reply: ReplyRule{Logits: "masks", Scores: "iou_predictions", Single: -1, Multi: [2]int{0, 3}},
		Half:  true,
	}
}

// sam2Sized is the export that enlarges its answer to orig_im_size by itself.
func sam2Sized() Family {
	f := sam2()
	f.Name, f.Title = "sam2-sized", "SAM 2, SAM 2.1 with orig_im_size"
	f.Ask.Size = "orig_im_size"
	return f
}

// imageNet is the mean and the standard deviation that nearly all are trained with, RGB, in units of 0..255.
func imageNet() (mean, std [3]float32) {
	return [3]float32{123.675, 116.28, 103.53}, [3]float32{58.395, 57.12, 57.375}
}
