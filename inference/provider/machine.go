package provider

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Machine is what an engine depends on beside the model, as far as the system's files tell.
type Machine struct {
	GPU      string // "NVIDIA H200", "NVIDIA Jetson Orin Nano Developer Kit"; empty without one
	Driver   string // version of the kernel's driver
	TensorRT string // version of the library, "10.3.0"
}

// Detect reads the machine out of a file system: os.DirFS("/").
func Detect(root fs.FS) Machine {
	m := Machine{GPU: gpu(root), TensorRT: library(root, "libnvinfer.so.")}
	if v, err := fs.ReadFile(root, "proc/driver/nvidia/version"); err == nil {
		m.Driver = driver(string(v))
	}
	return m
}

// gpu is the driver's name for the first GPU, or the board's for one that is built in.
func gpu(root fs.FS) string {
	files, _ := fs.Glob(root, "proc/driver/nvidia/gpus/*/information")
	slices.Sort(files)
	for _, f := range files {
		text, _ := fs.ReadFile(root, f)
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "Model:"); ok {
				return strings.TrimSpace(name)
			}
		}
	}
	board, _ := fs.ReadFile(root, "proc/device-tree/model")
	if name := strings.TrimRight(string(board), "\x00\n"); strings.Contains(name, "Jetson") {
		return name
	}
	return ""
}

// driver is the version in "NVRM version: NVIDIA UNIX … Kernel Module  580.159.03  Release Build …".
func driver(text string) string {
	for word := range strings.FieldsSeq(text) {
		if strings.Count(word, ".") >= 1 && strings.Trim(word, "0123456789.") == "" {
			return word
		}
	}
	return ""
}

// library is the longest version of a library in the folders of the two processors that segedge runs on.
func library(root fs.FS, prefix string) string {
	best := ""
	for _, dir := range []string{"usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/local/lib"} {
		files, _ := fs.Glob(root, dir+"/"+prefix+"*")
		for _, f := range files {
			if v := strings.TrimPrefix(path.Base(f), prefix); len(v) > len(best) {
				best = v
			}
		}
	}
	return best
}
