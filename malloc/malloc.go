// Package malloc keeps the heaps from growing, the C library's first of all: what OpenCV, FFmpeg, ONNX Runtime and the encoder allocate.
// glibc gives every few threads a heap of their own, up to eight for each core, and Go moves goroutines between threads, so the same work
// touches one heap after the other, each of which keeps its peak; free pages between blocks that are in use are not given back. A program
// that imports it has two heaps from its start (heaps.c). Go's own heap keeps what viewers or commands took for its next collection; it is
// given back as well. The package is a leaf that calls C, knows nothing of who allocates, and does nothing to another C library's.
package malloc

// #include "heaps.h"
import "C"

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// trimEvery is how often free pages are given back. It takes a few milliseconds.
const trimEvery = 20 * time.Second

// mostFree is how much of Go's heap may be free and kept: less is worth no collection.
const mostFree = 8 << 20

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
			if free() > mostFree {
				debug.FreeOSMemory()
			}
		}
	}
}

// free is how much of Go's heap is free, but not given back.
func free() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
