package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/grounding"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/models"
	"github.com/segedge/segedge/seg"
)

// noGrounding as grounding.model is no detector.
const noGrounding = "none"

// wordsCmd lists what can be said.
type wordsCmd struct{ settings }

func (c *wordsCmd) Run(e *env) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	more, err := synonyms(cfg)
	if err != nil {
		return err
	}
	w, err := grounding.NewWords(more)
	if err != nil {
		return err
	}
	for _, line := range w.List() {
		if _, err := fmt.Fprintln(e.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

// synonyms are a person's own words.
func synonyms(c config.Config) (string, error) {
	if c.Grounding.Synonyms == "" {
		return "", nil
	}
	more, err := os.ReadFile(c.Grounding.Synonyms)
	if err != nil {
		return "", fmt.Errorf("grounding.synonyms: %w", err)
	}
	return string(more), nil
}

// openGrounder opens the detector of words, the built-in one or the configured; nil where none is wanted. The graph is the caller's to
// close.
func openGrounder(rt *onnx.Runtime, c config.Config) (*grounding.Detector, *onnx.Graph, error) {
	file := inference.File{Path: c.Grounding.Model}
	switch c.Grounding.Model {
	case noGrounding:
		return nil, nil, nil
	case "":
		file = inference.File{Name: "yolox_nano", Data: models.Detector()}
	}
	more, err := synonyms(c)
	if err != nil {
		return nil, nil, err
	}
	g, err := rt.Load(file, onnx.SessionOptions{Threads: 1}) // it works in the thread that asks, which may be one that stands back
	if err != nil {
		return nil, nil, fmt.Errorf("grounding.model: %w", err)
	}
	d, err := grounding.New(g, grounding.Options{Synonyms: more})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("grounding: %w", err), g.Close())
	}
	return d, g, nil
}

// inWords are the prompts that a phrase means in a picture, and what was not as it says.
func inWords(
	ctx context.Context,
	m *loadedModel,
	c config.Config,
	f *frame.Frame,
	phrase string,
) (prompts []seg.Prompt, note string, err error) {
	d, g, err := openGrounder(m.runtime, c)
	if err != nil {
		return nil, "", err
	}
	if d == nil {
		return nil, "", errors.New("--text: grounding.model is none")
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	boxes, note, err := d.Ground(ctx, m.served, f, phrase)
	for i := range boxes {
		prompts = append(prompts, seg.Prompt{Box: &boxes[i].Box, Single: true})
	}
	return prompts, note, err
}

// detected are the boxes of what the detector knows in a picture; none where there is no detector.
func detected(ctx context.Context, m *loadedModel, c config.Config, f *frame.Frame) (boxes []seg.Box, err error) {
	d, g, err := openGrounder(m.runtime, c)
	if err != nil || d == nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	return d.Things(ctx, f)
}
