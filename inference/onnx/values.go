package onnx

import (
	"fmt"
	"strings"
	"sync/atomic"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/segedge/segedge/inference"
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
			if o.fresh {
				o.values[i] = keep(v)
			}
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

// wrongShape reports whether ONNX Runtime refused the memory that it was given for an output.
func wrongShape(err error) bool { return strings.Contains(err.Error(), "hape") }
