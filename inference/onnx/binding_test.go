package onnx

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/segedge/segedge/inference"
)

// TestACallOfAKnownShapeMakesNothingOfItsOwn counts the allocations of Run: what is left is the Go binding's, which makes two lists.
func TestACallOfAKnownShapeMakesNothingOfItsOwn(t *testing.T) {
	g, err := testRuntime(t).Load(inference.File{Path: fixturePath("segedge/encoder")}, SessionOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in := []inference.Tensor{{Name: "image", Shape: []int64{1, 3, 64, 96}, Float32: make([]float32, 3*64*96)}}
	const theirs = 2
	if n := testing.AllocsPerRun(50, func() {
		_, release, err := g.Run(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		release()
	}); n > theirs {
		t.Errorf("%v allocations a call, of which %v are the binding's", n, theirs)
	}
}

// TestADecodeMakesItsAnswerAlone: two lists of predictions and candidates, the logits and their data, and the binding's two lists.
func TestADecodeMakesItsAnswerAlone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e, err := defaultModel(t, SessionOptions{Threads: 1}).Embed(ctx, shaded(1280, 720))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	prompts := crowd(1)
	const answer, theirs = 4, 2
	if n := testing.AllocsPerRun(20, func() {
		if _, err := e.Decode(ctx, prompts); err != nil {
			t.Fatal(err)
		}
	}); n > answer+theirs {
		t.Errorf("%v allocations, need %d for the answer and %d of the binding", n, answer, theirs)
	}
}

// TestAContextThatEndsBetweenCallsStopsNoOther holds that the options that are kept belong to the context of the call.
func TestAContextThatEndsBetweenCallsStopsNoOther(t *testing.T) {
	g, err := testRuntime(t).Load(inference.File{Path: fixturePath("segedge/encoder")}, SessionOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	in := []inference.Tensor{{Name: "image", Shape: []int64{1, 3, 32, 32}, Float32: make([]float32, 3*32*32)}}
	run := func(ctx context.Context) error {
		_, release, err := g.Run(ctx, in)
		if err == nil {
			release()
		}
		return err
	}
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		if err := errors.Join(run(ctx), run(ctx)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("after its end: %v", err)
		}
		if err := run(context.Background()); err != nil {
			t.Errorf("a context that never ends: %v", err)
		}
	}
}

// TestInputsKeepTheirWrapperWhileTheyComeAgain feeds more buffers than are kept, and each one's own values must be read.
func TestInputsKeepTheirWrapperWhileTheyComeAgain(t *testing.T) {
	g, err := testRuntime(t).Load(inference.File{Path: fixturePath("segedge/encoder")}, SessionOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	buffers := make([][]float32, maxWrapped+3)
	for i := range buffers {
		buffers[i] = make([]float32, 3*64*64)
	}
	for round := range 3 {
		for i, b := range buffers {
			value := float32(100*round + i)
			for k := range b {
				b[k] = value
			}
			side := int64(64 - 32*(round%2)) // the same memory in two shapes
			out, release, err := g.Run(t.Context(), []inference.Tensor{{Name: "image", Shape: []int64{1, 3, side, side}, Float32: b[:3*side*side]}})
			if err != nil {
				t.Fatal(err)
			}
			if got := out[0].Float32[0]; got != value || out[0].Shape[3] != side/8 {
				t.Errorf("round %d, buffer %d: %v of shape %v, want %v", round, i, got, out[0].Shape, value)
			}
			release()
		}
	}
	if n := len(g.spare); n != 1 || len(g.spare[0].wrapped[0]) != maxWrapped {
		t.Errorf("%d bindings kept, the first with %d inputs; want 1 and %d", n, len(g.spare[0].wrapped[0]), maxWrapped)
	}
}

// TestAScalarIsReadAnew feeds a scalar from one place with another value: the fixture multiplies it by 0, so that only an infinite one shows.
func TestAScalarIsReadAnew(t *testing.T) {
	g, err := testRuntime(t).Load(inference.File{Path: fixturePath("sam2-video/memory_attention")}, SessionOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	var inputs []inference.Tensor
	zeros := func(name string, shape ...int64) {
		n := int64(1)
		for _, d := range shape {
			n *= d
		}
		inputs = append(inputs, inference.Tensor{Name: name, Shape: shape, Float32: make([]float32, n)})
	}
	zeros("current_vision_feat", 1, 256, 16, 16)
	zeros("current_vision_pos_embed", 256, 1, 256)
	zeros("memory_0", 1, 1, 256)
	zeros("memory_1", 1, 1, 64, 16, 16)
	zeros("memory_pos_embed", 1, 260, 64)
	zeros("cond_frame_id_diff")
	age := inputs[len(inputs)-1].Float32
	for i, v := range []float32{1, float32(math.Inf(1)), 2, float32(math.Inf(1))} {
		age[0] = v
		out, release, err := g.Run(t.Context(), inputs)
		if err != nil {
			t.Fatal(err)
		}
		if got := math.IsNaN(float64(out[0].Float32[3*16*16])); got != math.IsInf(float64(v), 1) {
			t.Errorf("call %d is answered as if the scalar were not %v", i, v)
		}
		release()
	}
}
