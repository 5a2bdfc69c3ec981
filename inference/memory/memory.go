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
	"sync"

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
	scored bool // it predicts the IoU of its masks
	graphs graphs
	loaded []inference.Graph
	told   inference.Options // what Info says
	life   shared            // the model's own, and one of each open view

	mu       sync.Mutex
	pictures []*inference.Picture // that no view uses
	spaces   []*space             // that no call uses
}

// graphs is a layout at work.
type graphs interface {
	// see does what needs the picture alone, once. What it gave may be read until release.
	see(ctx context.Context, in *picture) (release func(), err error)
	// answer answers questions about a picture that was seen.
	answer(ctx context.Context, w *work, in *picture, qs []*question) error
	// supports reports what about a prompt the layout cannot take.
	supports(p *seg.Prompt) error
}

// picture is a frame in the model's input.
type picture struct {
	tensor *inference.Tensor
	placed inference.Placed
	seen   []inference.Tensor // what the encoder made of it
}

// question is one object in one frame, and then its answer.
type question struct {
	id     int64
	object *object     // nil where nothing was known of it
	told   int         // the object's, then
	seq    uint64      // the camera's frame; 0 where nobody said
	at     int64       // the frame's time for the object
	prompt *seg.Prompt // nil where nobody said anything
	person bool        // it is a person's: it rewrites what is remembered of the frame and of later ones
	memory choice
	seen   Seen
	made   record // without features before it is answered
}

// remembers says that there are earlier frames.
func (q *question) remembers() bool { return len(q.memory.spatial) > 0 }

// Open recognises the layout of one or four files, in any order, loads them and makes the model.
func Open(load inference.Loader, files ...inference.File) (*Model, error) {
	r, err := Recognise(files...)
	if err != nil {
		return nil, err
	}
	m := &Model{name: r.Name, image: r.image, timed: r.Timed, scored: len(r.graphs) > 1}
	m.life.init(m.free)
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

// rowsOf are the parts of the outputs of these names that belong to each of n items, and the outputs.
func rowsOf(out []inference.Tensor, n int, names ...string) ([][][]float32, []*inference.Tensor, error) {
	rows, ts := make([][][]float32, n), make([]*inference.Tensor, len(names))
	for k, name := range names {
		t, err := output(out, name)
		if err != nil {
			return nil, nil, err
		}
		ts[k] = t
		for i := range rows {
			r, err := row(t, i, n)
			if err != nil {
				return nil, nil, err
			}
			rows[i] = append(rows[i], r)
		}
	}
	return rows, ts, nil
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
