package onnx

import (
	"fmt"
	"image"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// watch measures this thread's processor time, round by round: on a busy machine the clock says little, and the mean tells of its caches.
type watch struct {
	from, sum, best time.Duration
	n               int
}

// cpu begins to measure; the model must run in the caller's thread (Threads: 1).
func cpu() *watch {
	runtime.LockOSThread()
	return &watch{best: time.Hour}
}

func (w *watch) start() { w.from = threadTime() }

func (w *watch) stop() {
	took := threadTime() - w.from
	w.sum, w.best, w.n = w.sum+took, min(w.best, took), w.n+1
}

func (w *watch) report(b *testing.B) {
	runtime.UnlockOSThread()
	b.ReportMetric(w.best.Seconds()*1000, "best-cpu-ms")
	b.ReportMetric(w.sum.Seconds()*1000/float64(w.n), "cpu-ms/op")
	b.ReportMetric(0, "ns/op")
}

// threadTime is the processor time that this thread has used (clock_gettime, CLOCK_THREAD_CPUTIME_ID).
func threadTime() time.Duration {
	const thread = 3
	var ts syscall.Timespec
	_, _, _ = syscall.Syscall(syscall.SYS_CLOCK_GETTIME, thread, uintptr(unsafe.Pointer(&ts)), 0)
	return time.Duration(ts.Nano())
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
			w := cpu()
			defer w.report(b)
			for b.Loop() {
				w.start()
				e, err := s.Embed(b.Context(), f)
				if err != nil {
					b.Fatal(err)
				}
				_ = e.Close()
				w.stop()
			}
		})
	}
}

// followed is what the tracker asks about an object that fills a box: a mask on its own grid, one answer.
func followed(box seg.Box) seg.Prompt {
	m := seg.NewMask(320, 180, image.Rect(int(box.X0*320), int(box.Y0*180), int(box.X1*320), int(box.Y1*180)))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return seg.Prompt{Mask: seg.LogitsOf(m, 96, 54, seg.Point{X: 1, Y: 1}, 8), Single: true}
}

// crowd are n objects a tenth to a sixth of the picture high, side by side in two rows.
func crowd(n int) []seg.Prompt {
	var out []seg.Prompt
	for i := range n {
		x, y, h := 0.04+0.19*float64(i%5), 0.2+0.45*float64(i/5), 0.1+0.07*float64(i%3)/2
		out = append(out, followed(seg.Box{X0: x, Y0: y, X1: x + h*0.8, Y1: y + h*1.2}))
	}
	return out
}

// BenchmarkDecode measures a Decode of several objects: each found by a click; each followed, with its mask, as on a keyframe, on the
// whole input and on windows of it.
func BenchmarkDecode(b *testing.B) {
	clicks := func(n int) (out []seg.Prompt) {
		for i := range n {
			out = append(out, seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: (float64(i) + 0.5) / 10, Y: 0.5}, Label: seg.Positive}}})
		}
		return out
	}
	for _, side := range []int{320, 448} {
		for _, c := range []struct {
			name, provider string
			prompts        func(n int) []seg.Prompt
		}{{"clicks", inference.CPU, clicks}, {"masks-whole", inference.CUDA, crowd}, {"masks-windows", inference.CPU, crowd}} {
			// The graphs run on the CPU in any case; the name only says whether windows are used.
			s := defaultModelAs(b, SessionOptions{Threads: 1}, inference.Options{Provider: c.provider, Side: side})
			e, err := s.Embed(b.Context(), shaded(1280, 720))
			if err != nil {
				b.Fatal(err)
			}
			for _, n := range []int{1, 5, 10} {
				prompts := c.prompts(n)
				b.Run(fmt.Sprintf("%d/%s/objects=%d", side, c.name, n), func(b *testing.B) {
					b.ReportAllocs()
					w := cpu()
					defer w.report(b)
					for b.Loop() {
						w.start()
						if _, err := e.Decode(b.Context(), prompts); err != nil {
							b.Fatal(err)
						}
						w.stop()
					}
				})
			}
			if err := e.Close(); err != nil {
				b.Error(err)
			}
		}
	}
}
