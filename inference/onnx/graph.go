package onnx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/segedge/segedge/inference"
)

// SessionOptions of one graph.
type SessionOptions struct {
	// Threads inside one operator; 0 leaves two cores to the camera's path and takes at most eight.
	Threads int
	// Outputs to compute, in this order; nil is all.
	Outputs []string
	// Provider to run on; its zero value is the CPU.
	Provider inference.Provider
}

// Graph is a loaded network. Safe for concurrent use.
type Graph struct {
	rt      *Runtime
	name    string
	inputs  []inference.Port
	outputs []inference.Port
	types   []ort.TensorElementDataType // of the outputs
	session *ort.DynamicAdvancedSession

	provider inference.Provider
	ran      atomic.Bool // has run once: a provider's first run may replace signal actions too

	users  sync.RWMutex // held for reading by a Run, for writing by Close
	closed bool

	mu    sync.Mutex
	plans map[shapeKey]*plan
	spare []*binding
}

var _ inference.Graph = (*Graph)(nil)

// Load reads a network and makes a session for it. The error of a file that is missing, cut off, no ONNX model, or not
// runnable here is one sentence that names it.
func (r *Runtime) Load(f inference.File, o SessionOptions) (*Graph, error) {
	c, err := f.Contract()
	if err != nil {
		return nil, err
	}
	g := &Graph{rt: r, name: f.String(), provider: o.Provider, inputs: c.Inputs, outputs: c.Outputs, plans: map[shapeKey]*plan{}}
	if err := g.choose(o.Outputs); err != nil {
		return nil, fmt.Errorf("model %s: %w", f, err)
	}
	for _, p := range g.outputs {
		g.types = append(g.types, elementType(p.Type))
	}
	if err := r.add(1); err != nil {
		return nil, err
	}
	if err := r.withSignals(o.Provider, func() error { return g.open(f, o) }); err != nil {
		_ = r.add(-1)
		return nil, fmt.Errorf("model %s: %w", f, err)
	}
	return g, nil
}

// Loader loads graphs with these options, for inference.Open.
func (r *Runtime) Loader(o SessionOptions) inference.Loader {
	return func(f inference.File, outputs []string) (inference.Graph, error) {
		o := o
		o.Outputs = outputs
		g, err := r.Load(f, o)
		if err != nil {
			return nil, err
		}
		return g, nil
	}
}

// choose keeps the named outputs.
func (g *Graph) choose(names []string) error {
	if names == nil {
		return nil
	}
	var chosen []inference.Port
	for _, n := range names {
		i := slices.IndexFunc(g.outputs, func(p inference.Port) bool { return p.Name == n })
		if i < 0 {
			return fmt.Errorf("it has no output %q", n)
		}
		chosen = append(chosen, g.outputs[i])
	}
	g.outputs = chosen
	return nil
}

func (g *Graph) open(f inference.File, o SessionOptions) error {
	so, err := sessionOptions(o)
	if err != nil {
		return err
	}
	defer so.Destroy()
	var in, out []string
	for _, p := range g.inputs {
		in = append(in, p.Name)
	}
	for _, p := range g.outputs {
		out = append(out, p.Name)
	}
	if f.Path != "" {
		g.session, err = ort.NewDynamicAdvancedSession(f.Path, in, out, so)
	} else {
		g.session, err = ort.NewDynamicAdvancedSessionWithONNXData(f.Data, in, out, so)
	}
	if err != nil {
		return fmt.Errorf("onnx runtime %s refuses it: %w", g.rt.version, err)
	}
	return nil
}

// sessionOptions are those that every provider shares, with the provider appended.
func sessionOptions(o SessionOptions) (*ort.SessionOptions, error) {
	so, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	threads := o.Threads
	if threads <= 0 {
		threads = defaultThreads()
	}
	if o.Provider.Name == "" || o.Provider.Name == inference.CPU {
		// Fused, a SiLU leaves the blocked layout that the convolutions around it want, and the picture is reordered twice.
		err = so.AddSessionConfigEntry("optimization.disable_specified_optimizers", "QuickGeluFusion")
	}
	err = errors.Join(err,
		so.SetIntraOpNumThreads(threads),
		so.SetInterOpNumThreads(1),
		so.SetLogSeverityLevel(ort.LoggingLevelFatal),
		// Threads that spin while they wait take the cores that the tracker needs.
		so.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	)
	if err == nil {
		err = appendProvider(so, o.Provider)
	}
	if err != nil {
		_ = so.Destroy()
		return nil, err
	}
	return so, nil
}

// Inputs are the graph's inputs in the file's order.
func (g *Graph) Inputs() []inference.Port { return g.inputs }

// Outputs are the graph's outputs, in the order that Run gives them.
func (g *Graph) Outputs() []inference.Port { return g.outputs }

// Close waits for calls under way and frees the session. Outputs not yet released stay valid.
func (g *Graph) Close() error {
	g.users.Lock()
	defer g.users.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	err := g.session.Destroy()
	g.mu.Lock()
	for _, p := range g.plans {
		p.destroy()
	}
	g.plans = nil
	for _, b := range g.spare {
		b.destroy()
	}
	g.spare = nil
	g.mu.Unlock()
	return errors.Join(err, g.rt.add(-1))
}

// Run computes the graph. Inputs are matched by name and read only during the call. When ctx ends, the call returns
// between two operators with its error.
func (g *Graph) Run(ctx context.Context, inputs []inference.Tensor) ([]inference.Tensor, func(), error) {
	g.users.RLock()
	defer g.users.RUnlock()
	if g.closed {
		return nil, nil, fmt.Errorf("run %s: the graph is closed", g.name)
	}
	out, release, err := g.runKeepingSignals(ctx, inputs)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, nil, fmt.Errorf("run %s: %w", g.name, err)
	}
	return out, release, nil
}

// runKeepingSignals is run, with the signal actions put back after the first.
func (g *Graph) runKeepingSignals(ctx context.Context, inputs []inference.Tensor) (out []inference.Tensor, release func(), err error) {
	if g.ran.Load() {
		return g.run(ctx, inputs)
	}
	err = g.rt.withSignals(g.provider, func() error {
		out, release, err = g.run(ctx, inputs)
		return err
	})
	g.ran.Store(err == nil)
	return out, release, err
}

func (g *Graph) run(ctx context.Context, inputs []inference.Tensor) ([]inference.Tensor, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	b := g.takeBinding()
	defer g.giveBackBinding(b)
	key, err := b.bind(g, inputs)
	if err != nil {
		return nil, nil, err
	}
	set := g.take(key)
	err = g.call(ctx, b, set.values)
	if err != nil && !set.fresh && ctx.Err() == nil && wrongShape(err) {
		// The outputs' shapes depend on the inputs' values: let ONNX Runtime allocate them from now on.
		destroyAll(set.values)
		g.forget(key)
		set = g.take(key)
		err = g.call(ctx, b, set.values)
	}
	if err == nil {
		err = g.lend(set)
	}
	if err != nil {
		destroyAll(set.values)
		return nil, nil, err
	}
	return set.tensors, set.release, nil
}
