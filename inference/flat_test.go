package inference

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// painted is a picture whose channels are what level says, within 0..255.
func painted(w, h int, level func(x, y, c int) float64) *frame.Frame {
	f := frame.New(w, h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				f.Pix[y*f.Stride()+3*x+c] = byte(min(max(level(x, y, c), 0), 255))
			}
		}
	}
	return f
}

func sqr(v float64) float64 { return v * v }

// TestAFlatPictureHasNoObject: one colour, dark or light, with a sensor's noise or a lamp's shading on it; and what does have one.
func TestAFlatPictureHasNoObject(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	disc := func(radius, step float64, at float64) func(x, y, c int) float64 {
		return func(x, y, _ int) float64 {
			if math.Hypot(float64(x)-at, float64(y)-at) < radius {
				return 100 + step
			}
			return 100
		}
	}
	for name, c := range map[string]struct {
		level func(x, y, c int) float64
		flat  bool
	}{
		"grey":                  {func(_, _, _ int) float64 { return 128 }, true},
		"black":                 {func(_, _, _ int) float64 { return 0 }, true},
		"a colour":              {func(_, _, c int) float64 { return float64(40 * c) }, true},
		"noise":                 {func(_, _, _ int) float64 { return 90 + 6*r.NormFloat64() }, true},
		"shading":               {func(x, y, _ int) float64 { return 60 + 0.06*float64(x+y) }, true},
		"strong shading":        {func(x, y, _ int) float64 { return 20 + 0.3*float64(x) + 0.2*float64(y) }, true},
		"a lamp's light":        {func(x, y, _ int) float64 { return 220 - 0.0012*(sqr(float64(x)-224)+sqr(float64(y)-126)) }, true},
		"strong shading, noise": {func(x, y, _ int) float64 { return 40 + 0.2*float64(x+y) + 4*r.NormFloat64() }, true},
		"an edge":               {func(x, _, _ int) float64 { return 100 + 8*float64(min(1, max(0, x-220))) }, false},
		"a soft edge":           {func(x, _, _ int) float64 { return 100 + min(40, max(0, float64(x-200))) }, false},
		"a bar":                 {func(_, y, _ int) float64 { return 100 + 9*float64(min(1, max(0, y-100))*min(1, max(0, 125-y))) }, false},
		"a small disc":          {disc(9, 60, 100), false},
		"a weak disc":           {disc(60, 12, 150), false},
		"a thing of noise":      {func(x, y, _ int) float64 { return disc(50, 30, 120)(x, y, 0) + 6*r.NormFloat64() }, false},
		"one channel": {func(x, y, c int) float64 {
			if c == 2 {
				return disc(50, 30, 120)(x, y, 0)
			}
			return 100
		}, false},
	} {
		for _, size := range [][2]int{{448, 252}, {855, 481}, {1920, 1080}} {
			k := float64(size[0]) / 448
			f := painted(size[0], size[1], func(x, y, ch int) float64 {
				return c.level(int(float64(x)/k), int(float64(y)/k), ch)
			})
			if got := flat(f); got != c.flat {
				t.Errorf("%s at %dx%d: flat %v", name, size[0], size[1], got)
			}
		}
	}
	if flat(frame.New(900, 2)) {
		t.Error("nothing is claimed of a sliver")
	}
	f := painted(448, 252, func(_, _, _ int) float64 { return 128 })
	if n := testing.AllocsPerRun(5, func() { flat(f) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// chequered is a picture that shows something.
func chequered(w, h int) *frame.Frame {
	return painted(w, h, func(x, y, _ int) float64 { return float64((8*x/w + 8*y/h) % 2 * 200) })
}

// TestAFlatPictureIsAnsweredWithNothing, without asking the decoder.
func TestAFlatPictureIsAnsweredWithNothing(t *testing.T) {
	s, _, decoder := samModel(t, good)
	for _, c := range []struct {
		f    *frame.Frame
		runs int
	}{{frame.New(64, 64), 0}, {chequered(64, 64), 1}} {
		e, err := s.Embed(t.Context(), c.f)
		if err != nil {
			t.Fatal(err)
		}
		a, err := e.Decode(t.Context(), []seg.Prompt{oneClick})
		if err != nil || len(a) != 1 || (len(a[0].Candidates) > 0) != (c.runs > 0) || len(decoder.runs) != c.runs {
			t.Errorf("%d candidates after %d runs, %v", len(a[0].Candidates), len(decoder.runs), err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}
