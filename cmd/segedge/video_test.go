package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
)

var videoFixture = filepath.Join("..", "..", "inference", "testdata", "fixtures", "sam2-video")

// TestVideoModelsAreNamed: inspect names the layout and what each graph is; run says what can be done with it.
func TestVideoModelsAreNamed(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	family, prompts, _, refusal := inspected(t, []string{videoFixture})
	if family != "sam2-video" || refusal != "" || !strings.Contains(prompts, "box") {
		t.Errorf("%s, %s, %s", family, prompts, refusal)
	}
	out, _ := said(t, "models", "inspect", videoFixture)
	for _, want := range []string{"memory_attention.onnx: memory attention", "memory_encoder.onnx: memory encoder", "cond_frame_id_diff"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	single := filepath.Join(t.TempDir(), "model.onnx")
	float := func(name string, shape ...int64) inference.Port {
		return inference.Port{Name: name, Type: "float32", Shape: shape}
	}
	inputs := []inference.Port{
		float("image", 1, 3, 1024, 1024), float("mask_memory", -1, 4, 64, 64, 64), float("obj_ptr_memory", -1, 2, 256),
		{Name: "original_size", Type: "int32", Shape: []int64{2}}, {Name: "permutation", Type: "int64", Shape: []int64{-1}},
		float("bbox_coords", -1, 4), float("point_coords", -1, -1, 2), {Name: "point_labels", Type: "int32", Shape: []int64{-1, -1}},
	}
	data := inferencetest.Model(inputs, []inference.Port{
		float("high_res_masks"), float("object_score_logits"), float("maskmem_features"), float("maskmem_pos_enc"), float("obj_ptr_features"),
	})
	if err := os.WriteFile(single, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if family, _, _, refusal := inspected(t, []string{single}); family != "sam2-video-single" {
		t.Errorf("one graph: %s, %s", family, refusal)
	}
	for _, path := range []string{videoFixture, single} {
		_, problem := said(t, "run", "--source", "synthetic", "--duration", "1s", "--set", "model.name="+path)
		if !strings.Contains(problem, "cameras do not follow by it yet") {
			t.Errorf("run with %s: %s", path, problem)
		}
	}
}

// TestVideoModelsAreChecked: the fixture follows the known walk; without its memory encoder it is no video model.
func TestVideoModelsAreChecked(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	out, problem := said(t, "models", "check", "--json", videoFixture)
	var v videoCheck
	if err := json.Unmarshal(out, &v); err != nil || problem != "" {
		t.Fatal(err, problem, string(out))
	}
	if v.Layout != "sam2-video" || v.Least < walkLeast || v.FrameMS <= 0 || v.Bytes == 0 || v.Refused != "" {
		t.Errorf("%+v", v)
	}
	part := t.TempDir()
	for _, f := range []string{"image_encoder.onnx", "mask_decoder.onnx", "memory_attention.onnx"} {
		data, err := os.ReadFile(filepath.Join(videoFixture, f))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(part, f), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, problem := said(t, "models", "check", part); !strings.Contains(problem, "3 ONNX files") {
		t.Error(problem)
	}
}
