// Package memory follows objects with the published video models, which remember what an object looked like: SAM 2 and 2.1, EdgeTAM. A
// Model is the graphs, a Bank is what one camera remembers of its objects. It is not the tracker: it has no motion and no life cycle, says
// of each object whether it is in the picture, and leaves what follows to its caller.
//
// What is kept of a frame is what the models' own code keeps (sam2/modeling/sam2_base.py, Ravi et al. 2024, section 4): the spatial memory,
// an object pointer, whether a person prompted it, and when it was. Frames that a person prompted are conditioning frames.
package memory

import (
	"context"
	"errors"
	"fmt"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Seen is an object in one frame.
type Seen struct {
	ID     int64
	Logits *seg.Logits
	IoU    float64 // predicted; 0 where the export does not tell it
	// Occlusion is the logit of the object's being in the picture: it is there above 0.
	Occlusion float64
}

// Present reports whether the object is in the picture: what an object's life cycle is told.
func (s *Seen) Present() bool { return s.Occlusion > 0 }

// Model is a loaded video model. Safe for concurrent use.
type Model struct {
	name   string
	image  inference.ImageRule
	timed  bool // pointers are told apart by their age
	graphs graphs
	loaded []inference.Graph
}

// graphs is a layout at work.
type graphs interface {
	// look answers all questions about one picture, with one pass of the image encoder.
	look(ctx context.Context, b *Bank, in *picture, qs []*question) error
	// supports reports what about a prompt the layout cannot take.
	supports(p *seg.Prompt) error
}

// picture is a frame in the model's input.
type picture struct {
	tensor        *inference.Tensor
	placed        inference.Placed
	width, height int // of the frame
}

// question is one object in one frame, and then its answer.
type question struct {
	object *object
	at     int64       // the frame's time for the object
	prompt *seg.Prompt // nil where nobody said anything
	memory choice
	seen   Seen
	made   record
}

// remembers says that there are earlier frames.
func (q *question) remembers() bool { return len(q.memory.spatial) > 0 }

// Open recognises the layout of one or four files, in any order, loads them and makes the model.
func Open(load inference.Loader, files ...inference.File) (*Model, error) {
	r, err := Recognise(files...)
	if err != nil {
		return nil, err
	}
	m := &Model{name: r.Name, image: r.image, timed: r.Timed}
	for i, g := range r.graphs {
		loaded, err := load(r.Files[i], g.outputs)
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		m.loaded = append(m.loaded, loaded)
	}
	m.graphs = r.make(m.loaded, r)
	return m, nil
}

// Name is the layout's: "sam2-video".
func (m *Model) Name() string { return m.name }

// Close frees the graphs. Banks of the model answer nothing after it.
func (m *Model) Close() error {
	var err error
	for _, g := range m.loaded {
		err = errors.Join(err, g.Close())
	}
	return err
}

// NewBank is an empty memory for the objects of one camera.
func (m *Model) NewBank() *Bank { return &Bank{model: m, picture: inference.NewPicture(m.image)} }

// refuse is a prompt that a layout cannot take.
func (m *Model) refuse(p *seg.Prompt) error {
	kind := ""
	switch {
	case p.Text != "":
		kind = "text prompts"
	case p.Mask != nil:
		kind = "mask prompts"
	}
	if kind != "" {
		return &inference.UnsupportedError{Family: m.name, Kind: kind}
	}
	if err := p.Validate(); err != nil {
		return err
	}
	return m.graphs.supports(p)
}

// output finds a graph's output by name.
func output(ts []inference.Tensor, name string) (*inference.Tensor, error) {
	for i := range ts {
		if ts[i].Name == name && ts[i].Float32 != nil && len(ts[i].Shape) > 0 && ts[i].Shape[0] > 0 {
			return &ts[i], nil
		}
	}
	return nil, fmt.Errorf("the graph gives no %s of float32", name)
}

// row is the part of a tensor that belongs to item i of n.
func row(t *inference.Tensor, i, n int) ([]float32, error) {
	if int(t.Shape[0]) != n || len(t.Float32)%n != 0 {
		return nil, fmt.Errorf("%s is %v, not one for each of %d objects", t.Name, t.Shape, n)
	}
	size := len(t.Float32) / n
	return t.Float32[i*size:][:size], nil
}

func sized(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}
