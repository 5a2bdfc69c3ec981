package onnx

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/seg"
)

func fixturePath(name string) string {
	return filepath.Join("..", "testdata", "fixtures", filepath.FromSlash(name)+".onnx")
}

// TestBadFilesGetOneSentence opens what is no model, or no longer one.
func TestBadFilesGetOneSentence(t *testing.T) {
	rt := testRuntime(t)
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	whole := models.Decoder()
	broken := append([]byte(nil), whole...)
	for i := len(broken) / 2; i < len(broken)/2+4000; i++ {
		broken[i] = 0xff
	}
	for name, c := range map[string]struct {
		file inference.File
		want string
	}{
		"missing":      {inference.File{Path: filepath.Join(dir, "gone.onnx")}, "gone.onnx: no such file"},
		"a folder":     {inference.File{Path: dir}, "not a regular file"},
		"empty":        {inference.File{Path: write("empty.onnx", nil)}, "empty.onnx: not an ONNX model: the file is empty"},
		"text":         {inference.File{Path: write("page.onnx", []byte("<!DOCTYPE html><html><body>404</body></html>"))}, "page.onnx: not an ONNX model"},
		"zeros":        {inference.File{Path: write("zeros.onnx", make([]byte, 4096))}, "not an ONNX model"},
		"truncated":    {inference.File{Path: write("cut.onnx", whole[:len(whole)/2])}, "cut.onnx: the file is cut off: fetch it again"},
		"nearly whole": {inference.File{Path: write("cut2.onnx", whole[:len(whole)-9])}, "cut2.onnx"},
		"in memory":    {inference.File{Name: "memory", Data: whole[:1000]}, "model memory: the file is cut off"},
	} {
		_, err := rt.Load(c.file, SessionOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: %v\nwant %q", name, err, c.want)
		}
	}
	if g, err := rt.Load(inference.File{Path: write("broken.onnx", broken)}, SessionOptions{}); err == nil {
		_ = g.Close() // overwritten weights are still weights; the engine checks what they answer
	}
	if _, err := rt.Load(inference.File{Path: fixturePath("sam/decoder")}, SessionOptions{Outputs: []string{"masks", "nonsense"}}); err == nil || !strings.Contains(err.Error(), `no output "nonsense"`) {
		t.Errorf("unknown output: %v", err)
	}
}

func TestUnknownFamilyIsRefusedWithReasons(t *testing.T) {
	enc, dec := inference.File{Path: fixturePath("sam/encoder")}, inference.File{Path: fixturePath("sam/decoder")}
	for name, c := range map[string]struct {
		files []inference.File
		want  []string
	}{
		"two encoders":   {[]inference.File{enc, enc}, []string{"no known family", "encoder.onnx takes image float32 [1 3 1024 1024] and gives image_embeddings", "but its decoder has an input"}},
		"decoder alone":  {[]inference.File{dec}, []string{"the nearest is sam", "it is two files"}},
		"mixed families": {[]inference.File{enc, {Path: fixturePath("sam2/decoder")}}, []string{"the nearest is", "encoder has an output"}},
		"sizes disagree": {[]inference.File{{Path: fixturePath("segedge/encoder")}, dec}, []string{"no known family"}},
	} {
		_, err := inference.Recognise("", c.files...)
		if !errors.Is(err, inference.ErrUnknownFamily) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v\nlacks %q", name, err, w)
			}
		}
	}
	if _, err := inference.Recognise("sam9", enc, dec); err == nil || !strings.Contains(err.Error(), `unknown family "sam9": there are segedge, sam,`) {
		t.Errorf("unknown family: %v", err)
	}
	if _, err := inference.Recognise(""); err == nil {
		t.Error("no files")
	}
}

func samEncoder(t *testing.T, o SessionOptions) *Graph {
	t.Helper()
	g, err := testRuntime(t).Load(inference.File{Path: fixturePath("sam/encoder")}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func TestWrongInputsAreRefused(t *testing.T) {
	g := samEncoder(t, SessionOptions{})
	pixels := make([]float32, 3<<20)
	for name, c := range map[string]struct {
		in   inference.Tensor
		want string
	}{
		"name":  {inference.Tensor{Name: "picture", Shape: []int64{1, 3, 1024, 1024}, Float32: pixels}, `input "image" is missing`},
		"rank":  {inference.Tensor{Name: "image", Shape: []int64{3, 1024, 1024}, Float32: pixels}, "shape [3 1024 1024], the model wants [1 3 1024 1024]"},
		"size":  {inference.Tensor{Name: "image", Shape: []int64{1, 3, 512, 512}, Float32: pixels}, "the model wants"},
		"type":  {inference.Tensor{Name: "image", Shape: []int64{1, 3, 1024, 1024}, Uint8: make([]uint8, 3<<20)}, "uint8, the model wants float32"},
		"short": {inference.Tensor{Name: "image", Shape: []int64{1, 3, 1024, 1024}, Float32: pixels[1:]}, "3145727 values for shape"},
	} {
		if _, _, err := g.Run(t.Context(), []inference.Tensor{c.in}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestOutputsAreReusedAndStayValidUntilReleased(t *testing.T) {
	g := samEncoder(t, SessionOptions{})
	in := []inference.Tensor{{Name: "image", Shape: []int64{1, 3, 1024, 1024}, Float32: make([]float32, 3<<20)}}
	first, release, err := g.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	kept := &first[0].Float32[0]
	for i := range in[0].Float32 {
		in[0].Float32[i] = 1
	}
	second, release2, err := g.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if &second[0].Float32[0] == kept || first[0].Float32[0] == second[0].Float32[0] {
		t.Error("outputs that are held were overwritten")
	}
	release()
	release() // harmless
	third, release3, err := g.Run(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if &third[0].Float32[0] != kept {
		t.Error("released memory is not used again")
	}
	release2()
	release3()
	if err := errors.Join(g.Close(), g.Close()); err != nil {
		t.Error(err)
	}
	if _, _, err := g.Run(t.Context(), in); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("run after close: %v", err)
	}
}

// TestOutputsWhoseShapeDependsOnValues runs SAM's decoder with its enlarged masks, whose size is an input's value.
func TestOutputsWhoseShapeDependsOnValues(t *testing.T) {
	g, err := testRuntime(t).Load(inference.File{Path: fixturePath("sam/decoder")}, SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, size := range []float32{60, 60, 90, 30, 90} {
		out, release, err := g.Run(t.Context(), []inference.Tensor{
			{Name: "image_embeddings", Shape: []int64{1, 256, 64, 64}, Float32: make([]float32, 1<<20)},
			{Name: "point_coords", Shape: []int64{1, 1, 2}, Float32: []float32{0, 0}},
			{Name: "point_labels", Shape: []int64{1, 1}, Float32: []float32{-1}},
			{Name: "mask_input", Shape: []int64{1, 1, 256, 256}, Float32: make([]float32, 1<<16)},
			{Name: "has_mask_input", Shape: []int64{1}, Float32: []float32{0}},
			{Name: "orig_im_size", Shape: []int64{2}, Float32: []float32{size, size}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if out[0].Shape[2] != int64(size) || out[0].Len() != 4*int(size*size) {
			t.Errorf("masks of %v: shape %v with %d values", size, out[0].Shape, out[0].Len())
		}
		release()
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	s := defaultModel(t, SessionOptions{})
	e, err := s.Embed(t.Context(), shaded(640, 360))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var prompts []seg.Prompt
	for i := range 400 {
		prompts = append(prompts, seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: float64(i) / 400, Y: .5}, Label: 1}}})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.Decode(ctx, prompts); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a cancelled call: %v", err)
	}
	if _, err := e.Decode(t.Context(), prompts[:1]); err != nil {
		t.Errorf("the call after it: %v", err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	s := defaultModel(t, SessionOptions{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 3 {
				e, err := s.Embed(t.Context(), shaded(320, 180+2*i+k))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := e.Decode(t.Context(), []seg.Prompt{{Clicks: []seg.Click{{Point: seg.Point{X: .5, Y: .5}, Label: 1}}}}); err != nil {
					t.Error(err)
				}
				if err := e.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestProvidersThatAreNotThereSaySo(t *testing.T) {
	f := testRuntime(t).Factory(SessionOptions{})
	for _, p := range []string{inference.CUDA, inference.TensorRT, "npu"} {
		err := f.Probe(inference.Provider{Name: p})
		if err == nil {
			t.Logf("%s is there", p)
			continue
		}
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v", p, err)
		}
		if _, err := f.Load(inference.File{Path: fixturePath("sam/encoder")}, nil, inference.Provider{Name: p}); err == nil {
			t.Errorf("%s: loaded though it is not there", p)
		}
	}
	for _, p := range []inference.Provider{{}, inference.Unoptimized()} {
		if err := f.Probe(p); err != nil {
			t.Errorf("cpu: %v", err)
		}
	}
}

func TestASecondRuntimeIsRefused(t *testing.T) {
	rt := testRuntime(t)
	if _, err := Open(Options{}); !errors.Is(err, ErrOpen) {
		t.Errorf("%v", err)
	}
	g := samEncoder(t, SessionOptions{})
	if err := rt.Close(); err == nil || !strings.Contains(err.Error(), "still open") {
		t.Errorf("close under a graph: %v", err)
	}
	_ = g
	if rt.Version() == "" || rt.Library() == "" {
		t.Error("it does not say what it is")
	}
}

func TestThreadsLeaveTheTrackerItsCores(t *testing.T) {
	for cores, want := range map[int]int{1: 1, 2: 1, 3: 1, 4: 2, 6: 4, 12: 8, 64: 8} {
		if got := Threads(cores); got != want {
			t.Errorf("%d cores: %d threads, want %d", cores, got, want)
		}
	}
}

// TestSignalActionsSurvive replaces an action behind Go's back, as the CUDA provider does.
func TestSignalActionsSurvive(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: reads signal actions with Linux's system call")
	}
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR2)
	defer signal.Stop(got)
	rt := testRuntime(t)
	err := rt.withSignals(inference.Provider{Name: inference.CUDA}, func() error {
		ignore := struct{ handler, flags, restorer, mask uintptr }{handler: 1} // SIG_IGN
		if _, _, e := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(syscall.SIGUSR2), uintptr(unsafe.Pointer(&ignore)), 0, 8, 0, 0); e != 0 {
			return e
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	select {
	case <-got:
	case <-time.After(10 * time.Second):
		t.Error("the signal was lost")
	}
}
