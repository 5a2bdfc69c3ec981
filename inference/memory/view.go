package memory

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// A Model is a Segmenter like others: a prompt about a picture needs no memory, and is answered without one.
var (
	_ inference.Segmenter = (*Model)(nil)
	_ inference.Embedding = (*View)(nil)
	_ inference.Featured  = (*View)(nil)
)

// View is what the model saw of one frame. Safe for concurrent use.
type View struct {
	model   *Model
	picture picture
	space   *inference.Picture // whose tensor the picture is
	flat    bool               // the picture shows nothing
	release func()
	use     shared
}

// Tell says what Info tells of the model; before it is used.
func (m *Model) Tell(o inference.Options) { m.told = o }

// Info describes the model.
func (m *Model) Info() inference.Info {
	name := m.told.Name
	if name == "" {
		name = m.name
	}
	side := m.image.Side
	i := inference.Info{
		Name: name, Family: m.name, Provider: m.told.Provider, Why: m.told.Why, Batched: true,
		Kinds:  inference.Kinds{Points: true, Negatives: true, Box: true},
		Logits: func(int, int) (int, int, seg.Point) { return side / reduced, side / reduced, seg.Point{X: 1, Y: 1} },
		Input: func(w, h int) (int, int) {
			long := max(w, h)
			if long <= side {
				return w, h
			}
			return max(1, (w*side+long/2)/long), max(1, (h*side+long/2)/long)
		},
	}
	if !m.scored {
		i.MaxPoints = maxPoints
	}
	return i
}

// Embed runs the image encoder; the one graph has none of its own, and keeps the picture.
func (m *Model) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	v, err := m.see(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	return v, nil
}

func (m *Model) see(ctx context.Context, f *frame.Frame) (*View, error) {
	if err := m.life.take(); err != nil {
		return nil, fmt.Errorf("model %s: %w", m.name, err)
	}
	v := &View{model: m, space: m.takePicture(), flat: inference.Flat(f)}
	v.picture.tensor, v.picture.placed = v.space.Put(f)
	release, err := m.graphs.see(ctx, &v.picture)
	if err != nil {
		m.givePicture(v.space)
		return nil, errors.Join(fmt.Errorf("model %s: %w", m.name, err), m.life.give())
	}
	v.release = release
	v.use.init(v.free)
	return v, nil
}

// Decode answers prompts, without memory and without remembering anything.
func (v *View) Decode(ctx context.Context, prompts []seg.Prompt) ([]seg.Prediction, error) {
	qs, at := make([]*question, len(prompts)), make([]int, len(prompts))
	for i := range prompts {
		qs[i], at[i] = &question{id: int64(i), prompt: &prompts[i]}, i
	}
	out, err := (&Call{model: v.model, qs: qs, plain: true}).Run(ctx, v, at...)
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return out, nil
}

// Features are the encoder's maps; the one graph shows none.
func (v *View) Features() []seg.Features {
	var out []seg.Features
	for _, name := range []string{"high_res_feat0", "high_res_feat1", "vision_feats"} { // the finest first
		t, err := output(v.picture.seen, name)
		if err != nil || len(t.Shape) != 4 || t.Shape[0] != 1 {
			continue
		}
		f := seg.Features{C: int(t.Shape[1]), H: int(t.Shape[2]), W: int(t.Shape[3]), Extent: v.picture.placed.Extent, Data: t.Float32}
		if f.Valid() {
			out = append(out, f)
		}
	}
	return out
}

// Close ends the view; a call under way still finishes.
func (v *View) Close() error {
	if err := v.use.end(); err != nil {
		return fmt.Errorf("close embedding: %w", err)
	}
	return nil
}

func (v *View) free() error {
	v.release()
	v.model.givePicture(v.space)
	return v.model.life.give()
}

// Close frees the graphs once the last view is closed.
func (m *Model) Close() error {
	if err := m.life.end(); !errors.Is(err, inference.ErrClosed) {
		return err
	}
	return nil
}

func (m *Model) free() error {
	var err error
	for _, g := range m.loaded {
		err = errors.Join(err, g.Close())
	}
	return err
}

// maxSpare bounds the memory that is kept for later pictures and calls, of each kind.
const maxSpare = 2

func (m *Model) takePicture() *inference.Picture {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.pictures); n > 0 {
		p := m.pictures[n-1]
		m.pictures = m.pictures[:n-1]
		return p
	}
	return inference.NewPicture(m.image)
}

func (m *Model) givePicture(p *inference.Picture) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.pictures) < maxSpare {
		m.pictures = append(m.pictures, p)
	}
}

func (m *Model) takeSpace() *space {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.spaces); n > 0 {
		s := m.spaces[n-1]
		m.spaces = m.spaces[:n-1]
		return s
	}
	return &space{}
}

func (m *Model) giveSpace(s *space) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.spaces) < maxSpare {
		m.spaces = append(m.spaces, s)
	}
}

// shared counts who uses something: its owner, until that ends it, and others for a while. The last one frees it.
type shared struct {
	mu    sync.Mutex
	users int
	ended bool
	free  func() error
}

func (s *shared) init(free func() error) { s.users, s.free = 1, free }

// take begins a use.
func (s *shared) take() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return inference.ErrClosed
	}
	s.users++
	return nil
}

// give ends a use.
func (s *shared) give() error {
	s.mu.Lock()
	s.users--
	last := s.users == 0
	s.mu.Unlock()
	if !last {
		return nil
	}
	return s.free()
}

// end is the owner's last use.
func (s *shared) end() error {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return inference.ErrClosed
	}
	s.ended = true
	s.mu.Unlock()
	return s.give()
}
