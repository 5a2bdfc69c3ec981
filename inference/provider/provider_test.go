package provider

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// fakeFactory makes graphs with segedge's signature and a disc for a mask, and fails, delays or lies as told.
type fakeFactory struct {
	probe map[string]error                             // by provider
	load  func(p inference.Provider, n int) error      // n counts the loads on this provider
	disc  func(p inference.Provider) float64           // radius of the masks, cells
	after func(p inference.Provider, f inference.File) // a load

	mu    sync.Mutex
	loads map[string]int
	open  int
}

func (f *fakeFactory) Probe(p inference.Provider) error { return f.probe[p.Name] }

func (f *fakeFactory) Load(file inference.File, _ []string, p inference.Provider) (inference.Graph, error) {
	c, err := file.Contract()
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	if f.loads == nil {
		f.loads = map[string]int{}
	}
	f.loads[p.Name]++
	n := f.loads[p.Name]
	f.mu.Unlock()
	if f.load != nil {
		if err := f.load(p, n); err != nil {
			return nil, err
		}
	}
	if f.after != nil {
		f.after(p, file)
	}
	f.mu.Lock()
	f.open++
	f.mu.Unlock()
	r := 10.0
	if f.disc != nil {
		r = f.disc(p)
	}
	return &fakeGraph{f: f, c: c, radius: r}, nil
}

func (f *fakeFactory) left() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

type fakeGraph struct {
	f      *fakeFactory
	c      *inference.Contract
	radius float64
}

func (g *fakeGraph) Inputs() []inference.Port  { return g.c.Inputs }
func (g *fakeGraph) Outputs() []inference.Port { return g.c.Outputs }

func (g *fakeGraph) Close() error {
	g.f.mu.Lock()
	defer g.f.mu.Unlock()
	g.f.open--
	return nil
}

func (g *fakeGraph) Run(_ context.Context, in []inference.Tensor) ([]inference.Tensor, func(), error) {
	if len(in) == 1 {
		h, w := in[0].Shape[2]/4, in[0].Shape[3]/4
		return []inference.Tensor{
			{Name: "embed_8", Shape: []int64{1, 64, h / 2, w / 2}, Float32: make([]float32, 16*h*w)},
			{Name: "embed_4", Shape: []int64{1, 32, h, w}, Float32: make([]float32, 32*h*w)}}, func() {}, nil
	}
	by := map[string]inference.Tensor{}
	for _, t := range in {
		by[t.Name] = t
	}
	p, n := int(by["point_labels"].Shape[0]), int(by["point_labels"].Shape[1])
	h, w := int(by["mask_input"].Shape[2]), int(by["mask_input"].Shape[3])
	masks, scores := make([]float32, p*4*h*w), make([]float32, p*4)
	for i := range masks {
		q := i / (4 * h * w)
		x, y := float64(i%w)*4+2, float64(i/w%h)*4+2
		masks[i] = float32(g.radius*4 - math.Hypot(x-float64(by["point_coords"].Float32[2*q*n]), y-float64(by["point_coords"].Float32[2*q*n+1])))
	}
	for i := range scores {
		scores[i] = 0.8
	}
	return []inference.Tensor{{Name: "low_res_masks", Shape: []int64{int64(p), 4, int64(h), int64(w)}, Float32: masks},
		{Name: "iou_predictions", Shape: []int64{int64(p), 4}, Float32: scores}}, func() {}, nil
}

func files() []inference.File {
	dir := filepath.Join("..", "testdata", "fixtures", "segedge")
	return []inference.File{{Path: filepath.Join(dir, "encoder.onnx")}, {Path: filepath.Join(dir, "decoder.onnx")}}
}

func open(t *testing.T, f *fakeFactory, o Options) *Model {
	t.Helper()
	m, err := Open(t.Context(), f, o, files()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Error(err)
		}
		if n := f.left(); n != 0 {
			t.Errorf("%d graphs left open", n)
		}
	})
	return m
}

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

func TestEngineIsBuiltInTheBackgroundAndSwappedIn(t *testing.T) {
	building, finish := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f := &fakeFactory{load: func(p inference.Provider, _ int) error {
		if p.Name == inference.TensorRT {
			once.Do(func() { close(building) })
			<-finish
		}
		return nil
	}}
	var mu sync.Mutex
	var seen []Status
	cache := t.TempDir()
	m := open(t, f, Options{Cache: cache, Changed: func(s Status) { mu.Lock(); seen = append(seen, s); mu.Unlock() }})
	if s := m.Status(); s.Provider != inference.CUDA || !strings.Contains(s.Why, "tensorrt: its engine is not built yet") {
		t.Fatalf("serving %+v", s)
	}
	done := make(chan error)
	go func() { done <- m.Run(t.Context()) }()
	<-building
	if s := m.Status(); s.Building != inference.TensorRT || s.Provider != inference.CUDA || s.Since.IsZero() || !strings.Contains(s.Why, "builds its engine") {
		t.Errorf("while building: %+v", s)
	}
	if i := m.Info(); i.Building != inference.TensorRT || i.Since.IsZero() || i.Provider != inference.CUDA {
		t.Errorf("info while building: %+v", i)
	}
	before, err := m.Embed(t.Context(), TestPicture())
	if err != nil {
		t.Fatal(err)
	}
	close(finish)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := m.Status(); s.Provider != inference.TensorRT || s.Building != "" || s.Why != "the best one there is" {
		t.Errorf("after building: %+v", s)
	}
	if i := m.Info(); i.Building != "" || !i.Since.IsZero() || i.Provider != inference.TensorRT {
		t.Errorf("info after building: %+v", i)
	}
	click := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: .5, Y: .5}, Label: 1}}}
	if a, err := before.Decode(t.Context(), []seg.Prompt{click}); err != nil || a[0].Best() == nil {
		t.Errorf("an embedding from before the swap: %v", err)
	}
	if err := before.Close(); err != nil || f.left() != 2 {
		t.Errorf("%v; %d graphs open, want only TensorRT's two", err, f.left())
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 3 || seen[1].Building != inference.TensorRT || seen[2].Provider != inference.TensorRT {
		t.Errorf("changes: %+v", seen)
	}
	// The next start finds the engine and uses it at once.
	if s := open(t, &fakeFactory{}, Options{Cache: cache}).Status(); s.Provider != inference.TensorRT {
		t.Errorf("with a kept engine: %+v", s)
	}
}

func folders(t *testing.T, cache string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

func TestStaleEngineIsWipedOnce(t *testing.T) {
	cache := t.TempDir()
	build := func(f *fakeFactory) *Model {
		m := open(t, f, Options{Cache: cache})
		if err := m.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return m
	}
	build(&fakeFactory{after: func(p inference.Provider, _ inference.File) {
		if p.Name == inference.TensorRT {
			_ = os.WriteFile(filepath.Join(p.Options["trt_engine_cache_path"], "x.engine"), []byte("old"), 0o644)
		}
	}})
	dirs := folders(t, cache)
	if len(dirs) != 1 {
		t.Fatalf("folders %v", dirs)
	}
	f := &fakeFactory{load: func(p inference.Provider, n int) error {
		if _, err := os.Stat(filepath.Join(dirs[0], "x.engine")); p.Name == inference.TensorRT && err == nil {
			return errors.New("engine deserialization failed")
		}
		return nil
	}}
	m := open(t, f, Options{Cache: cache})
	if s := m.Status(); s.Provider != inference.TensorRT {
		t.Errorf("a stale engine must be built again: %+v", s)
	}
	if err := os.WriteFile(filepath.Join(dirs[0], "x.engine"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	f = &fakeFactory{load: func(p inference.Provider, n int) error {
		if p.Name == inference.TensorRT {
			return errors.New("engine deserialization failed")
		}
		return nil
	}}
	m = open(t, f, Options{Cache: cache})
	if s := m.Status(); s.Provider != inference.CUDA || f.loads[inference.TensorRT] != 2 {
		t.Errorf("wiped more than once, or not at all: %+v, %d loads", s, f.loads[inference.TensorRT])
	}
}

func TestARejectedEngineIsRemembered(t *testing.T) {
	cache := t.TempDir()
	lies := func(p inference.Provider) float64 {
		if p.Name == inference.TensorRT {
			return 5
		}
		return 10
	}
	m := open(t, &fakeFactory{disc: lies}, Options{Cache: cache})
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := m.Status(); s.Provider != inference.CUDA || s.Building != "" || !strings.Contains(s.Why, "tensorrt: its answers disagree") {
		t.Errorf("%+v", s)
	}
	f := &fakeFactory{disc: lies}
	if s := open(t, f, Options{Cache: cache}).Status(); f.loads[inference.TensorRT] != 0 || !strings.Contains(s.Why, "found earlier; delete") {
		t.Errorf("built again: %+v", s)
	}
	// Another GPU, version or flag is another engine.
	for _, o := range []Options{{GPU: "Orin"}, {TensorRT: "10.3"}, {Runtime: "1.24"}, {Half: true}} {
		o.Cache = cache
		m := open(t, &fakeFactory{}, o)
		if err := m.Run(t.Context()); err != nil || m.Status().Provider != inference.TensorRT {
			t.Errorf("%+v: %v, %+v", o, err, m.Status())
		}
	}
	if n := len(folders(t, cache)); n != 5 {
		t.Errorf("%d engine folders, want 5", n)
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

// TestEmbedsWhileModelsAreSwapped encodes and decodes without a pause around a swap: no call may fail, and every
// embedding answers on the model that made it.
func TestEmbedsWhileModelsAreSwapped(t *testing.T) {
	f := &fakeFactory{disc: func(p inference.Provider) float64 {
		if p.Name == inference.TensorRT {
			return 10.05 // tells the two apart, and agrees
		}
		return 10
	}}
	m := open(t, f, Options{Cache: t.TempDir()})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				e, err := m.Embed(t.Context(), TestPicture())
				if err != nil {
					t.Error(err)
					return
				}
				a, err := e.Decode(t.Context(), []seg.Prompt{{Clicks: []seg.Click{{Point: seg.Point{X: .5, Y: .5}, Label: 1}}}})
				if err != nil || a[0].Best() == nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[m.Info().Provider]++
				mu.Unlock()
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if err := m.Run(t.Context()); err != nil {
		t.Error(err)
	}
	for start := m.Status(); ; { // until the new model has answered too
		mu.Lock()
		n := seen[start.Provider]
		mu.Unlock()
		if n > 3 {
			break
		}
		if e, err := m.Embed(t.Context(), TestPicture()); err != nil || e.Close() != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	if m.Status().Provider != inference.TensorRT || f.left() != 2 {
		t.Errorf("%+v, %d graphs open", m.Status(), f.left())
	}
}

// A model that is replaced while its engine is built does not go on: what was being made is thrown away, and nothing more is begun.
func TestAClosedModelStopsBuilding(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	f := &fakeFactory{load: func(p inference.Provider, n int) error {
		if p.Name == inference.TensorRT && n == 1 {
			close(arrived)
			<-goOn
		}
		return nil
	}}
	m := open(t, f, Options{Cache: t.TempDir()})
	done := make(chan error)
	go func() { done <- m.Run(t.Context()) }()
	<-arrived
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s := m.Status(); s.Provider == inference.TensorRT {
		t.Errorf("it serves on what was built after its end: %+v", s)
	}
	if f.left() != 0 {
		t.Errorf("%d graphs are left", f.left())
	}
	late := open(t, f, Options{Cache: t.TempDir()})
	loads := f.count(inference.TensorRT)
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	if err := late.Run(t.Context()); err != nil || f.count(inference.TensorRT) != loads {
		t.Errorf("closed before it began: %v, %d engines begun", err, f.count(inference.TensorRT)-loads)
	}
}

func (f *fakeFactory) count(provider string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loads[provider]
}
