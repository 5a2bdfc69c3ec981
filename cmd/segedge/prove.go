package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/known"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/inference/provider"
	"github.com/segedge/segedge/seg"
)

type modelsCheckCmd struct {
	settings
	Model string `arg:"" optional:"" help:"A model's name, a folder or a file; by default the configured one."`
	State string `help:"State folder, for names." type:"path" placeholder:"DIR"`
	JSON  bool   `name:"json" help:"Print the result as JSON."`

	Require providerName `name:"require-provider" help:"Fail with exit code 69 where the model runs on nothing as good as this: cpu, cuda, tensorrt; without it, the best that works here will do." placeholder:"PROVIDER"`
}

// checkResult is how a model runs here.
type checkResult struct {
	Model     string  `json:"model"`
	Family    string  `json:"family"`
	Provider  string  `json:"provider"`
	Why       string  `json:"why"`
	EncodeMS  float64 `json:"encode_ms"`
	Decode1MS float64 `json:"decode_1_ms"`
	Decode5MS float64 `json:"decode_5_ms"`
	AgreesIoU float64 `json:"agreement_iou"`
	Disagrees string  `json:"disagreement,omitempty"`
	// Known are the IoU of the answers to pictures whose right answers are known, by question; Refused says what is wrong with them.
	Known   map[string]float64 `json:"known"`
	Mean    float64            `json:"known_mean"` // of them all
	Refused string             `json:"refused,omitempty"`
}

func (c *modelsCheckCmd) Run(e *env) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	cfg.Agent.State = cmp.Or(c.State, cfg.Agent.State)
	state, err := stateDir(cfg.Agent.State)
	if err != nil {
		return err
	}
	place := c.Model
	if own, ok := ownFolder(c.Model, state); ok {
		place = own
	}
	if r, ok := videoModel(place); ok {
		return checkVideo(e, c.Model, r, cfg.Model.Threads, c.JSON)
	}
	if c.Model != "" {
		cfg.Model.Name, cfg.Model.Encoder, cfg.Model.Decoder = c.Model, "", ""
	}
	m, err := openUnproved(e.ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.runtime.Close()) }()
	_, files, err := modelFiles(cfg.Model, state)
	if err != nil {
		return errors.Join(err, m.served.Close())
	}
	out, err := c.measured(e.ctx, m, cfg.Model, files)
	if lacks := (lacksProvider{}); errors.As(err, &lacks) {
		return err
	} else if err != nil {
		return whyNot(e.ctx, m.runtime, cfg.Model, files, err)
	}
	if err := out.prove(e.ctx, m.runtime, cfg.Model, files); err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(e.stdout).Encode(out)
	} else {
		err = out.print(e.stdout)
	}
	if err == nil && (out.Disagrees != "" || out.Refused != "") {
		return exitError(1)
	}
	return err
}

// measured is how the model runs, which is closed then: a large one takes gigabytes a session.
func (c *modelsCheckCmd) measured(
	ctx context.Context,
	m *loadedModel,
	model config.Model,
	files []inference.File,
) (_ *checkResult, err error) {
	defer func() { err = errors.Join(err, m.served.Close()) }()
	if err := require(c.Require, m.Info()); err != nil {
		return nil, err
	}
	load := m.runtime.Loader(onnx.SessionOptions{Provider: inference.Unoptimized()})
	plain, err := inference.Open(load, model.Family, inference.Options{Side: model.Input}, files...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	return runCheck(ctx, m, plain)
}

// whyNot is why a model does not answer the test picture, with what its fault looks like where it answers others all the same.
func whyNot(ctx context.Context, rt *onnx.Runtime, c config.Model, files []inference.File, why error) error {
	found, err := inference.Recognise(c.Family, files...)
	if err != nil {
		return why
	}
	_, err = examine(ctx, rt, c, found, "")
	if refused := (*known.Refused)(nil); errors.As(err, &refused) && refused.Looks != "" {
		return fmt.Errorf("%s (%w)", refused.Looks, why)
	}
	return why
}

func (r *checkResult) print(w io.Writer) error {
	fmt.Fprintf(w, "%s (%s) on %s: encode %.1f ms, decode %.1f ms, five prompts %.1f ms; IoU with the plain CPU %.4f %s\n",
		r.Model, r.Family, r.Provider, r.EncodeMS, r.Decode1MS, r.Decode5MS, r.AgreesIoU, r.Disagrees)
	for _, name := range slices.Sorted(maps.Keys(r.Known)) {
		fmt.Fprintf(w, "  %-50s IoU %.2f\n", name, r.Known[name])
	}
	if len(r.Known) > 0 {
		fmt.Fprintf(w, "  %-50s IoU %.2f\n", fmt.Sprintf("the mean of these %d", len(r.Known)), r.Mean)
	}
	if r.Refused != "" {
		fmt.Fprintln(w, "REFUSED:", r.Refused)
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", r.Provider, r.Why)
	return err
}

// prove asks the model what is known.
func (r *checkResult) prove(ctx context.Context, rt *onnx.Runtime, c config.Model, files []inference.File) error {
	found, err := inference.Recognise(c.Family, files...)
	if err != nil {
		return err
	}
	answers, err := examine(ctx, rt, c, found, r.Model)
	r.Known = map[string]float64{}
	for _, a := range answers {
		r.Known[a.Name] = seg.Round4(a.IoU)
	}
	r.Mean = seg.Round4(known.Mean(answers))
	if err != nil {
		r.Refused = err.Error()
	}
	return ctx.Err()
}

// examine asks a model what is known, by one set of rules and another.
func examine(ctx context.Context, rt *onnx.Runtime, c config.Model, found *inference.Recognised, name string) ([]known.Answer, error) {
	load := rt.Loader(onnx.SessionOptions{Threads: c.Threads})
	return known.Examine(ctx, found.Family, func(f inference.Family) (inference.Segmenter, error) {
		return found.Load(load, f, inference.Options{Name: name, Side: c.Input})
	})
}

func runCheck(ctx context.Context, m *loadedModel, plain inference.Segmenter) (*checkResult, error) {
	info := m.Info()
	out := &checkResult{Model: info.Name, Family: info.Family, Provider: info.Provider, Why: info.Why}
	agree, err := provider.Compare(ctx, plain, m.served) // the first run of both, which is slower
	if err != nil {
		return nil, err
	}
	out.AgreesIoU = seg.Round4(agree.IoU)
	if err := agree.Check(); err != nil {
		out.Disagrees = err.Error()
	}
	return out, out.time(ctx, m.served, provider.TestPicture())
}

func (r *checkResult) time(ctx context.Context, m inference.Segmenter, f *frame.Frame) error {
	ms := func(start time.Time) float64 { return seg.Round4(time.Since(start).Seconds() * 1000) }
	start := time.Now()
	emb, err := m.Embed(ctx, f)
	if err != nil {
		return err
	}
	r.EncodeMS = ms(start)
	for _, d := range []struct {
		n    int
		took *float64
	}{{1, &r.Decode1MS}, {5, &r.Decode5MS}} {
		prompts := make([]seg.Prompt, d.n)
		for i := range prompts {
			prompts[i].Clicks = []seg.Click{{Point: seg.Point{X: 0.3 + 0.1*float64(i), Y: 0.5}, Label: seg.Positive}}
		}
		start := time.Now()
		if _, err := emb.Decode(ctx, prompts); err != nil {
			return errors.Join(err, emb.Close())
		}
		*d.took = ms(start)
	}
	return emb.Close()
}
