package synthetic

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

func small(t testing.TB, preset string) *Scene {
	t.Helper()
	s, err := New(Options{Width: 192, Height: 108, Preset: preset})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func named(t testing.TB, objects []Object, name string) Object {
	t.Helper()
	for _, o := range objects {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("no object %q", name)
	return Object{}
}

// The places that interfaces.md promises.
var promised = map[string]seg.Point{Car: {X: 0.2, Y: 0.5}, Ball: {X: 0.4, Y: 0.5}, Twin: {X: 0.6, Y: 0.5}, Block: {X: 0.8, Y: 0.5}}

func TestFirstFrameHasItsObjectsWherePromised(t *testing.T) {
	for _, p := range Presets() {
		objects := small(t, p).Truth(0)
		for name, place := range promised {
			o := named(t, objects, name)
			if !o.Mask.Contains(place) || o.Visible < 0.999 {
				t.Errorf("%s: %s is not whole under %v: box %v, visible %.2f", p, name, place, o.Mask.Box(), o.Visible)
			}
		}
	}
}

func TestFramesDependOnNothingButTheirNumber(t *testing.T) {
	a, b := small(t, ""), small(t, "")
	f, g := frame.New(2, 2), frame.New(2, 2)
	for _, n := range []uint64{0, 7, 100} {
		a.Render(n, f)
		b.Render(n+50, g)
		b.Render(n, g)
		if !bytes.Equal(f.Pix, g.Pix) || f.PTS != g.PTS || f.PTS != a.Time(n) {
			t.Errorf("frame %d differs when it is asked for out of order", n)
		}
	}
	c, err := New(Options{Width: 192, Height: 108, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	c.Render(0, f)
	a.Render(0, g)
	if bytes.Equal(f.Pix, g.Pix) {
		t.Error("another seed gives the same picture")
	}
	if got, want := c.Truth(0), a.Truth(0); !slices.Equal(got[0].Mask.Bits, want[0].Mask.Bits) {
		t.Error("the seed must not change the motion")
	}
}

func TestRenderAllocatesNothing(t *testing.T) {
	s, f := small(t, ""), frame.New(192, 108)
	n := uint64(0)
	if got := testing.AllocsPerRun(20, func() { s.Render(n, f); n++ }); got != 0 {
		t.Errorf("a frame allocates %v times", got)
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for want, o := range map[string]Options{
		"size 641x480":         {Width: 641, Height: 480},
		"size 32x32":           {Width: 32, Height: 32},
		"1000 frames":          {FPS: 1000},
		`no preset "nonsense"`: {Preset: "nonsense"},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
		if o.Validate() == nil {
			t.Errorf("%+v is valid", o)
		}
	}
	if err := (Options{}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestDefaults(t *testing.T) {
	o := Options{}
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	if o != (Options{Width: 1280, Height: 720, FPS: 30, Preset: "default", Noise: 2}) {
		t.Errorf("defaults %+v", o)
	}
	s := small(t, "")
	if s.Time(45) != 1500*time.Millisecond || s.Options().Width != 192 {
		t.Error("time or options")
	}
}

func BenchmarkRender720p(b *testing.B) {
	s, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	f := frame.New(1280, 720)
	for n := uint64(0); b.Loop(); n++ {
		s.Render(n%300, f)
	}
}

func BenchmarkTruth720p(b *testing.B) {
	s, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	for n := uint64(0); b.Loop(); n++ {
		s.Truth(n % 300)
	}
}
