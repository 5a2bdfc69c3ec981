package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// LibraryVariable is the environment variable that names the ONNX Runtime library: how a Jetson or a GPU box brings its
// own build.
const LibraryVariable = "SEGEDGE_ORT_LIB"

// libraryName is the name of the library where the project keeps its own, and in the system's folders.
const libraryName = "libonnxruntime.so.1"

// ErrNoLibrary is an ONNX Runtime that is not installed.
var ErrNoLibrary = errors.New("no ONNX Runtime library: run scripts/onnxruntime.sh, or set " + LibraryVariable +
	" to a libonnxruntime.so of version 1.22 or newer")

// place is where to look for the library; a value, so that tests look elsewhere.
type place struct {
	variable   string // content of LibraryVariable
	executable string // path of the running program
	working    string // working directory
	exists     func(path string) error
}

func here() place {
	exe, _ := os.Executable()
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	wd, _ := os.Getwd()
	return place{os.Getenv(LibraryVariable), exe, wd, func(p string) error { _, err := os.Stat(p); return err }}
}

// find is the path of the library: the variable's, or ../lib/segedge beside the program, or lib/segedge in the working
// directory or above it; else its bare name, for the system's loader.
func (p place) find() (string, error) {
	if p.variable != "" {
		if err := p.exists(p.variable); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s=%s: no such file", LibraryVariable, p.variable)
		}
		return p.variable, nil
	}
	candidates := []string{}
	if p.executable != "" {
		candidates = append(candidates, filepath.Join(filepath.Dir(p.executable), "..", "lib", "segedge", libraryName))
	}
	for dir := p.working; dir != ""; dir = filepath.Dir(dir) {
		candidates = append(candidates, filepath.Join(dir, "lib", "segedge", libraryName))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	for _, c := range candidates {
		if p.exists(c) == nil {
			return c, nil
		}
	}
	return libraryName, nil
}
