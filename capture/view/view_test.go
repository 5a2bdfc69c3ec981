package view

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// numbered is a source whose pixels are their numbers: the n-th is (n, n+100, n+200).
type numbered struct {
	w, h int
	err  error
}

func (s *numbered) Read(_ context.Context, dst *frame.Frame) error {
	if s.err != nil {
		return s.err
	}
	dst.Resize(s.w, s.h)
	dst.PTS = 7 * time.Second
	for i := range s.w * s.h {
		dst.Pix[3*i], dst.Pix[3*i+1], dst.Pix[3*i+2] = byte(i), byte(i+100), byte(i+200)
	}
	return nil
}

func (s *numbered) Close() error { return nil }

// described is one that knows its size, and hears.
type described struct{ numbered }

func (d *described) Info() capture.Info { return capture.Info{Width: d.w, Height: d.h, FPS: 5} }
func (d *described) Active() time.Time  { return time.Unix(9, 0) }

func opened(t *testing.T, src capture.Source, o Options) capture.Source {
	t.Helper()
	open, err := Wrap(func(context.Context) (capture.Source, error) { return src, nil }, o)
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The picture of 3 by 2, whose pixels are 0 1 2 / 3 4 5, in every position.
func TestThePictureIsTurned(t *testing.T) {
	for name, c := range map[string]struct {
		o    Options
		w, h int
		want []byte
	}{
		"as it is":              {Options{}, 3, 2, []byte{0, 1, 2, 3, 4, 5}},
		"a quarter":             {Options{Rotate: 90}, 2, 3, []byte{3, 0, 4, 1, 5, 2}},
		"half":                  {Options{Rotate: 180}, 3, 2, []byte{5, 4, 3, 2, 1, 0}},
		"three quarters":        {Options{Rotate: 270}, 2, 3, []byte{2, 5, 1, 4, 0, 3}},
		"mirrored":              {Options{FlipX: true}, 3, 2, []byte{2, 1, 0, 5, 4, 3}},
		"upside down":           {Options{FlipY: true}, 3, 2, []byte{3, 4, 5, 0, 1, 2}},
		"both is half":          {Options{FlipX: true, FlipY: true}, 3, 2, []byte{5, 4, 3, 2, 1, 0}},
		"turned, then mirrored": {Options{Rotate: 90, FlipX: true}, 2, 3, []byte{0, 3, 1, 4, 2, 5}},
		"cropped":               {Options{Crop: seg.Box{X0: 1. / 3, Y0: 0, X1: 1, Y1: 1}}, 2, 2, []byte{1, 2, 4, 5}},
		"turned, then cropped":  {Options{Rotate: 90, Crop: seg.Box{X0: 0, Y0: 1. / 3, X1: 1, Y1: 1}}, 2, 2, []byte{4, 1, 5, 2}},
	} {
		f := frame.New(2, 2)
		if err := opened(t, &numbered{w: 3, h: 2}, c.o).Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for i := 0; i < len(f.Pix); i += 3 {
			got = append(got, f.Pix[i])
			if f.Pix[i+1] != f.Pix[i]+100 || f.Pix[i+2] != f.Pix[i]+200 {
				t.Errorf("%s: the channels of a pixel came apart", name)
			}
		}
		if f.Width != c.w || f.Height != c.h || !slices.Equal(got, c.want) || f.PTS != 7*time.Second {
			t.Errorf("%s: %dx%d %v, want %dx%d %v", name, f.Width, f.Height, got, c.w, c.h, c.want)
		}
	}
}

// Turning by tiles is the same as turning pixel by pixel, and four quarters are none.
func TestTurningALargePicture(t *testing.T) {
	const w, h = 150, 70
	first := frame.New(w, h)
	if err := (&numbered{w: w, h: h}).Read(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	src := first.Pix
	cw, ch := w, h
	for range 4 {
		var p plan
		p.fit(cw, ch, &Options{Rotate: 90})
		dst := make([]byte, len(src))
		p.copy(dst, src)
		for y := range p.h {
			for x := range p.w {
				if want := src[3*((ch-1-x)*cw+y)]; dst[3*(y*p.w+x)] != want {
					t.Fatalf("pixel %d,%d", x, y)
				}
			}
		}
		src, cw, ch = dst, p.w, p.h
	}
	if !slices.Equal(src, first.Pix) {
		t.Error("four quarters")
	}
}

// inside reports whether the middle of a pixel is in a polygon, by the winding rule.
func inside(points []seg.Point, x, y float64) bool {
	n := 0
	for i, p := range points {
		q := points[(i+1)%len(points)]
		if (p.Y <= y) != (q.Y <= y) && x < p.X+(q.X-p.X)*(y-p.Y)/(q.Y-p.Y) {
			if p.Y < q.Y {
				n++
			} else {
				n--
			}
		}
	}
	return n != 0
}

// No pixel of a masked part is left, of whatever shape, and the rest is as it was.
func TestWhatIsMaskedIsBlack(t *testing.T) {
	const w, h = 64, 48
	star := []seg.Point{{X: 0.5, Y: 0.05}, {X: 0.8, Y: 0.95}, {X: 0.05, Y: 0.35}, {X: 0.95, Y: 0.35}, {X: 0.2, Y: 0.95}}
	for name, black := range map[string][][]seg.Point{
		"triangle": {{{X: 0.1, Y: 0.1}, {X: 0.9, Y: 0.3}, {X: 0.3, Y: 0.9}}},
		"all":      {{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 1}}},
		"star":     {star},
		"sliver":   {{{X: 0.1, Y: 0.5}, {X: 0.9, Y: 0.5}, {X: 0.9, Y: 0.505}}},
		"two":      {{{X: 0, Y: 0}, {X: 0.2, Y: 0}, {X: 0, Y: 0.2}}, {{X: 1, Y: 1}, {X: 0.8, Y: 1}, {X: 1, Y: 0.8}}},
	} {
		f := frame.New(2, 2)
		s := opened(t, &numbered{w: w, h: h}, Options{Rotate: 180, Black: black})
		for range 2 {
			if err := s.Read(t.Context(), f); err != nil {
				t.Fatal(err)
			}
		}
		dark := 0
		for y := range h {
			for x := range w {
				i := y*w + x
				isBlack := f.Pix[3*i] == 0 && f.Pix[3*i+1] == 0 && f.Pix[3*i+2] == 0
				if isBlack {
					dark++
				}
				masked := slices.ContainsFunc(black, func(p []seg.Point) bool {
					return inside(p, (float64(x)+0.5)/w, (float64(y)+0.5)/h)
				})
				if masked && !isBlack {
					t.Fatalf("%s: pixel %d,%d is seen", name, x, y)
				}
			}
		}
		if dark == 0 || name != "all" && dark > w*h*2/3 {
			t.Errorf("%s: %d of %d pixels are black", name, dark, w*h)
		}
	}
	f := frame.New(2, 2)
	if err := opened(t, &numbered{w: w, h: h}, Options{Black: [][]seg.Point{{{X: 0.5, Y: 0.5}, {X: 1, Y: 0.5}, {X: 1, Y: 1}, {X: 0.5, Y: 1}}}}).Read(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if f.Pix[3*(20*w+20)] != byte((20*w+20)%256) || f.Pix[3*(30*w+40)] != 0 {
		t.Error("the lower right quarter is black and the rest as it was")
	}
}

func TestWhatASourceTellsIsPassedOn(t *testing.T) {
	s := opened(t, &described{numbered{w: 40, h: 20}}, Options{Rotate: 90, Crop: seg.Box{X1: 1, Y1: 0.5}})
	if i := s.(capture.Describer).Info(); i.Width != 20 || i.Height != 20 || i.FPS != 5 || i.Live {
		t.Errorf("%+v", i)
	}
	if l, ok := s.(listener); !ok || l.Active() != time.Unix(9, 0) {
		t.Error("a source that hears is one that hears")
	}
	s = opened(t, &numbered{w: 4, h: 2, err: io.EOF}, Options{FlipX: true})
	if !s.(capture.Describer).Info().Live {
		t.Error("a source that says nothing is live")
	}
	if _, ok := s.(listener); ok {
		t.Error("a source that does not hear is not one that does")
	}
	if err := s.Read(t.Context(), frame.New(2, 2)); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	plain := &numbered{}
	if opened(t, plain, Options{}) != capture.Source(plain) {
		t.Error("where nothing is asked, nothing stands between")
	}
}

func TestViewsThatAreNone(t *testing.T) {
	for _, o := range []Options{{Rotate: 45}, {Rotate: -90}, {Crop: seg.Box{X0: 0.5, X1: 0.2, Y1: 1}}, {Crop: seg.Box{X1: 2, Y1: 1}}} {
		if _, err := Wrap(nil, o); err == nil {
			t.Errorf("%+v", o)
		}
	}
	open, err := Wrap(func(context.Context) (capture.Source, error) { return nil, io.EOF }, Options{FlipX: true})
	if _, bad := open(t.Context()); err != nil || !errors.Is(bad, io.EOF) {
		t.Errorf("%v, %v", err, bad)
	}
}

func TestNothingIsAllocatedPerFrame(t *testing.T) {
	s, f := opened(t, &numbered{w: 64, h: 48}, Options{Rotate: 90, Black: [][]seg.Point{{{X: 0.1, Y: 0.1}, {X: 0.9, Y: 0.3}, {X: 0.3, Y: 0.9}}}}), frame.New(64, 64)
	read := func() { _ = s.Read(context.Background(), f) }
	read()
	if n := testing.AllocsPerRun(20, read); n != 0 {
		t.Errorf("%g allocations a frame", n)
	}
}
