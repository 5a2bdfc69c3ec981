package inference

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignFilesAreNamed: what a person has instead of ONNX files is called by its name, with what to do, by its content or its ending.
func TestForeignFilesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"sam2.1_hiera_tiny.pt", "PK\x03\x04archive/data.pkl", "PyTorch"},
		{"renamed.onnx", "PK\x03\x04archive/data.pkl", "PyTorch"},
		{"old.pth", "\x80\x02}q\x00", "PyTorch checkpoint"},
		{"model.safetensors", "\x10\x00\x00\x00\x00\x00\x00\x00{\"a\":1}", "is a safetensors file: weights without a graph"},
		{"arrays.npz", "", "is an archive of arrays"},
		{"encoder.engine", "ftrt....", "TensorRT engine"},
		{"encoder.plan", "", "TensorRT engine"},
		{"m.tflite", "\x1c\x00\x00\x00TFL3", "TensorFlow Lite"},
		{"m.mlpackage", "", "Core ML"},
		{"encoder.onnx", "<!DOCTYPE html><html>", "web page"},
		{"encoder.onnx", "version https://git-lfs.github.com/spec/v1\n", "Git LFS"},
	} {
		path := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := (File{Path: path}).Contract()
		if !errors.Is(err, ErrNotONNX) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Foreign(path); err != nil {
		t.Errorf("a file of no known form: %v", err)
	}
}
