package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/models"
)

// loadedModel is a segmenter and the runtime beneath it, closed together.
type loadedModel struct {
	inference.Segmenter
	runtime *onnx.Runtime
}

// Close closes the segmenter, then the runtime.
func (m *loadedModel) Close() error { return errors.Join(m.Segmenter.Close(), m.runtime.Close()) }

// openModel opens the configured model on the best provider that works here.
func openModel(ctx context.Context, c config.Model, log *slog.Logger) (*loadedModel, error) {
	rt, err := onnx.Open(onnx.Options{})
	if err != nil {
		return nil, err
	}
	s, err := openSegmenter(ctx, rt, c, log)
	if err != nil {
		return nil, errors.Join(err, rt.Close())
	}
	return &loadedModel{s, rt}, nil
}

func openSegmenter(_ context.Context, rt *onnx.Runtime, c config.Model, _ *slog.Logger) (inference.Segmenter, error) {
	o := onnx.SessionOptions{Threads: c.Threads}
	enc, err := rt.Load(onnx.Model{Name: models.Name + " encoder", Data: models.Encoder()}, o)
	if err != nil {
		return nil, err
	}
	dec, err := rt.Load(onnx.Model{Name: models.Name + " decoder", Data: models.Decoder()}, o)
	if err != nil {
		return nil, errors.Join(err, enc.Close())
	}
	return inference.NewSegmenter(inference.Families()[0], enc, dec, inference.Options{Name: models.Name, Side: c.Input, Provider: onnx.CPU, Why: "only the CPU was asked for"})
}
