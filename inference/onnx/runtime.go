// Package onnx runs neural networks in ONNX Runtime, through its C library: it implements inference.Graph. It knows
// nothing of what a network means; inference does.
package onnx

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// Options of a Runtime.
type Options struct {
	// Library is the path of ONNX Runtime's shared library; empty looks it up: $SEGEDGE_ORT_LIB, ../lib/segedge beside the
	// program, lib/segedge in the working directory or above it, the system's loader.
	Library string
}

// Runtime is the one ONNX Runtime environment of this process, and its owner: Open sets it up, Close takes it down.
type Runtime struct {
	library string
	version string

	signals sync.Mutex // held while a provider may replace signal actions

	mu     sync.Mutex
	graphs int
	closed bool
}

// ErrOpen is a second environment: the C library allows one in a process.
var ErrOpen = errors.New("ONNX Runtime is open already: a process has one environment, share the Runtime")

// Open loads the library and sets the environment up.
func Open(o Options) (*Runtime, error) {
	if ort.IsInitialized() {
		return nil, ErrOpen
	}
	path := o.Library
	if path == "" {
		var err error
		if path, err = here().find(); err != nil {
			return nil, fmt.Errorf("onnx runtime: %w", err)
		}
	}
	ort.SetSharedLibraryPath(path)
	// What it logs goes to the standard error past the program's log; what matters comes back as an error.
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return nil, fmt.Errorf("onnx runtime: %w (%s: %w)", ErrNoLibrary, path, err)
	}
	return &Runtime{library: path, version: ort.GetVersion()}, nil
}

// Library is the path of the loaded library.
func (r *Runtime) Library() string { return r.library }

// Version is ONNX Runtime's own version, as "1.24.3".
func (r *Runtime) Version() string { return r.version }

// Close takes the environment down. It refuses while graphs are open: they use it.
func (r *Runtime) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	if r.graphs > 0 {
		return fmt.Errorf("onnx runtime: %d graphs are still open", r.graphs)
	}
	r.closed = true
	if err := ort.DestroyEnvironment(); err != nil {
		return fmt.Errorf("onnx runtime: close: %w", err)
	}
	return nil
}

// Threads is how many threads a session gets by default on a machine with so many cores: the tracker, the encoder and
// the camera keep two of them, and beyond eight a small model gains nothing.
func Threads(cores int) int { return min(max(cores-2, 1), 8) }

func defaultThreads() int { return Threads(runtime.GOMAXPROCS(0)) }

func (r *Runtime) add(n int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.New("onnx runtime: closed")
	}
	r.graphs += n
	return nil
}
