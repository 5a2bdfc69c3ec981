package propose

import (
	"errors"
	"image"
	"iter"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// squares is a film of a red square on green that moves a pixel every other frame.
func squares(n int) func() iter.Seq2[*frame.Frame, error] {
	return func() iter.Seq2[*frame.Frame, error] {
		return func(yield func(*frame.Frame, error) bool) {
			for k := range n {
				f := frame.New(80, 60)
				f.Seq = uint64(k + 1)
				for i := 0; i < len(f.Pix); i += 3 {
					f.Pix[i], f.Pix[i+1], f.Pix[i+2] = 60, 120, 60
					if image.Pt(i/3%80, i/3/80).In(image.Rect(5+k/2, 15, 35+k/2, 45)) {
						f.Pix[i+1], f.Pix[i+2] = 40, 220
					}
				}
				if !yield(f, nil) {
					return
				}
			}
		}
	}
}

// eye is a follower that sees the red square.
type eye struct{ blind bool }

func see(f *frame.Frame) *seg.Mask {
	m := seg.NewMask(f.Width, f.Height, image.Rect(0, 0, f.Width, f.Height))
	for i := range m.Bits {
		if f.Pix[3*i+2] > 150 {
			m.Bits[i] = 1
		}
	}
	return m.Trim()
}

func (e *eye) Start(*frame.Frame, seg.Prompt) error { return nil }
func (e *eye) Close() error                         { return nil }
func (e *eye) Next(f *frame.Frame) (*seg.Mask, error) {
	if e.blind {
		return nil, nil
	}
	return see(f), nil
}

func TestAutoTakesWhatComesHome(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{})
	for _, c := range []struct {
		name   string
		frames int
		blind  bool
		o      Options
		want   int // pictures
	}{
		{"one, since nothing tells the others from it", 60, false, Options{Every: 10, Window: 4, Novelty: 2}, 0},
		{"as many as wanted", 60, false, Options{Every: 10, Window: 4, Pictures: 2, Novelty: 0.1}, 2},
		{"windows that overlap", 40, false, Options{Every: 2, Window: 6, Pictures: 5, Novelty: 0.1}, 5},
		{"a film that ends at once", 1, false, Options{Every: 10, Novelty: 0.1}, 0},
		{"masks that are lost on the way", 60, true, Options{Every: 10, Window: 4, Novelty: 0.1}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Model, c.o.Grid, c.o.Follower = model, 4, func() (Follower, error) { return &eye{c.blind}, nil }
			got := 0
			err := Auto(t.Context(), squares(c.frames), &Memory{}, c.o, func(p *Taken) error {
				got++
				for _, m := range p.Masks {
					if m.Cycle < 0.8 || m.Mask.Resize(p.Frame.Width, p.Frame.Height).IoU(see(p.Frame)) < 0.9 {
						t.Errorf("a mask that is not the square, or came not home: %.2f", m.Cycle)
					}
				}
				return nil
			})
			if err != nil || got != c.want {
				t.Errorf("%d pictures, %v, want %d", got, err, c.want)
			}
		})
	}
	if n := model.Live(); n != 0 {
		t.Errorf("%d embeddings were never closed", n)
	}
}

func TestAutoEndsWithItsFilm(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{})
	o := Options{Model: model, Grid: 4, Follower: func() (Follower, error) { return &eye{}, nil }, Every: 5, Window: 3, Novelty: 0.1}
	full := errors.New("disk full")
	if err := Auto(t.Context(), squares(20), &Memory{}, o, func(*Taken) error { return full }); !errors.Is(err, full) {
		t.Errorf("%v, want %v", err, full)
	}
	torn := errors.New("torn")
	film := func() iter.Seq2[*frame.Frame, error] {
		return func(yield func(*frame.Frame, error) bool) { yield(nil, torn) }
	}
	if err := Auto(t.Context(), film, &Memory{}, o, nil); !errors.Is(err, torn) {
		t.Errorf("%v, want %v", err, torn)
	}
}
