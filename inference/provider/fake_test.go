package provider

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"sync"
	"testing"

	"github.com/segedge/segedge/inference"
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

func (g *fakeGraph) Inputs() []inference.Port { return g.c.Inputs }

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

func (f *fakeFactory) count(provider string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loads[provider]
}
