package provider

import (
	"testing"
	"testing/fstest"
)

func TestDetect(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for name, c := range map[string]struct {
		root fstest.MapFS
		want Machine
	}{
		"nothing": {fstest.MapFS{"proc/device-tree/model": file("Raspberry Pi 5\x00")}, Machine{}},
		"server": {fstest.MapFS{
			"proc/driver/nvidia/gpus/0000:01:00.0/information":  file("Model: \t\t NVIDIA H200\nIRQ:   \t\t 1\n"),
			"proc/driver/nvidia/version":                        file("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.03  Mon\nGCC version:  gcc version 12.2.0\n"),
			"usr/lib/x86_64-linux-gnu/libnvinfer.so.10":         file(""),
			"usr/lib/x86_64-linux-gnu/libnvinfer.so.10.13.3":    file(""),
			"usr/lib/x86_64-linux-gnu/libnvinfer_plugin.so.9.9": file(""),
		}, Machine{"NVIDIA H200", "580.159.03", "10.13.3"}},
		"jetson": {fstest.MapFS{
			"proc/device-tree/model":                         file("NVIDIA Jetson Orin Nano Developer Kit\x00"),
			"usr/lib/aarch64-linux-gnu/libnvinfer.so.10.3.0": file(""),
		}, Machine{GPU: "NVIDIA Jetson Orin Nano Developer Kit", TensorRT: "10.3.0"}},
	} {
		if got := Detect(c.root); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
