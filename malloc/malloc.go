// Package malloc keeps the C library's heap from growing: what OpenCV, FFmpeg, ONNX Runtime and the encoder allocate. glibc gives every few
// threads a heap of their own, up to eight for each core, and Go moves goroutines between threads, so the same work touches one heap after
// the other, each of which keeps its peak; free pages between blocks that are in use are not given back. A program that imports it has two
// heaps from its start (heaps.c). It is a leaf that calls C, knows nothing of who allocates, and does nothing with another C library.
package malloc

// #include "heaps.h"
import "C"

import (
	"context"
	"time"
)

// trimEvery is how often free pages are given back. It takes a few milliseconds.
const trimEvery = 20 * time.Second

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
