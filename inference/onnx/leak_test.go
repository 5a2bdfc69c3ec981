package onnx

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/segedge/segedge/seg"
)

// resident is the process's memory in KiB.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("SKIPPED: no /proc here: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			n, _ := strconv.Atoi(f[1])
			return n
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// TestMemoryIsFlat encodes and decodes like a camera that runs for long, with the number of objects changing.
func TestMemoryIsFlat(t *testing.T) {
	s := defaultModel(t, SessionOptions{Threads: 1})
	f := shaded(160, 96)
	var prompts []seg.Prompt
	for i := range 4 {
		prompts = append(prompts, seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: .2 * float64(i+1), Y: .5}, Label: seg.Positive}}})
	}
	windows := make([]seg.Prompt, 5) // objects of many sizes at many places: many shapes of the decoder's inputs
	rounds := func(n int) {
		for i := range n {
			for k := range windows {
				w := 0.05 + float64((i*7+k*3)%20)/60
				windows[k] = followed(seg.Box{X0: 0.1 * float64(k), Y0: 0.2, X1: 0.1*float64(k) + w, Y1: 0.2 + w})
			}
			e, err := s.Embed(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Decode(t.Context(), prompts[:1+i%4]); err != nil {
				t.Fatal(err)
			}
			if _, err := e.Decode(t.Context(), windows[:1+i%5]); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	rounds(120)
	before := resident(t)
	rounds(150)
	if grown := resident(t) - before; grown > 16<<10 {
		t.Errorf("grown by %d KiB in 150 keyframes", grown)
	} else {
		t.Logf("%d KiB more after 150 keyframes", grown)
	}
}
