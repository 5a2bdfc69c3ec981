//go:build cgo

package tracker_test

import (
	"fmt"
	"testing"

	"github.com/segedge/segedge/tracker/flow"
)

// BenchmarkStepOpenCV is BenchmarkStep with OpenCV's flow.
func BenchmarkStepOpenCV(b *testing.B) {
	for _, n := range crowds {
		b.Run(fmt.Sprintf("objects=%d", n), func(b *testing.B) {
			motion := flow.New(flow.Options{})
			defer func() {
				if err := motion.Close(); err != nil {
					b.Error(err)
				}
			}()
			benchmarkStep(b, n, motion)
		})
	}
}
