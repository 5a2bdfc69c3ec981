package provider

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"github.com/segedge/segedge/inference"
)

// measured is a model with what it cost to load it.
type measured struct {
	inference.Segmenter
	took   time.Duration
	memory int64
}

// Info is the model's, with its cost.
func (m *measured) Info() inference.Info {
	i := m.Segmenter.Info()
	i.LoadTime, i.LoadMemory = m.took, m.memory
	return i
}

// measure loads a model and notes how long it took and what this process has grown by, about: what else it does meanwhile is in it, and
// memory of a GPU is not.
func measure(load func() (inference.Segmenter, error)) (inference.Segmenter, error) {
	before, start := resident(), time.Now()
	s, err := load()
	if err != nil {
		return nil, err
	}
	m := &measured{Segmenter: s, took: time.Since(start)}
	if before > 0 {
		m.memory = max(0, resident()-before)
	}
	return m, nil
}

// resident is how much memory this process has (proc_pid_statm(5)), in bytes; 0 where that cannot be read.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(text)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
