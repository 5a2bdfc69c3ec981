package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/known"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/inference/provider"
	"github.com/segedge/segedge/inference/store"
	"github.com/segedge/segedge/models"
)

// served is a model with what it has to do in the background: an engine to build, a server to ask.
type served interface {
	inference.Segmenter
	Run(ctx context.Context) error
}

// loadedModel is a model and the runtime beneath it, closed together.
type loadedModel struct {
	served
	runtime *onnx.Runtime
}

// Close closes the segmenter, then the runtime.
func (m *loadedModel) Close() error { return errors.Join(m.served.Close(), m.runtime.Close()) }

// openModel opens the configured model on the best provider that works here. Pulled models and TensorRT's engines are in the state folder.
func openModel(ctx context.Context, c config.Config, log *slog.Logger) (*loadedModel, error) {
	return openBy(ctx, c, log, openOn)
}

// openUnproved is openModel for the command that proves it.
func openUnproved(ctx context.Context, c config.Config) (*loadedModel, error) {
	return openBy(ctx, c, slog.New(slog.DiscardHandler), openAny)
}

type opener func(ctx context.Context, rt *onnx.Runtime, c config.Model, state string, log *slog.Logger) (served, error)

func openBy(ctx context.Context, c config.Config, log *slog.Logger, open opener) (*loadedModel, error) {
	state, err := stateDir(c.Agent.State)
	if err != nil {
		return nil, err
	}
	rt, err := onnx.Open(onnx.Options{})
	if err != nil {
		return nil, err
	}
	m, err := open(ctx, rt, c.Model, state, log)
	if err != nil {
		return nil, errors.Join(err, rt.Close())
	}
	return &loadedModel{m, rt}, nil
}

// openOn opens a model on a runtime that is open already. One that does not answer known pictures is refused before it is used; the
// built-in one is trusted. One that an inference server runs has the built-in one beside it, and is proved whenever it is reached.
func openOn(ctx context.Context, rt *onnx.Runtime, c config.Model, state string, log *slog.Logger) (served, error) {
	if c.Remote.Address != "" {
		return openElsewhere(ctx, rt, c, state, log)
	}
	m, err := openAny(ctx, rt, c, state, log)
	if err != nil || builtIn(c) {
		return m, err
	}
	if err := proved(ctx, m); err != nil {
		return nil, errors.Join(fmt.Errorf("model %s is refused: %w", m.Info().Name, err), m.Close())
	}
	return m, nil
}

// proved asks a model about known pictures, and one that remembers also to follow what is known.
func proved(ctx context.Context, m served) error {
	if err := known.Prove(ctx, m); err != nil {
		return err
	}
	if v, ok := m.(*remembering); ok {
		return follows(ctx, v.Model)
	}
	return nil
}

func builtIn(c config.Model) bool {
	return c.Encoder == "" && (c.Name == "" || c.Name == "default" || c.Name == models.Name)
}

// openAny opens a model, whatever it answers.
func openAny(ctx context.Context, rt *onnx.Runtime, c config.Model, state string, log *slog.Logger) (served, error) {
	name, files, err := modelFiles(c, state)
	if err != nil {
		return nil, err
	}
	if r, err := memory.Recognise(files...); err == nil {
		return openVideo(ctx, rt.Factory(onnx.SessionOptions{Threads: c.Threads}), c, name, r, log)
	}
	machine := provider.Detect(os.DirFS("/"))
	o := provider.Options{
		Prefer: c.Provider, Runtime: rt.Version(), GPU: machine.GPU, TensorRT: machine.TensorRT, Logger: log,
		Half:    os.Getenv("SEGEDGE_TENSORRT_FP32") == "", // scripts/gpu-report.sh measures both
		Family:  c.Family,
		Cache:   filepath.Join(state, "engines"),
		Trusted: files[0].Path == "", Model: inference.Options{Name: name, Side: c.Input},
	}
	m, err := provider.Open(ctx, rt.Factory(onnx.SessionOptions{Threads: c.Threads}), o, files...)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// modelFiles are the graphs of the configured model: the files named, the built-in ones, those pulled or put into the state folder's
// models/NAME, or those of a folder.
func modelFiles(c config.Model, state string) (name string, files []inference.File, err error) {
	switch {
	case c.Encoder != "":
		return filepath.Base(filepath.Dir(c.Encoder)), []inference.File{{Path: c.Encoder}, {Path: c.Decoder}}, nil
	case builtIn(c):
		return models.Name, []inference.File{
			{Name: models.Name + " encoder", Data: models.Encoder()}, {Name: models.Name + " decoder", Data: models.Decoder()},
		}, nil
	}
	if name, files, ok := pulled(c.Name, state); ok {
		return name, files, nil
	}
	if own, ok := ownFolder(c.Name, state); ok {
		return modelFolder(own)
	}
	if _, err := os.Stat(c.Name); err != nil && published(c.Name) {
		return "", nil, notPulled(c.Name, state)
	}
	return modelFolder(c.Name)
}

// ownFolder is the folder among the state folder's models that a name means, unless it is that of a published model.
func ownFolder(name, state string) (string, bool) {
	dir := filepath.Join(state, "models", name)
	s := store.Store{Dir: filepath.Join(state, "models"), Models: store.Published()}
	return dir, name != "." && filepath.IsLocal(name) && isDir(dir) && !s.Begun(name)
}

// published reports whether a name is that of a model that can be pulled.
func published(name string) bool {
	return slices.ContainsFunc(store.Published(), func(m store.Model) bool { return m.Name == name })
}

func notPulled(name, state string) error {
	return fmt.Errorf("model %q is not on this machine yet: pull it first, segedge models pull --state %s %s", name, state, name)
}

// listed refuses a model that no list of this machine has: a command names no path, be it a file beside the agent.
func listed(name, state string) error {
	if strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("%q is a path: a command names a model that `segedge models list` shows", name)
	}
	_, _, here := pulled(name, state)
	_, own := ownFolder(name, state)
	switch {
	case here || own || builtIn(config.Model{Name: name}):
		return nil
	case published(name):
		return notPulled(name, state)
	}
	return fmt.Errorf("%q is neither default nor a model of this machine that `segedge models list` shows", name)
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// pulled are the graphs of a published model that was downloaded.
func pulled(name, state string) (string, []inference.File, bool) {
	s, err := (&storeFlags{State: state}).open()
	if err != nil {
		return "", nil, false
	}
	paths, err := s.Paths(name)
	if err != nil {
		return "", nil, false
	}
	var files []inference.File
	for _, p := range paths {
		if filepath.Ext(p) == ".onnx" {
			files = append(files, inference.File{Path: p})
		}
	}
	return name, files, len(files) > 0
}

// modelFolder are the one or two graphs in a folder, the four of a video model, or a single file.
func modelFolder(path string) (string, []inference.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", nil, fmt.Errorf(
			"model.name %q is neither default, nor a model that was pulled (segedge models list), nor a folder or file with ONNX graphs",
			path,
		)
	}
	if !st.IsDir() {
		return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), []inference.File{{Path: path}}, nil
	}
	files, err := graphsIn(path)
	if err != nil {
		return "", nil, err
	}
	if _, err := memory.Recognise(files...); err != nil && len(files) > 2 {
		return "", nil, fmt.Errorf(
			"model.name %s has %d ONNX files, not one or two: name the files as model.encoder and model.decoder",
			path,
			len(files),
		)
	}
	return filepath.Base(path), files, nil
}

// graphsIn are the ONNX files of a folder. Where there are none, the error says what is there instead.
func graphsIn(dir string) ([]inference.File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []inference.File
	var foreign error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.EqualFold(filepath.Ext(e.Name()), ".onnx") {
			files = append(files, inference.File{Path: path})
		} else if foreign == nil {
			foreign = inference.Foreign(path)
		}
	}
	if len(files) == 0 {
		return nil, cmp.Or(foreign, fmt.Errorf("model.name %s has no ONNX files", dir))
	}
	return files, nil
}
