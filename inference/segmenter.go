package inference

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Options of a Segmenter.
type Options struct {
	Name     string // of the model, for people; empty is the family's name
	Side     int    // longest side of the input, for families that take any; 0 is the family's own
	Provider string // where the graphs run: "cpu", "cuda", "tensorrt"; for Info
	Why      string // why there; for Info
	// MaxBatch bounds the prompts of one call of the decoder; 0 is 16. More are answered in several calls.
	MaxBatch int
}

const defaultBatch = 16

// ErrClosed is a model or an embedding used after Close.
var ErrClosed = errors.New("it is closed")

// model is the engine: it reads a Family and runs its graphs.
type model struct {
	family  Family
	opts    Options
	encoder Graph // nil where the family is a single file
	decoder Graph
	table   *lut
	ports   decoderPorts
	// windowed: mask prompts are decoded on windows. Elsewhere than on the CPU every new shape costs more than it saves.
	windowed bool

	mu    sync.Mutex
	refs  int // 1 for the model itself, 1 for each open embedding
	dead  bool
	spare []*scratch
	asks  []*ask
}

// NewSegmenter makes a model of a family out of its graphs, which it owns from now on: it closes them, at once if it
// fails. encoder is nil for a family of a single file. The graphs must have the family's inputs and outputs.
func NewSegmenter(f Family, encoder, decoder Graph, o Options) (Segmenter, error) {
	m := &model{family: f, opts: o, encoder: encoder, decoder: decoder, refs: 1}
	err := m.check()
	if err != nil {
		if encoder != nil {
			err = errors.Join(err, encoder.Close())
		}
		return nil, errors.Join(err, decoder.Close())
	}
	m.table = m.family.Image.table()
	m.windowed = (o.Provider == CPU || o.Provider == "") && len(m.family.Image.Strides) == len(m.family.Image.Embeds)
	return m, nil
}

func (m *model) check() error {
	if m.opts.MaxBatch <= 0 {
		m.opts.MaxBatch = defaultBatch
	}
	if m.opts.Name == "" {
		m.opts.Name = m.family.Name
	}
	if m.opts.Side > 0 && m.family.Image.Fit == FitGrid {
		m.family.Image.Side = roundUp(m.opts.Side, m.family.Image.Grid)
	}
	if err := m.adapt(); err != nil {
		return fmt.Errorf("model %s: family %s: %w", m.opts.Name, m.family.Name, err)
	}
	return nil
}

// adapt fits the family to the very graphs: the name of a lone input, the size of a fixed one.
func (m *model) adapt() error {
	r := &m.family.Image
	g, what := m.encoder, "encoder"
	if g == nil {
		g, what = m.decoder, "model"
	}
	port, ok := imagePort(g.Inputs(), r.Input, m.family.Ask.Image)
	if !ok {
		return fmt.Errorf("the %s has no input for the picture: it has %s", what, describe(g.Inputs()))
	}
	r.Input = port.Name
	if r.Rank == 4 && len(port.Shape) == 4 && port.Shape[2] > 0 && port.Shape[2] == port.Shape[3] && r.Fit != FitFrame {
		r.Side = int(port.Shape[3])
	}
	if port.Type != "float32" {
		return fmt.Errorf("the %s takes the picture as %s, need float32", what, port.Type)
	}
	return m.ports.find(m.decoder, &m.family)
}

func imagePort(ports []Port, names ...string) (Port, bool) {
	for _, n := range names {
		for _, p := range ports {
			if n != "" && p.Name == n {
				return p, true
			}
		}
	}
	if len(ports) == 1 {
		return ports[0], true
	}
	return Port{}, false
}

// Info describes the model.
func (m *model) Info() Info {
	r := m.family.Image
	return Info{
		Name: m.opts.Name, Family: m.family.Name, Provider: m.opts.Provider, Why: m.opts.Why,
		Kinds: m.family.Ask.Kinds, Batched: m.family.Ask.Batched, MaxPoints: m.family.Ask.MaxPoints,
		Logits: func(w, h int) (int, int, seg.Point) {
			g := r.place(w, h)
			gw, gh := m.family.grid(g)
			return gw, gh, g.extent()
		},
		Input: func(w, h int) (int, int) {
			side := r.Side
			if r.Fit == FitFrame {
				side = 1024 // what these models make of it inside
			}
			if max(w, h) <= side {
				return w, h
			}
			return r.longest(w, h, side)
		},
	}
}

// Embed encodes the frame.
func (m *model) Embed(ctx context.Context, f *frame.Frame) (Embedding, error) {
	s, err := m.borrow()
	if err != nil {
		return nil, fmt.Errorf("embed: model %s: %w", m.opts.Name, err)
	}
	g := m.family.Image.place(f.Width, f.Height)
	input := s.fill(&m.family.Image, m.table, g, f)
	e := &embedding{m: m, geometry: g, refs: 1, flat: flat(f)}
	if m.encoder == nil {
		// A model in a single file has no embedding: the picture itself is kept, and goes back with the embedding.
		input.Name = m.family.Ask.Image
		e.inputs, e.release = s.tensors[:], func() { m.giveBack(s) }
		return e, nil
	}
	outputs, release, err := m.encoder.Run(ctx, s.tensors[:])
	m.giveBack(s)
	if err != nil {
		m.unref()
		return nil, fmt.Errorf("embed: %w", err)
	}
	e.inputs, e.release = m.rename(outputs, e.space[:0]), release
	if len(e.inputs) != len(m.family.Image.Embeds) {
		e.unref()
		return nil, fmt.Errorf(
			"embed: model %s: the encoder lacks an output of %v",
			m.opts.Name,
			slices.Sorted(maps.Values(m.family.Image.Embeds)),
		)
	}
	return e, nil
}

// rename appends the encoder's outputs to in as the decoder's inputs.
func (m *model) rename(outputs, in []Tensor) []Tensor {
	for to, from := range m.family.Image.Embeds {
		for _, t := range outputs {
			if t.Name == from {
				t.Name = to
				in = append(in, t)
			}
		}
	}
	return in
}

// Close frees the model once its last embedding is closed.
func (m *model) Close() error {
	m.mu.Lock()
	dead := m.dead
	m.dead = true
	m.mu.Unlock()
	if dead {
		return nil
	}
	return m.unref()
}

// borrow takes memory for an Embed, and a reference to the model for the embedding.
func (m *model) borrow() (*scratch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, ErrClosed
	}
	m.refs++
	if n := len(m.spare); n > 0 {
		s := m.spare[n-1]
		m.spare = m.spare[:n-1]
		return s, nil
	}
	return &scratch{}, nil
}

// maxSpare bounds the memory that is kept for later calls, of each kind.
const maxSpare = 2

func (m *model) giveBack(s *scratch) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.spare) < maxSpare {
		m.spare = append(m.spare, s)
	}
}

func (m *model) unref() error {
	m.mu.Lock()
	m.refs--
	last := m.refs == 0
	m.mu.Unlock()
	if !last {
		return nil
	}
	var err error
	if m.encoder != nil {
		err = m.encoder.Close()
	}
	return errors.Join(err, m.decoder.Close())
}
