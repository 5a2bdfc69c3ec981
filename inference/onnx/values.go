package onnx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/segedge/segedge/inference"
	ort "github.com/yalue/onnxruntime_go"
)

// shapeKey identifies the shapes of one call's inputs. A collision costs a repeated call, not a wrong answer.
type shapeKey uint64

func (k *shapeKey) add(v int64) {
	for i := 0; i < 64; i += 8 {
		*k = (*k ^ shapeKey(byte(v>>i))) * 1099511628211 // FNV-1a
	}
}

// maxPlans and maxSpare bound what a graph remembers for shapes that come again.
const (
	maxPlans = 32
	maxSpare = 4
)

// plan is what is known about the outputs for inputs of one shape.
type plan struct {
	shapes  []ort.Shape // nil until the first call
	dynamic bool        // the shapes depend on the inputs' values
	free    []*outputs
}

func (p *plan) destroy() {
	for _, o := range p.free {
		destroyAll(o.values)
	}
	p.free = nil
}

// outputs are the results of one call, and their memory for a later one.
type outputs struct {
	g       *Graph
	key     shapeKey
	values  []ort.Value
	tensors []inference.Tensor
	fresh   bool // ONNX Runtime allocates
	lent    atomic.Bool
	release func() // of this set, made once
}

// bind wraps the inputs for C, in the graph's order.
func (g *Graph) bind(inputs []inference.Tensor) ([]ort.Value, shapeKey, error) {
	key := shapeKey(14695981039346656037)
	values := make([]ort.Value, len(g.inputs))
	for i := range g.inputs {
		port := &g.inputs[i]
		t := find(inputs, port.Name)
		if t == nil {
			return values, 0, fmt.Errorf("input %q is missing", port.Name)
		}
		if err := fits(port, t); err != nil {
			return values, 0, err
		}
		v, err := wrap(t)
		if err != nil {
			return values, 0, fmt.Errorf("input %q: %w", port.Name, err)
		}
		values[i] = v
		key.add(int64(len(t.Shape)))
		for _, d := range t.Shape {
			key.add(d)
		}
	}
	return values, key, nil
}

func find(inputs []inference.Tensor, name string) *inference.Tensor {
	for i := range inputs {
		if inputs[i].Name == name {
			return &inputs[i]
		}
	}
	return nil
}

// fits reports whether the tensor has the port's type and shape.
func fits(p *inference.Port, t *inference.Tensor) error {
	if p.Shape != nil && len(p.Shape) != len(t.Shape) {
		return fmt.Errorf("input %q: shape %v, the model wants %v", p.Name, t.Shape, p.Shape)
	}
	n := int64(1)
	for i, d := range t.Shape {
		if d < 0 || p.Shape != nil && p.Shape[i] >= 0 && p.Shape[i] != d {
			return fmt.Errorf("input %q: shape %v, the model wants %v", p.Name, t.Shape, p.Shape)
		}
		n *= d
	}
	typ, have := t.Type(), int64(t.Len())
	if typ != p.Type {
		return fmt.Errorf("input %q: %s, the model wants %s", p.Name, typ, p.Type)
	}
	if have != n {
		return fmt.Errorf("input %q: %d values for shape %v", p.Name, have, t.Shape)
	}
	return nil
}

// wrap makes a C value over the tensor's own memory. The caller keeps the tensor reachable until it is destroyed.
func wrap(t *inference.Tensor) (ort.Value, error) {
	switch {
	case t.Float32 != nil:
		return value(ort.NewTensor(t.Shape, t.Float32))
	case t.Int64 != nil:
		return value(ort.NewTensor(t.Shape, t.Int64))
	case t.Int32 != nil:
		return value(ort.NewTensor(t.Shape, t.Int32))
	case t.Uint8 != nil:
		return value(ort.NewTensor(t.Shape, t.Uint8))
	case t.Bool != nil:
		return value(ort.NewTensor(t.Shape, t.Bool))
	}
	return nil, errors.New("it has no data")
}

func value[T ort.TensorData](v *ort.Tensor[T], err error) (ort.Value, error) {
	if err != nil {
		return nil, err // a nil *Tensor in the interface would not be nil
	}
	return v, nil
}

func destroyAll(values []ort.Value) {
	for _, v := range values {
		if v != nil {
			_ = v.Destroy()
		}
	}
}

// take finds or makes the memory for the outputs of a call with inputs of these shapes.
func (g *Graph) take(key shapeKey) *outputs {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.plans[key]
	if p == nil {
		g.makeRoom()
		p = &plan{}
		g.plans[key] = p
	}
	if n := len(p.free); n > 0 {
		o := p.free[n-1]
		p.free = p.free[:n-1]
		return o
	}
	o := &outputs{g: g, key: key, values: make([]ort.Value, len(g.outputs)), fresh: true}
	o.release = o.giveBack
	if p.shapes != nil {
		o.allocate(g.types, p.shapes)
	}
	return o
}

// makeRoom forgets a plan when there are too many; which one does not matter, a camera uses a handful.
func (g *Graph) makeRoom() {
	for k, p := range g.plans {
		if len(g.plans) < maxPlans {
			return
		}
		p.destroy()
		delete(g.plans, k)
	}
}

// allocate fills the set with memory of the known shapes; ONNX Runtime allocates what that fails for.
func (o *outputs) allocate(types []ort.TensorElementDataType, shapes []ort.Shape) {
	for i, s := range shapes {
		v, err := newValue(types[i], s)
		if err != nil {
			return
		}
		o.values[i] = v
	}
	o.fresh = false
}

// learn remembers the shapes that a first call found.
func (g *Graph) learn(o *outputs) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.plans[o.key]
	if p == nil || p.dynamic || p.shapes != nil {
		return
	}
	for _, v := range o.values {
		p.shapes = append(p.shapes, v.GetShape())
	}
}

// forget marks the outputs' shapes as unknowable from the inputs' shapes.
func (g *Graph) forget(key shapeKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p := g.plans[key]; p != nil {
		p.destroy()
		p.shapes, p.dynamic = nil, true
	}
}

// giveBack keeps the memory for the next call, or frees it. Calling it twice is harmless.
func (o *outputs) giveBack() {
	if !o.lent.CompareAndSwap(true, false) {
		return
	}
	g := o.g
	g.mu.Lock()
	if p := g.plans[o.key]; p != nil && !p.dynamic && len(p.free) < maxSpare {
		p.free = append(p.free, o)
		g.mu.Unlock()
	} else {
		g.mu.Unlock()
		destroyAll(o.values)
	}
	_ = g.rt.add(-1)
}

// lend turns the values into tensors that the caller holds until release.
func (g *Graph) lend(o *outputs) error {
	if o.tensors == nil {
		o.tensors = make([]inference.Tensor, len(o.values))
		for i, v := range o.values {
			t, err := unwrap(v)
			if err != nil {
				return fmt.Errorf("output %q: %w", g.outputs[i].Name, err)
			}
			t.Name = g.outputs[i].Name
			o.tensors[i] = t
		}
	}
	if o.fresh {
		g.learn(o)
		o.fresh = false
	}
	if err := g.rt.add(1); err != nil {
		return err
	}
	o.lent.Store(true)
	return nil
}

// call runs the session; the end of ctx stops it between two operators.
func (g *Graph) call(ctx context.Context, in, out []ort.Value) error {
	if ctx.Done() == nil {
		return g.session.RunWithOptions(in, out, nil)
	}
	opts, err := g.takeOptions()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { _ = opts.Terminate(); close(ended) })
	err = g.session.RunWithOptions(in, out, opts)
	if !stop() {
		<-ended
	}
	g.putOptions(opts)
	return err
}

func (g *Graph) takeOptions() (*ort.RunOptions, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.spare); n > 0 {
		o := g.spare[n-1]
		g.spare = g.spare[:n-1]
		return o, nil
	}
	return ort.NewRunOptions()
}

func (g *Graph) putOptions(o *ort.RunOptions) {
	err := o.UnsetTerminate()
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil || len(g.spare) >= maxSpare {
		_ = o.Destroy()
		return
	}
	g.spare = append(g.spare, o)
}

// wrongShape reports whether ONNX Runtime refused the memory that it was given for an output.
func wrongShape(err error) bool { return strings.Contains(err.Error(), "hape") }
