package synthetic

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

func TestSourceGivesTheFramesInOrder(t *testing.T) {
	s := small(t, "")
	src := s.Source(3)
	if i := src.Info(); i.Live || i.Width != 192 || i.Height != 108 || i.FPS != 30 {
		t.Errorf("info %+v", i)
	}
	f, g := frame.New(2, 2), frame.New(2, 2)
	for n := range uint64(3) {
		if err := src.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if s.Render(n, g); !bytes.Equal(f.Pix, g.Pix) || f.PTS != s.Time(n) {
			t.Errorf("read %d is not frame %d", n, n)
		}
	}
	if err := src.Read(t.Context(), f); !errors.Is(err, io.EOF) {
		t.Errorf("after the last frame: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Source(0).Read(ctx, f); !errors.Is(err, context.Canceled) {
		t.Errorf("with its context ended: %v", err)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenerFailsOnBadOptions(t *testing.T) {
	if _, err := Opener(Options{Preset: "x"})(t.Context()); !errors.Is(err, capture.ErrPermanent) {
		t.Errorf("an unknown preset: %v", err)
	}
	src, err := Opener(Options{Width: 64, Height: 64})(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Read(t.Context(), frame.New(2, 2)); err != nil {
		t.Error(err)
	}
}

func TestNoiseIsThereAndNotTooMuch(t *testing.T) {
	clean, err := New(Options{Width: 192, Height: 108, Noise: -1})
	if err != nil {
		t.Fatal(err)
	}
	noisy := small(t, "")
	f, g := frame.New(2, 2), frame.New(2, 2)
	clean.Render(5, f)
	noisy.Render(5, g)
	var sum, squares float64
	for i := range f.Pix {
		d := float64(g.Pix[i]) - float64(f.Pix[i])
		sum += d
		squares += d * d
	}
	n := float64(len(f.Pix))
	if mean, sigma := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.1 || sigma < 1.8 || sigma > 2.2 {
		t.Errorf("noise of mean %.2f and deviation %.2f, want 0 and 2", mean, sigma)
	}
}
