package inferencetest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// twoSquares is a grey picture with a red square at 16..32 and a green one at 40..56, both at y 8..24.
func twoSquares() *frame.Frame {
	f := frame.New(64, 32)
	for i := range f.Pix {
		f.Pix[i] = 90
	}
	for y := 8; y < 24; y++ {
		for x := 16; x < 32; x++ {
			copy(f.Pix[y*f.Stride()+3*x:], []byte{0, 0, 250})
			copy(f.Pix[y*f.Stride()+3*(x+24):], []byte{0, 250, 0})
		}
	}
	return f
}

func decode(t *testing.T, s *Segmenter, ps ...seg.Prompt) []seg.Prediction {
	t.Helper()
	e, err := s.Embed(t.Context(), twoSquares())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil || s.Live() != 0 {
			t.Errorf("close: %v, %d left", err, s.Live())
		}
	}()
	out, err := e.Decode(t.Context(), ps)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func click(x, y float64, l seg.Label) seg.Click {
	return seg.Click{Point: seg.Point{X: x, Y: y}, Label: l}
}

func TestFindsTheShapeUnderThePrompt(t *testing.T) {
	red, box := click(24./64, 0.5, 1), seg.Box{X0: 38. / 64, Y0: 0.1, X1: 60. / 64, Y1: 0.9}
	carried := seg.LogitsOf(twoSquaresMask(), 32, 16, seg.Point{X: 1, Y: 1}, 5)
	for name, c := range map[string]struct {
		p    seg.Prompt
		want seg.Box
		n    int
	}{
		"click":            {seg.Prompt{Clicks: []seg.Click{red}}, seg.Box{X0: .25, Y0: .25, X1: .5, Y1: .75}, 256},
		"box":              {seg.Prompt{Box: &box}, seg.Box{X0: .625, Y0: .25, X1: .875, Y1: .75}, 256},
		"mask":             {seg.Prompt{Mask: carried}, seg.Box{X0: .25, Y0: .25, X1: .5, Y1: .75}, 256},
		"two, one refused": {seg.Prompt{Clicks: []seg.Click{red, click(.75, .5, 1), click(.76, .5, 0)}}, seg.Box{X0: .25, Y0: .25, X1: .5, Y1: .75}, 256},
	} {
		a := decode(t, New(Options{}), c.p)[0]
		m := a.Best().Logits.Cut(64, 32, seg.Threshold)
		if m.Box() != c.want || m.Count() != c.n {
			t.Errorf("%s: box %v with %d cells, want %v with %d", name, m.Box(), m.Count(), c.want, c.n)
		}
	}
	if a := decode(t, New(Options{}), seg.Prompt{Clicks: []seg.Click{click(.4, .5, 1), click(.4, .5, 0)}}); a[0].Best() != nil {
		t.Error("a mask with nothing left must be no candidate")
	}
}

func twoSquaresMask() *seg.Mask {
	l := (&embedding{s: New(Options{}), pic: reduce(twoSquares(), 64, 32)}).segment(
		seg.Prompt{Clicks: []seg.Click{click(24./64, .5, 1)}})
	return l.Cut(64, 32, seg.Threshold)
}

func TestDiscAndHooks(t *testing.T) {
	s := New(Options{Disc: 4, Answer: func(p seg.Prompt, a seg.Prediction) seg.Prediction {
		a.Ambiguous = true
		return a
	}})
	a := decode(t, s, seg.Prompt{Clicks: []seg.Click{click(.5, .5, 1)}})[0]
	if n := a.Best().Logits.Cut(64, 32, 0).Count(); n != 49 || !a.Ambiguous {
		t.Errorf("disc of radius 4 has %d cells, want 49; ambiguous %v", n, a.Ambiguous)
	}
	if s.Embeds() != 1 || s.Decodes() != 1 {
		t.Errorf("counted %d embeds, %d decodes", s.Embeds(), s.Decodes())
	}
	want := errors.New("out of memory")
	s = New(Options{Embed: func(context.Context, *frame.Frame) error { return want }})
	if _, err := s.Embed(t.Context(), twoSquares()); !errors.Is(err, want) || s.Live() != 0 {
		t.Errorf("embed: %v", err)
	}
	s = New(Options{Decode: func(context.Context, []seg.Prompt) error { return want }})
	e, _ := s.Embed(t.Context(), twoSquares())
	if _, err := e.Decode(t.Context(), nil); !errors.Is(err, want) {
		t.Errorf("decode: %v", err)
	}
	var unsupported *inference.UnsupportedError
	e, _ = New(Options{}).Embed(t.Context(), twoSquares())
	if _, err := e.Decode(t.Context(), []seg.Prompt{{Text: "dog"}}); !errors.As(err, &unsupported) {
		t.Errorf("text: %v", err)
	}
}

func TestGateAndDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate()
		s := New(Options{Embed: func(ctx context.Context, _ *frame.Frame) error { return g.Pass(ctx) }})
		done := make(chan error)
		go func() { _, err := s.Embed(t.Context(), twoSquares()); done <- err }()
		<-g.Arrived()
		select {
		case <-done:
			t.Error("passed a closed gate")
		default:
		}
		g.Open()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
