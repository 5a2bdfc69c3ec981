package provider

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
)

var errNoLibrary = errors.New("libonnxruntime_providers_tensorrt.so: cannot open shared object file")

func TestFallsBackWithReasons(t *testing.T) {
	missing := map[string]error{inference.TensorRT: errNoLibrary, inference.CUDA: errors.New("no CUDA device")}
	m := open(t, &fakeFactory{probe: missing}, Options{Cache: t.TempDir()})
	s := m.Status()
	if s.Provider != inference.CPU || !strings.Contains(s.Why, "providers_tensorrt.so") || !strings.Contains(s.Why, "no CUDA device") {
		t.Errorf("%+v", s)
	}
	if i := m.Info(); i.Provider != s.Provider || i.Why != s.Why || i.Family != "segedge" {
		t.Errorf("info %+v", i)
	}
	m = open(t, &fakeFactory{probe: missing}, Options{Prefer: inference.CPU})
	if s := m.Status(); s.Why != "as configured" {
		t.Errorf("%+v", s)
	}
	m = open(t, &fakeFactory{}, Options{})
	if s := m.Status(); s.Provider != inference.CUDA || !strings.Contains(s.Why, "no folder to keep its engines") {
		t.Errorf("without a cache: %+v", s)
	}
	if _, err := Open(t.Context(), &fakeFactory{}, Options{Prefer: "npu"}, files()...); err == nil || !strings.Contains(err.Error(), `"npu"`) {
		t.Errorf("unknown provider: %v", err)
	}
}

func TestADisagreeingProviderIsNotUsed(t *testing.T) {
	f := &fakeFactory{probe: map[string]error{inference.TensorRT: errNoLibrary}, disc: func(p inference.Provider) float64 {
		if p.Name == inference.CUDA {
			return 8
		}
		return 10
	}}
	m := open(t, f, Options{Cache: t.TempDir()})
	if s := m.Status(); s.Provider != inference.CPU || !strings.Contains(s.Why, "disagree with the CPU's: masks overlap by 0.") {
		t.Errorf("%+v", s)
	}
	f = &fakeFactory{disc: func(p inference.Provider) float64 {
		if p.Name == inference.CUDA {
			return math.NaN()
		}
		return 10
	}}
	if s := open(t, f, Options{Prefer: inference.CUDA}).Status(); s.Provider != inference.CPU || !strings.Contains(s.Why, "not numbers") {
		t.Errorf("NaN: %+v", s)
	}
}

func TestAWronglyOptimisedGraphIsNotUsed(t *testing.T) {
	f := &fakeFactory{disc: func(p inference.Provider) float64 {
		if p.Options["optimization"] == "off" {
			return 10
		}
		return 3
	}}
	if s := open(t, f, Options{Prefer: inference.CPU}).Status(); s.Provider != inference.CPU || !strings.Contains(s.Why, "cpu: its answers disagree") {
		t.Errorf("%+v", s)
	}
	f = &fakeFactory{}
	if s := open(t, f, Options{Prefer: inference.CPU, Trusted: true}).Status(); s.Why != "as configured" || f.loads[inference.CPU] != 2 {
		t.Errorf("trusted: %+v, %v loads", s, f.loads)
	}
}

func TestOnlyTheCPUFailingIsAnError(t *testing.T) {
	f := &fakeFactory{load: func(p inference.Provider, _ int) error {
		if p.Name == inference.CUDA {
			return errors.New("out of memory")
		}
		return nil
	}}
	if s := open(t, f, Options{Prefer: inference.CUDA}).Status(); s.Provider != inference.CPU || !strings.Contains(s.Why, "out of memory") {
		t.Errorf("%+v", s)
	}
	f = &fakeFactory{load: func(inference.Provider, int) error { return errors.New("bad operator") }}
	if _, err := Open(t.Context(), f, Options{}, files()...); err == nil || f.left() != 0 {
		t.Errorf("%v, %d left", err, f.left())
	}
}

func TestProfilesAreFixed(t *testing.T) {
	var options map[string]string
	f := &fakeFactory{after: func(p inference.Provider, _ inference.File) {
		if p.Name == inference.TensorRT {
			options = p.Options
		}
	}}
	m := open(t, f, Options{Cache: t.TempDir(), Half: true})
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"trt_profile_min_shapes": "image:1x3x32x32,embed_8:1x64x4x4,embed_4:1x32x8x8,point_coords:1x1x2,point_labels:1x1,mask_input:1x1x8x8,has_mask_input:1x1",
		"trt_profile_max_shapes": "image:1x3x448x448,embed_8:1x64x56x56,embed_4:1x32x112x112,point_coords:16x66x2,point_labels:16x66,mask_input:16x1x112x112,has_mask_input:16x1",
		"trt_fp16_enable":        "1",
	} {
		if options[key] != want {
			t.Errorf("%s = %s\nwant %s", key, options[key], want)
		}
	}
}

func TestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fakeFactory{load: func(p inference.Provider, _ int) error {
		if p.Name == inference.TensorRT {
			cancel()
			return errors.New("stopped")
		}
		return nil
	}}
	m := open(t, f, Options{Cache: t.TempDir()})
	if err := m.Run(ctx); err != nil || m.Status().Provider != inference.CUDA {
		t.Errorf("%v, %+v", err, m.Status())
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := m.Embed(t.Context(), TestPicture()); !errors.Is(err, inference.ErrClosed) {
		t.Errorf("embed after close: %v", err)
	}
}
