package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
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
	_, problem := said(t, "run", "--source", "synthetic", "--duration", "1s", "--set", "model.name="+single)
	if !strings.Contains(problem, "model.onnx") || strings.Contains(problem, "ONNX files, not one or two") {
		t.Errorf("run with a graph that computes nothing: %s", problem)
	}
}

// TestAVideoModelIsACamerasModel: it is opened as others are, and says what it is; a server is given no part of it.
func TestAVideoModelIsACamerasModel(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	cfg := config.Default()
	cfg.Model.Name, cfg.Model.Provider = videoFixture, inference.CPU
	m, err := openModel(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	i := m.Info()
	if _, remembers := m.served.(*remembering); !remembers || i.Family != "sam2-video" || i.Name != "sam2-video" || i.Provider != "cpu" || i.Why == "" {
		t.Errorf("%+v", i)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	cfg.Model.Remote = config.Remote{Address: "http://127.0.0.1:1", Encoder: "x"}
	if _, err := openModel(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "not on two machines") {
		t.Errorf("its encoder elsewhere: %v", err)
	}
}

// twoSquares is a folder of pictures: two red squares that drift to the right, the upper of which is not to be seen for a while.
func twoSquares(t *testing.T, pictures int, gone func(i int) bool) string {
	t.Helper()
	dir := t.TempDir()
	for i := range pictures {
		img := image.NewRGBA(image.Rect(0, 0, 480, 320))
		first, second := image.Rect(40+i, 40, 100+i, 100), image.Rect(60+i, 220, 120+i, 280)
		for y := range 320 {
			for x := range 480 {
				n := uint8((x/5*31 + y/5*17) % 13)
				c := color.RGBA{R: 60 + n, G: 104 + n, B: 60 + n, A: 255}
				if p := image.Pt(x, y); p.In(first) && !gone(i) || p.In(second) {
					n = uint8(((x-i)/5*31 + y/5*17) % 13)
					c = color.RGBA{R: 200 + n, G: 40 + n, B: 30 + n, A: 255}
				}
				img.SetRGBA(x, y, c)
			}
		}
		var data bytes.Buffer
		if err := png.Encode(&data, img); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("img_%04d.png", i)), data.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestARecordingIsFollowedByMemory runs the agent over pictures with the fixture's graphs: two look-alikes are followed, each by its own
// memory, one of them through a second out of sight.
func TestARecordingIsFollowedByMemory(t *testing.T) {
	testkit.Long(t)
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	const pictures = 150
	dir := twoSquares(t, pictures, func(i int) bool { return i >= 50 && i < 80 })
	masks := filepath.Join(t.TempDir(), "masks.jsonl")
	_, problem := said(t, "run", "--offline", "--source", dir, "--masks", masks, "--set", "model.name="+videoFixture, "--set", "model.provider=cpu",
		"--prompt", "point:0.15,0.22", "--prompt", "point:0.19,0.78")
	if problem != "" {
		t.Fatal(problem)
	}
	lines := bytes.Split(bytes.TrimSpace(read(t, masks)), []byte("\n"))
	if len(lines) != pictures {
		t.Fatalf("%d lines", len(lines))
	}
	visible, hidden := 0, 0
	for i, line := range lines {
		var doc struct {
			Objects []struct {
				ID, State string
				RLE       *seg.RLE
			}
		}
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatal(err)
		}
		for _, o := range doc.Objects {
			left, top := float64(60+i), 220.
			if o.ID == "camera-1" {
				left, top = float64(40+i), 40
			}
			if o.ID != "camera-1" && o.ID != "camera-2" {
				t.Errorf("picture %d: object %s", i, o.ID)
			}
			if o.State != "tracking" && o.State != "uncertain" {
				hidden++
				if i < 50 || o.ID != "camera-1" {
					t.Errorf("picture %d: object %s is %s", i, o.ID, o.State)
				}
				continue
			}
			if i >= 50 && i < 80 && o.ID == "camera-1" || o.RLE == nil {
				continue // it is not to be seen, which takes a while to be believed
			}
			visible++
			want := seg.Box{X0: left / 480, Y0: top / 320, X1: (left + 60) / 480, Y1: (top + 60) / 320}
			m, err := o.RLE.Mask()
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Box(); got.IoU(want) < 0.7 {
				t.Errorf("picture %d: object %s is at %v, and should be at %v", i, o.ID, got, want)
			}
		}
	}
	t.Logf("%d masks in sight, %d times hidden", visible, hidden)
	if visible < 240 || hidden == 0 {
		t.Errorf("%d masks in sight, %d times hidden", visible, hidden)
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
