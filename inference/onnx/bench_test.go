package onnx

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// cpu reports the process's processor time for each round: on a busy machine the clock says little.
func cpu(b *testing.B) func() {
	var from, to syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &from)
	return func() {
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &to)
		used := time.Duration(to.Utime.Nano() + to.Stime.Nano() - from.Utime.Nano() - from.Stime.Nano())
		b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	}
}

func shaded(w, h int) *frame.Frame {
	f := frame.New(w, h)
	for i := range f.Pix {
		f.Pix[i] = byte(60 + i/7%120)
	}
	return f
}

// BenchmarkEncode measures Embed of the default model: pre-processing and the encoder.
func BenchmarkEncode(b *testing.B) {
	s := defaultModel(b, SessionOptions{Threads: 1})
	for _, size := range [][2]int{{320, 180}, {1280, 720}} {
		f := shaded(size[0], size[1])
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				e, err := s.Embed(b.Context(), f)
				if err != nil {
					b.Fatal(err)
				}
				_ = e.Close()
			}
		})
	}
}

// BenchmarkDecode measures one call for several objects, each with a click and its mask, as on a keyframe.
func BenchmarkDecode(b *testing.B) {
	s := defaultModel(b, SessionOptions{Threads: 1})
	e, err := s.Embed(b.Context(), shaded(1280, 720))
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	w, h, extent := s.Info().Logits(1280, 720)
	mask := &seg.Logits{W: w, H: h, Extent: extent, Data: make([]float32, w*h)}
	for _, n := range []int{1, 5, 10} {
		var prompts []seg.Prompt
		for i := range n {
			click := seg.Click{Point: seg.Point{X: (float64(i) + 0.5) / 10, Y: 0.5}, Label: seg.Positive}
			prompts = append(prompts, seg.Prompt{Clicks: []seg.Click{click}, Mask: mask})
		}
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			defer cpu(b)()
			for b.Loop() {
				if _, err := e.Decode(b.Context(), prompts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
