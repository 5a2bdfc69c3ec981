package onnx

import (
	"context"
	"errors"
	"fmt"
	"slices"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/segedge/segedge/inference"
)

// binding is the memory of one call at a time: the inputs as C sees them, which stay wrapped while the same memory comes again, and the
// options that stop the call. A graph keeps a few, so that a call of a shape that it knows makes nothing.
type binding struct {
	inputs  []ort.Value // of the call, in the graph's order
	wrapped [][]wrapped // by input, the newest last
	options *ort.RunOptions
	done    <-chan struct{} // of the context whose end terminates options; nil where none does
	stop    func() bool
	ended   chan struct{} // closed when the context's end was told to options
}

// wrapped is a C value over a tensor's memory.
type wrapped struct {
	data  any // the address of the first element
	shape ort.Shape
	value ort.Value
}

// maxWrapped bounds what a binding keeps of each input: the embeddings of a few keyframes take turns.
const maxWrapped = 6

// bind sets the inputs, in the graph's order, and gives the key of their shapes.
func (b *binding) bind(g *Graph, inputs []inference.Tensor) (shapeKey, error) {
	key := shapeKey(14695981039346656037)
	for i := range g.inputs {
		port := &g.inputs[i]
		t := find(inputs, port.Name)
		if t == nil {
			return 0, fmt.Errorf("input %q is missing", port.Name)
		}
		if err := fits(port, t); err != nil {
			return 0, err
		}
		v, err := b.wrap(i, t)
		if err != nil {
			return 0, fmt.Errorf("input %q: %w", port.Name, err)
		}
		b.inputs[i] = v
		key.add(int64(len(t.Shape)))
		for _, d := range t.Shape {
			key.add(d)
		}
	}
	return key, nil
}

// wrap finds or makes the C value over the memory of input i.
func (b *binding) wrap(i int, t *inference.Tensor) (ort.Value, error) {
	kept, data := b.wrapped[i], address(t)
	if len(t.Shape) == 0 && len(kept) == 1 { // a copy, and onnxruntime_go's Scalar.Set changes only what Go sees of it
		_ = kept[0].value.Destroy()
		kept = kept[:0]
	}
	for k := range kept {
		if w := kept[k]; w.data == data && slices.Equal(w.shape, t.Shape) {
			copy(kept[k:], kept[k+1:])
			kept[len(kept)-1] = w
			return w.value, nil
		}
	}
	v, err := wrap(t)
	if err != nil {
		return nil, err
	}
	if len(kept) == maxWrapped {
		_ = kept[0].value.Destroy()
		kept = kept[:copy(kept, kept[1:])]
	}
	b.wrapped[i] = append(kept, wrapped{data, v.GetShape(), v})
	return v, nil
}

// listen makes the end of ctx stop the call.
func (b *binding) listen(ctx context.Context) error {
	if b.done == ctx.Done() {
		return nil
	}
	if err := b.ignore(); err != nil {
		return err
	}
	if b.options == nil {
		var err error
		if b.options, err = ort.NewRunOptions(); err != nil {
			return err
		}
	}
	ended := make(chan struct{})
	b.done, b.ended = ctx.Done(), ended
	b.stop = context.AfterFunc(ctx, func() { _ = b.options.Terminate(); close(ended) })
	return nil
}

// ignore ends what listen began.
func (b *binding) ignore() error {
	if b.done == nil {
		return nil
	}
	b.done = nil
	if b.stop() {
		return nil
	}
	<-b.ended
	return b.options.UnsetTerminate()
}

func (b *binding) destroy() {
	_ = b.ignore()
	if b.options != nil {
		_ = b.options.Destroy()
	}
	for _, kept := range b.wrapped {
		for _, w := range kept {
			_ = w.value.Destroy()
		}
	}
}

// call runs the session; the end of ctx stops it between two operators.
func (g *Graph) call(ctx context.Context, b *binding, out []ort.Value) error {
	if ctx.Done() == nil {
		return g.session.RunWithOptions(b.inputs, out, nil)
	}
	if err := b.listen(ctx); err != nil {
		return err
	}
	return g.session.RunWithOptions(b.inputs, out, b.options)
}

func (g *Graph) takeBinding() *binding {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := len(g.spare); n > 0 {
		b := g.spare[n-1]
		g.spare = g.spare[:n-1]
		return b
	}
	return &binding{inputs: make([]ort.Value, len(g.inputs)), wrapped: make([][]wrapped, len(g.inputs))}
}

func (g *Graph) giveBackBinding(b *binding) {
	g.mu.Lock()
	if len(g.spare) < maxSpare {
		g.spare = append(g.spare, b)
		g.mu.Unlock()
		return
	}
	g.mu.Unlock()
	b.destroy()
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

// wrap makes a C value over the tensor's own memory, which it keeps reachable; a scalar is a copy.
func wrap(t *inference.Tensor) (ort.Value, error) {
	switch {
	case len(t.Shape) == 0 && len(t.Float32) == 1:
		s, err := ort.NewScalar(t.Float32[0])
		if err != nil {
			return nil, err
		}
		return keep(s), nil
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
	return keep(v), nil
}

func destroyAll(values []ort.Value) {
	for _, v := range values {
		if v != nil {
			_ = v.Destroy()
		}
	}
}

// address is where the tensor's data begins.
func address(t *inference.Tensor) any {
	switch {
	case len(t.Float32) > 0:
		return &t.Float32[0]
	case len(t.Int64) > 0:
		return &t.Int64[0]
	case len(t.Int32) > 0:
		return &t.Int32[0]
	case len(t.Uint8) > 0:
		return &t.Uint8[0]
	case len(t.Bool) > 0:
		return &t.Bool[0]
	}
	return nil
}
