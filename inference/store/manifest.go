package store

// Published are the models of others that are known to be of a family that segedge runs: addresses, sizes and hashes as
// their publishers or users give them; where none is given, none is claimed. The default model is inside the binary.
func Published() []Model {
	return []Model{
		{
			Name: "mobilesam", Family: "sam-raw", License: "Apache-2.0 (weights), MIT (export)", Speed: "cpu",
			About: "MobileSAM: a small encoder with SAM's decoder; the first step up from the default model",
			Files: []File{
				{
					"encoder.onnx", "https://huggingface.co/Acly/MobileSAM/resolve/main/mobile_sam_image_encoder.onnx", 28157093,
					"580f5fb648ea1062c0aabc26217aed56921985f03f0cbbd852bba81d760cc749",
				},
				{"decoder.onnx", "https://huggingface.co/Acly/MobileSAM/resolve/main/sam_mask_decoder_multi.onnx", 16496559, ""},
			},
		},
		{
			Name: "efficientsam-ti", Family: "efficientsam", License: "Apache-2.0", Speed: "cpu",
			About: "EfficientSAM-Ti: takes no negative clicks",
			Files: []File{
				{
					"encoder.onnx", "https://huggingface.co/spaces/yunyangx/EfficientSAM/resolve/main/efficientsam_ti_encoder.onnx", 0,
					"84ed466ffcc5c1f8d08409bc34a23bb364ab2c15e402cb12d4335a42be0e0951",
				},
				{
					"decoder.onnx", "https://huggingface.co/spaces/yunyangx/EfficientSAM/resolve/main/efficientsam_ti_decoder.onnx", 0,
					"a62f8fa5ea080447c0689418d69e58f1e83e0b7adf9c142e2bd9bcc8045c0b11",
				},
			},
		},
		{
			Name: "sam-vit-b", Family: "sam", License: "Apache-2.0", Speed: "gpu",
			About: "Segment Anything, ViT-B, 8-bit weights, as labelme publishes it",
			Files: []File{
				{
					"encoder.onnx", "https://github.com/wkentaro/labelme/releases/download/sam-20230416/sam_vit_b_01ec64.quantized.encoder.onnx", 99827688,
					"3346b9cc551c9902fbf3b203935e933592b22e042365f58321c17fc12641fd6a",
				},
				{
					"decoder.onnx", "https://github.com/wkentaro/labelme/releases/download/sam-20230416/sam_vit_b_01ec64.quantized.decoder.onnx", 8743656,
					"edbcf1a0afaa55621fb0abe6b3db1516818b609ea9368f309746a3afc68f7613",
				},
			},
		},
		{
			Name: "sam2-tiny", Family: "sam2", License: "Apache-2.0", Speed: "gpu",
			About: "SAM 2 for images, Hiera-T, batched over objects",
			Files: []File{
				{"encoder.onnx", "https://huggingface.co/shubham0204/sam2-onnx-models/resolve/main/sam2_hiera_tiny_encoder.onnx", 0, ""},
				{"decoder.onnx", "https://huggingface.co/shubham0204/sam2-onnx-models/resolve/main/sam2_hiera_tiny_decoder.onnx", 0, ""},
			},
		},
		{
			Name: "edgesam-3x", Family: "edgesam", License: "S-Lab 1.0: non-commercial", Speed: "cpu",
			About: "EdgeSAM: quick on phones; takes no mask prompts, so its objects are carried by their clicks alone",
			Files: []File{
				{"encoder.onnx", "https://huggingface.co/spaces/chongzhou/EdgeSAM/resolve/main/weights/edge_sam_3x_encoder.onnx", 0, ""},
				{"decoder.onnx", "https://huggingface.co/spaces/chongzhou/EdgeSAM/resolve/main/weights/edge_sam_3x_decoder.onnx", 0, ""},
			},
		},
		{
			Name: "nanosam", Family: "nanosam", License: "Apache-2.0", Speed: "gpu",
			About: "NanoSAM: a ResNet-18 for Jetson; links to its files are in NVIDIA-AI-IOT/nanosam's README",
			Files: []File{{Name: "encoder.onnx"}, {Name: "decoder.onnx"}},
		},
	}
}
