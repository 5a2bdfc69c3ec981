// Package malloc keeps the C library's heap from growing: what OpenCV, FFmpeg, ONNX Runtime and the encoder allocate. glibc gives every few
// threads a heap of their own, up to eight for each core, and Go moves goroutines between threads, so the same work touches one heap after
// the other, each of which keeps its peak; free pages between blocks that are in use are not given back. It is a leaf that calls C, knows
// nothing of who allocates, and does nothing where the C library is another.
package malloc

// #include <malloc.h>
// #include <stdlib.h>
// #ifdef __GLIBC__
// static void heaps(int n) { mallopt(M_ARENA_MAX, n); }
// static void trim(void) { malloc_trim(0); }
// #else
// static void heaps(int n) { (void)n; }
// static void trim(void) {}
// #endif
import "C"

import (
	"context"
	"time"
)

// mostHeaps is how many heaps all threads share: two, since a camera's thread and the model's are busy at the same time.
const mostHeaps = 2

// trimEvery is how often free pages are given back. It takes a few milliseconds.
const trimEvery = 20 * time.Second

// Limit bounds the number of heaps from now on. Call it before anything that calls C.
func Limit() { C.heaps(mostHeaps) }

// Trim gives free pages back to the system, every 20 s, until ctx ends.
func Trim(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			C.trim()
		}
	}
}
