package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/segedge/segedge/inference"
)

// engine is the folder of one TensorRT engine. ONNX Runtime never invalidates what it finds there, so the folder's name
// is made of everything that the engine depends on, and files say how far it got.
type engine struct {
	dir  string
	what string // readable: what the name is made of
}

const (
	readyFile    = "ready"    // the engine was built, and agreed with the CPU
	rejectedFile = "rejected" // it did not agree; holds the reason
	whatFile     = "engine.txt"
)

// newEngine names the folder: the hash of the model, the versions, the GPU and the flags.
func (m *Model) newEngine(options map[string]string) (*engine, error) {
	var w strings.Builder
	for _, f := range m.files {
		sum, err := hash(f)
		if err != nil {
			return nil, fmt.Errorf("engine cache: %w", err)
		}
		fmt.Fprintf(&w, "model %s\n", sum)
	}
	fmt.Fprintf(&w, "onnx runtime %s\ntensorrt %s\ngpu %s\n", m.opts.Runtime, m.opts.TensorRT, m.opts.GPU)
	var flags []string
	for k, v := range options {
		flags = append(flags, k+"="+v+"\n")
	}
	slices.Sort(flags)
	w.WriteString(strings.Join(flags, ""))
	sum := sha256.Sum256([]byte(w.String()))
	return &engine{dir: filepath.Join(m.opts.Cache, hex.EncodeToString(sum[:8])), what: w.String()}, nil
}

func hash(f inference.File) (string, error) {
	h := sha256.New()
	if f.Path == "" {
		h.Write(f.Data)
		return hex.EncodeToString(h.Sum(nil)), nil
	}
	file, err := os.Open(f.Path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// ready reports whether the engine was built and agreed.
func (e *engine) ready() bool {
	_, err := os.Stat(filepath.Join(e.dir, readyFile))
	return err == nil
}

// rejected is why an engine built earlier is not used, or empty.
func (e *engine) rejected() string {
	why, err := os.ReadFile(filepath.Join(e.dir, rejectedFile))
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s (found earlier; delete %s to try again)", why, e.dir)
}

// prepare makes the folder; one whose build was cut off is emptied first.
func (e *engine) prepare() error {
	if !e.ready() {
		return e.wipe()
	}
	return nil
}

// wipe makes the folder anew.
func (e *engine) wipe() error {
	if err := os.RemoveAll(e.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("engine cache: %w", err)
	}
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		return fmt.Errorf("engine cache: %w", err)
	}
	return e.write(whatFile, e.what)
}

// finish says that the engine is good.
func (e *engine) finish() error { return e.write(readyFile, "") }

// reject says that it is not; a failure to write it down only means that it is tried again.
func (e *engine) reject(why error) {
	_ = os.Remove(filepath.Join(e.dir, readyFile))
	_ = e.write(rejectedFile, why.Error())
}

func (e *engine) write(name, text string) error {
	if err := os.WriteFile(filepath.Join(e.dir, name), []byte(text), 0o644); err != nil {
		return fmt.Errorf("engine cache: %w", err)
	}
	return nil
}
