package provider

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

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
