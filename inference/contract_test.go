package inference

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/segedge/segedge/testkit"
)

func TestContractOfAFixture(t *testing.T) {
	c := contractOf(t, "sam2-sized/decoder")
	if c.Opset != 17 || c.IR != 8 || c.Producer != "segedge fixtures" || c.Nodes < 20 || len(c.External) != 0 {
		t.Errorf("%+v", c)
	}
	if got, want := describe(c.Inputs), "image_embed float32 [1 256 64 64], high_res_feats_0 float32 [1 32 256 256], high_res_feats_1 float32 [1 64 128 128], "+
		"point_coords float32 [? ? 2], point_labels float32 [? ?], mask_input float32 [? 1 256 256], has_mask_input float32 [?], orig_im_size int32 [2]"; got != want {
		t.Errorf("inputs %s\nwant   %s", got, want)
	}
	if got := describe(c.Outputs); got != "masks float32 [? 3 ? ?], iou_predictions float32 [? 3]" {
		t.Errorf("outputs %s", got)
	}
}

// TestContractsOfSharedModels reads files of other exporters: weights listed as inputs must not count as inputs.
func TestContractsOfSharedModels(t *testing.T) {
	root := testkit.Shared(t, "models")
	for file, want := range map[string]string{
		"nanotrack/nanotrack_backbone.onnx": "1 3 255 255",
		"yolox_nano/yolox_nano.onnx":        "images float32 [1 3 416 416]",
		"default/encoder.onnx":              "image float32 [1 3 ? ?]",
	} {
		c, err := File{Path: filepath.Join(root, file)}.Contract()
		if err != nil {
			t.Error(err)
			continue
		}
		if got := describe(c.Inputs); !strings.Contains(got, want) && len(c.Inputs) != 1 {
			t.Errorf("%s takes %s, want %s", file, got, want)
		}
	}
	_, err := Recognise("", File{Path: filepath.Join(root, "yolox_nano", "yolox_nano.onnx")})
	if err == nil || !strings.Contains(err.Error(), "images float32 [1 3 416 416]") {
		t.Errorf("a detector is no promptable model: %v", err)
	}
}

func TestWeightsBesideTheFile(t *testing.T) {
	field := func(n byte, b []byte) []byte { return append([]byte{n<<3 | 2, byte(len(b))}, b...) }
	entry := append(field(1, []byte("location")), field(2, []byte("weights.data"))...)
	weight := append(field(8, []byte("w")), field(13, entry)...)
	graph := append(field(1, []byte{}), field(5, weight)...)
	graph = append(graph, field(11, field(1, []byte("w")))...)
	graph = append(graph, field(11, field(1, []byte("x")))...)
	graph = append(graph, field(12, field(1, []byte("y")))...)
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, field(7, graph), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (File{Path: path}).Contract(); err == nil || !strings.Contains(err.Error(), "weights are in weights.data, which is not beside it") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "weights.data"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := File{Path: path}.Contract()
	if err != nil || len(c.Inputs) != 1 || c.Inputs[0].Name != "x" {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzReadContract(f *testing.F) {
	for _, name := range []string{"sam/decoder", "segedge/encoder"} {
		data, err := os.ReadFile("testdata/fixtures/" + name + ".onnx")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadContract(bytes.NewReader(data), int64(len(data)))
		if (c == nil) == (err == nil) {
			t.Errorf("%v, %v", c, err)
		}
	})
}

// TestWhatIsNoFileIsNotOpened has a pipe, which would be waited for, and a folder.
func TestWhatIsNoFileIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.onnx")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skipf("SKIPPED: no pipe can be made here: %v", err)
	}
	for _, path := range []string{pipe, dir} {
		if _, err := (File{Path: path}).Contract(); !errors.Is(err, ErrNotONNX) || !strings.Contains(err.Error(), "is not a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
