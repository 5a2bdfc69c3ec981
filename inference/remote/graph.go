package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/segedge/segedge/inference"
)

// Graph is a network on a server. Safe for concurrent use.
type Graph struct {
	s       *Server
	model   Model
	inputs  []inference.Port
	outputs []inference.Port
	names   []string // of the outputs
	picture *picture // nil where inputs go as they are

	mu     sync.Mutex
	closed bool
	spare  []*reply
}

var _ inference.Graph = (*Graph)(nil)

// reply is an answer that is lent to a caller.
type reply struct {
	answer
	g    *Graph
	lent bool // g.mu
	back func()
}

// Load makes a graph of a model that was described, computing the named outputs, all where there are none. p says how the picture goes
// where the model takes it in a file; it may be nil elsewhere.
func (s *Server) Load(m Model, c *inference.Contract, outputs []string, p *Picture) (*Graph, error) {
	g := &Graph{s: s, model: m, inputs: c.Inputs, outputs: c.Outputs}
	if outputs != nil {
		g.outputs = nil
		for _, name := range outputs {
			i := slices.IndexFunc(c.Outputs, func(p inference.Port) bool { return p.Name == name })
			if i < 0 {
				return nil, fmt.Errorf("model %s on %s has no output %q", m, s.o.Address, name)
			}
			g.outputs = append(g.outputs, c.Outputs[i])
		}
	}
	for _, p := range g.outputs {
		g.names = append(g.names, p.Name)
	}
	if i := takesFile(c); i >= 0 {
		if p == nil {
			return nil, fmt.Errorf("model %s on %s takes %q in a file: set model.remote.picture to jpeg", m, s.o.Address, c.Inputs[i].Name)
		}
		g.picture = newPicture(p, c.Inputs[i])
	}
	return g, nil
}

// Inputs are the inputs as they are given to Run.
func (g *Graph) Inputs() []inference.Port {
	return Decoded(&inference.Contract{Inputs: g.inputs}).Inputs
}

// Outputs are the outputs, in the order that Run gives them.
func (g *Graph) Outputs() []inference.Port { return g.outputs }

// Run computes the graph there. Inputs are matched by name and read only during the call.
func (g *Graph) Run(ctx context.Context, inputs []inference.Tensor) ([]inference.Tensor, func(), error) {
	r, err := g.take()
	if err == nil {
		err = g.run(ctx, inputs, &r.answer)
		if err != nil {
			r.back()
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, nil, fmt.Errorf("run %s on %s: %w", g.model, g.s.o.Address, err)
	}
	return r.tensors, r.back, nil
}

func (g *Graph) run(ctx context.Context, inputs []inference.Tensor, a *answer) error {
	q := question{outputs: g.names}
	for i := range g.inputs {
		port := &g.inputs[i]
		k := slices.IndexFunc(inputs, func(t inference.Tensor) bool { return t.Name == port.Name })
		if k < 0 {
			return fmt.Errorf("input %q is missing", port.Name)
		}
		t := inputs[k]
		if isFile(*port) {
			file, done, err := g.picture.encode(&t)
			if err != nil {
				return fmt.Errorf("input %q: %w", port.Name, err)
			}
			defer done()
			t = file
		} else if t.Type() != port.Type {
			return fmt.Errorf("input %q: %s, the model wants %s", port.Name, t.Type(), port.Type)
		}
		q.inputs, q.types = append(q.inputs, t), append(q.types, datatypes[port.Type])
	}
	if err := g.s.call(ctx, func(ctx context.Context) error { return g.s.speak.infer(ctx, g.model, &q, a) }); err != nil {
		return err
	}
	return g.check(a)
}

// check holds the reply against what the server has said of the model.
func (g *Graph) check(a *answer) error {
	for i := range g.outputs {
		port, t := &g.outputs[i], &a.tensors[i]
		if t.Type() != port.Type {
			return fmt.Errorf("%w: output %q is %s, and %s by its metadata", ErrReply, port.Name, t.Type(), port.Type)
		}
		fits := port.Shape == nil || len(port.Shape) == len(t.Shape)
		for k := 0; fits && k < len(port.Shape); k++ {
			fits = port.Shape[k] < 0 || port.Shape[k] == t.Shape[k]
		}
		if !fits {
			return fmt.Errorf("%w: output %q is %v, and %v by its metadata", ErrReply, port.Name, t.Shape, port.Shape)
		}
	}
	return nil
}

// maxSpare bounds the replies whose memory is kept.
const maxSpare = 4

func (g *Graph) take() (*reply, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errors.New("the graph is closed")
	}
	r := &reply{g: g}
	r.back = r.giveBack
	if n := len(g.spare); n > 0 {
		r, g.spare = g.spare[n-1], g.spare[:n-1]
	}
	r.lent = true
	return r, nil
}

// giveBack keeps the memory for a later call. Calling it twice is harmless.
func (r *reply) giveBack() {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if r.lent && !r.g.closed && len(r.g.spare) < maxSpare {
		r.g.spare = append(r.g.spare, r)
	}
	r.lent = false
}

// Close ends the graph here; the server keeps its model. Outputs not yet released stay valid.
func (g *Graph) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed, g.spare = true, nil
	return nil
}
