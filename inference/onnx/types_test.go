package onnx

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
)

// identity is a graph that gives back what it takes.
func identity(t *testing.T, typ string, shape ...int64) *Graph {
	t.Helper()
	g, err := testRuntime(t).Load(inference.File{Name: typ, Data: inferencetest.Model(
		[]inference.Port{{Name: "x", Type: typ, Shape: shape}}, []inference.Port{{Name: "y", Type: typ, Shape: shape}})}, SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func TestEveryTypeGoesThrough(t *testing.T) {
	for _, in := range []inference.Tensor{
		{Float32: []float32{1, 2, 3}}, {Int64: []int64{1, -2, 3}}, {Int32: []int32{1, -2, 3}}, {Uint8: []uint8{1, 2, 255}}, {Bool: []bool{true, false, true}},
	} {
		g := identity(t, in.Type(), -1)
		in.Name, in.Shape = "x", []int64{3}
		for range 3 { // ONNX Runtime's memory, then ours, then ours again
			out, release, err := g.Run(t.Context(), []inference.Tensor{in})
			if err != nil {
				t.Fatalf("%s: %v", in.Type(), err)
			}
			want := in
			want.Name = "y"
			if !reflect.DeepEqual(out[0], want) {
				t.Errorf("%s: %+v, want %+v", in.Type(), out[0], want)
			}
			release()
		}
	}
}

func TestTypesThatAreNotSupportedSaySo(t *testing.T) {
	g := identity(t, "float64", 1)
	if _, _, err := g.Run(t.Context(), []inference.Tensor{{Name: "x", Shape: []int64{1}, Float32: []float32{1}}}); err == nil || !strings.Contains(err.Error(), "float32, the model wants float64") {
		t.Errorf("%v", err)
	}
	if _, _, err := g.Run(t.Context(), []inference.Tensor{{Name: "x", Shape: []int64{1}}}); err == nil {
		t.Error("a tensor without data")
	}
}

func TestMemoryForManyShapesIsBounded(t *testing.T) {
	g := identity(t, "float32", -1)
	for n := range 3 * maxPlans {
		in := inference.Tensor{Name: "x", Shape: []int64{int64(n + 1)}, Float32: make([]float32, n+1)}
		in.Float32[n] = float32(n)
		for range 2 {
			out, release, err := g.Run(t.Context(), []inference.Tensor{in})
			if err != nil || out[0].Float32[n] != float32(n) || len(out[0].Float32) != n+1 {
				t.Fatalf("%d: %v, %v", n, out, err)
			}
			release()
		}
	}
	if len(g.plans) > maxPlans {
		t.Errorf("%d shapes are remembered, at most %d", len(g.plans), maxPlans)
	}
	held := []func(){}
	in := inference.Tensor{Name: "x", Shape: []int64{1}, Float32: []float32{1}}
	for range 3 * maxSpare {
		_, release, err := g.Run(t.Context(), []inference.Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, release)
	}
	for _, release := range held {
		release()
	}
	for _, p := range g.plans {
		if len(p.free) > maxSpare {
			t.Errorf("%d sets of outputs are kept, at most %d", len(p.free), maxSpare)
		}
	}
}

// BenchmarkRun measures what a call costs beside the network.
func BenchmarkRun(b *testing.B) {
	rt := testRuntime(b)
	for _, n := range []int{1, 6} {
		var in, out []inference.Port
		var tensors []inference.Tensor
		for i := range n {
			name := fmt.Sprint("x", i)
			in = append(in, inference.Port{Name: name, Type: "float32", Shape: []int64{4}})
			tensors = append(tensors, inference.Tensor{Name: name, Shape: []int64{4}, Float32: make([]float32, 4)})
		}
		out = append(out, inference.Port{Name: "y", Type: "float32", Shape: []int64{4}})
		g, err := rt.Load(inference.File{Name: "identity", Data: inferencetest.Model(in, out)}, SessionOptions{Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("inputs=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, release, err := g.Run(b.Context(), tensors)
				if err != nil {
					b.Fatal(err)
				}
				release()
			}
		})
		_ = g.Close()
	}
}
