// Package provider chooses where a model runs: TensorRT, CUDA or the CPU, in that order, each only if its library is
// there and its answers agree with the CPU's. It builds TensorRT's engine in the background while another provider
// serves, keeps the engines, and swaps models between two keyframes. It runs no graph itself.
package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
)

// Auto prefers TensorRT over CUDA over the CPU.
const Auto = "auto"

// NotBuilt is in Why where nothing is missing for a better provider but its engine.
const NotBuilt = "its engine is not built yet"

// Options of a Model.
type Options struct {
	// Prefer is "auto" (or empty), "tensorrt", "cuda" or "cpu": the best provider that may be used. What cannot be used
	// falls back to the next one, with its reason in Status.
	Prefer string
	Device int // number of the GPU
	// Half allows 16-bit floats on TensorRT for families that keep their accuracy in them.
	Half bool
	// Cache is the folder of TensorRT's engines; without one, TensorRT is not used: an engine takes minutes to build.
	Cache string
	// Runtime, TensorRT and GPU are versions and names that an engine depends on, as far as they are known.
	Runtime, TensorRT, GPU string
	// Trusted says that the optimised graph on the CPU is known to answer rightly, as the default model's is: nothing is
	// compared on the CPU, and the start is quicker.
	Trusted bool
	// Family is a family's name where the files alone leave a choice.
	Family string
	Model  inference.Options
	Logger *slog.Logger // nil is silent
	// Changed is called, never twice at once, when Status has changed. It must not block.
	Changed func(Status)
}

// Status says where a model runs, and why.
type Status struct {
	Provider string
	Why      string
	// Building is the provider whose engine is being built since Since, "tensorrt"; nobody knows how long it takes. Empty: none.
	Building string
	Since    time.Time
}

// Model is a Segmenter that may change its provider between two keyframes. Embeddings that are open keep theirs.
type Model struct {
	opts    Options
	factory inference.Factory
	files   []inference.File
	family  inference.Family
	plan    []step // what is left to try, in Run

	mu      sync.Mutex
	current inference.Segmenter
	status  Status
	reasons []string
	closed  bool
	life    context.Context // ends when the model is closed
	end     context.CancelFunc
	notify  sync.Mutex
}

var _ inference.Segmenter = (*Model)(nil)

// step is one provider to try.
type step struct {
	provider inference.Provider
	engine   *engine // TensorRT's
}

// Open recognises the model and makes it on the best provider that is ready at once. Run then builds what takes longer.
// It fails only where not even the CPU can run the model, or the files are no known model.
func Open(ctx context.Context, f inference.Factory, o Options, files ...inference.File) (*Model, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r, err := inference.Recognise(o.Family, files...)
	if err != nil {
		return nil, err
	}
	m := &Model{opts: o, factory: f, files: files, family: r.Family}
	m.life, m.end = context.WithCancel(context.Background())
	steps, err := m.steps(r)
	if err != nil {
		return nil, err
	}
	reference, err := m.reference()
	if err != nil {
		return nil, err
	}
	if err := m.choose(ctx, steps, reference); err != nil {
		return nil, errors.Join(err, reference.Close())
	}
	return m, nil
}

// choose takes the first provider that works at once and agrees with the reference; the reference itself is the last.
func (m *Model) choose(ctx context.Context, steps []step, reference inference.Segmenter) error {
	for _, s := range steps {
		if s.provider.Name == inference.CPU && m.opts.Trusted {
			break
		}
		if err := m.factory.Probe(s.provider); err != nil {
			m.refuse(s.provider.Name, err)
			continue
		}
		if s.engine != nil && !s.engine.ready() {
			if why := s.engine.rejected(); why != "" {
				m.refuse(s.provider.Name, errors.New(why))
				continue
			}
			m.plan = append(m.plan, s)
			continue
		}
		model, err := m.try(ctx, s, reference)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			m.refuse(s.provider.Name, err)
			continue
		}
		m.install(model, s.provider.Name)
		return reference.Close()
	}
	m.install(reference, inference.CPU)
	return nil
}

// reference is the model on the CPU as the file has it, or as it is always run where that is trusted.
func (m *Model) reference() (inference.Segmenter, error) {
	if m.opts.Trusted {
		return m.load(step{provider: inference.Provider{Name: inference.CPU}})
	}
	return m.load(step{provider: inference.Unoptimized()})
}

// try loads the model on a provider and compares it with the reference.
func (m *Model) try(ctx context.Context, s step, reference inference.Segmenter) (inference.Segmenter, error) {
	model, err := m.loadEngine(s)
	if err != nil {
		return nil, err
	}
	a, err := Compare(ctx, reference, model)
	if err == nil {
		err = a.Check()
	}
	if err != nil {
		if s.engine != nil && ctx.Err() == nil {
			s.engine.reject(err)
		}
		return nil, errors.Join(err, model.Close())
	}
	m.opts.Logger.Info("provider agrees with the CPU", "provider", s.provider.Name, "mask_iou", a.IoU, "max_logit_error", a.MaxError)
	if s.engine != nil {
		if err := s.engine.finish(); err != nil {
			m.opts.Logger.Warn("the engine works, but it cannot be kept and will be built again", "reason", err)
		}
	}
	return model, nil
}

// load makes the model on a provider.
func (m *Model) load(s step) (inference.Segmenter, error) {
	o := m.opts.Model
	o.Provider = s.provider.Name
	return measure(func() (inference.Segmenter, error) {
		return inference.Open(func(f inference.File, outputs []string) (inference.Graph, error) {
			return m.factory.Load(f, outputs, s.provider)
		}, m.family.Name, o, m.files...)
	})
}

// refuse notes why a better provider is not used.
func (m *Model) refuse(name string, err error) {
	m.opts.Logger.Info("provider not used", "provider", name, "reason", err)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reasons = append(m.reasons, name+": "+strings.TrimPrefix(err.Error(), name+": "))
}

// install makes model the current one and closes the one before; its open embeddings keep it until they are closed.
func (m *Model) install(model inference.Segmenter, name string) {
	m.mu.Lock()
	old := m.current
	if m.closed {
		old, model = model, nil
	} else {
		m.current = model
		m.status = Status{Provider: name, Why: m.why(name)}
	}
	m.mu.Unlock()
	if old != nil {
		if err := old.Close(); err != nil {
			m.opts.Logger.Warn("closing a model", "error", err)
		}
	}
	m.changed()
}

// why is a sentence for people. m.mu is held.
func (m *Model) why(name string) string {
	reasons := m.reasons
	for _, s := range m.plan {
		reasons = append(
			slices.Clip(reasons),
			s.provider.Name+": "+NotBuilt+"; a running agent builds it in the background",
		)
	}
	switch {
	case len(reasons) > 0:
		return "not better, because " + strings.Join(reasons, "; ")
	case m.opts.Prefer == name:
		return "as configured"
	}
	return "the best one there is"
}

func (m *Model) changed() {
	if m.opts.Changed == nil {
		return
	}
	m.notify.Lock()
	defer m.notify.Unlock()
	m.opts.Changed(m.Status())
}

// Status says where the model runs now.
func (m *Model) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// Embed encodes the frame on the provider that serves now.
func (m *Model) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	for {
		s, err := m.serving()
		if err != nil {
			return nil, err
		}
		e, err := s.Embed(ctx, f)
		if errors.Is(err, inference.ErrClosed) {
			continue // swapped between the two lines
		}
		return e, err
	}
}

func (m *Model) serving() (inference.Segmenter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, fmt.Errorf("model %s: %w", m.opts.Model.Name, inference.ErrClosed)
	}
	return m.current, nil
}

// Info describes the model as it runs now.
func (m *Model) Info() inference.Info {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.current.Info()
	i.Provider, i.Why = m.status.Provider, m.status.Why
	i.Building, i.Since = m.status.Building, m.status.Since
	return i
}

// Close frees the model once its embeddings are closed. A Run ends, and what it was building is not used.
func (m *Model) Close() error {
	m.mu.Lock()
	closed := m.closed
	m.closed = true
	m.mu.Unlock()
	if closed {
		return nil
	}
	m.end()
	return m.current.Close()
}
