package provider

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/models"
)

// inMemory is the default model without a file.
func inMemory() []inference.File {
	return []inference.File{{Name: "encoder", Data: models.Encoder()}, {Name: "decoder", Data: models.Decoder()}}
}

// TestEnginesBelongToWhatTheyAreMadeOf holds that the folder's name changes with the model's bytes, wherever they are.
func TestEnginesBelongToWhatTheyAreMadeOf(t *testing.T) {
	cache := t.TempDir()
	name := func(fs []inference.File, options map[string]string) string {
		m := &Model{files: fs, opts: Options{Cache: cache, GPU: "Orin", TensorRT: "10.3", Runtime: "1.24"}}
		e, err := m.newEngine(options)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"onnx runtime 1.24", "tensorrt 10.3", "gpu Orin", "trt_fp16_enable=1"} {
			if !strings.Contains(e.what, want) {
				t.Errorf("engine.txt lacks %q: %s", want, e.what)
			}
		}
		return filepath.Base(e.dir)
	}
	flags := map[string]string{"trt_fp16_enable": "1", "device_id": "0"}
	first := name(inMemory(), flags)
	if again := name(inMemory(), map[string]string{"device_id": "0", "trt_fp16_enable": "1"}); again != first {
		t.Errorf("the same engine is %s and %s", first, again)
	}
	written := inMemory()
	for i, f := range written {
		path := filepath.Join(t.TempDir(), f.Name)
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		written[i] = inference.File{Path: path}
	}
	if got := name(written, flags); got != first {
		t.Errorf("the same bytes in files are another engine: %s, not %s", got, first)
	}
	if got := name([]inference.File{written[1], written[0]}, flags); got == first {
		t.Error("other graphs are the same engine")
	}
	if got := name(written, map[string]string{"trt_fp16_enable": "1", "device_id": "1"}); got == first {
		t.Error("other flags are the same engine")
	}
	gone := &Model{files: []inference.File{{Path: filepath.Join(cache, "gone.onnx")}}, opts: Options{Cache: cache}}
	if _, err := gone.newEngine(nil); err == nil || !strings.Contains(err.Error(), "engine cache: ") {
		t.Errorf("a model that went away: %v", err)
	}
}

// TestACacheThatCannotBeWrittenCostsTensorRTOnly has a file in place of the cache's folder: CUDA serves, and the reason is told.
func TestACacheThatCannotBeWrittenCostsTensorRTOnly(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "engines")
	if err := os.WriteFile(cache, []byte("a file"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := open(t, &fakeFactory{}, Options{Cache: cache})
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := m.Status(); s.Provider != inference.CUDA || s.Building != "" || !strings.Contains(s.Why, "tensorrt: engine cache: ") {
		t.Errorf("%+v", s)
	}
}

// TestAnEngineThatCannotBeKeptIsUsed loses the cache's folder while the engine is built, as a full disk would its last word.
func TestAnEngineThatCannotBeKeptIsUsed(t *testing.T) {
	f := &fakeFactory{after: func(p inference.Provider, _ inference.File) {
		if p.Name == inference.TensorRT {
			if err := os.RemoveAll(p.Options["trt_engine_cache_path"]); err != nil {
				t.Error(err)
			}
		}
	}}
	m := open(t, f, Options{Cache: t.TempDir()})
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := m.Status(); s.Provider != inference.TensorRT || f.left() != 2 {
		t.Errorf("%+v; %d graphs open, want TensorRT's two", s, f.left())
	}
}

// TestACutOffBuildIsStartedAfresh leaves half an engine without the word that it is ready.
func TestACutOffBuildIsStartedAfresh(t *testing.T) {
	m := &Model{files: inMemory(), opts: Options{Cache: t.TempDir()}}
	e, err := m.newEngine(map[string]string{"a": "b"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.prepare(); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(e.dir, "half.engine")
	if err := os.WriteFile(half, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := e.prepare(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); err == nil || e.ready() || e.rejected() != "" {
		t.Errorf("half an engine is kept: ready %v, rejected %q", e.ready(), e.rejected())
	}
	if err := e.finish(); err != nil || !e.ready() {
		t.Errorf("%v, ready %v", err, e.ready())
	}
	if err := os.WriteFile(half, []byte("whole"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := e.prepare(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); err != nil {
		t.Errorf("an engine that is ready is wiped: %v", err)
	}
	what, err := os.ReadFile(filepath.Join(e.dir, whatFile))
	if err != nil || string(what) != e.what {
		t.Errorf("%s says %q: %v", whatFile, what, err)
	}
}
