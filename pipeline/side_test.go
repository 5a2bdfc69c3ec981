package pipeline

import (
	"context"
	"slices"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

func TestSidesOfPictures(t *testing.T) {
	own := inference.Info{Input: func(w, h int) (int, int) { return min(w, 448), min(h, 252) }}
	for _, c := range []struct{ side, w, h, wantW, wantH int }{
		{0, 1280, 720, 448, 252}, {320, 1280, 720, 320, 180}, {320, 200, 100, 200, 100}, {640, 1280, 720, 448, 252}, {64, 10000, 1, 64, 1},
	} {
		if w, h := sized(own, c.side).Input(c.w, c.h); w != c.wantW || h != c.wantH {
			t.Errorf("side %d: %d×%d is shown as %d×%d, want %d×%d", c.side, c.w, c.h, w, h, c.wantW, c.wantH)
		}
	}
	if sized(inference.Info{}, 320).Input != nil {
		t.Error("a model that does not say what it sees says so now")
	}
}

// A camera of its own size is encoded at that size, also after the model was changed.
func TestACamerasOwnSize(t *testing.T) {
	seen := [2]int{}
	model := inferencetest.New(inferencetest.Options{})
	p, err := New(Options{Model: watched{model, &seen}, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})), Side: 96, Synchronous: true})
	if err != nil {
		t.Fatal(err)
	}
	b := block{x: 100, y: 100, w: 40, h: 40, color: [3]int{60, 60, 200}}
	f := frame.New(sceneW, sceneH)
	for n := uint64(1); n <= 2; n++ {
		draw(f, n, []block{b})
		if err := p.Step(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if err := p.Keyframe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if max(seen[0], seen[1]) != 96 {
			t.Errorf("encoded at %v", seen)
		}
		seen = [2]int{}
		if err := p.Swap(t.Context(), watched{model, &seen}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// watched is a model that notes the size of what it encodes.
type watched struct {
	*inferencetest.Segmenter
	seen *[2]int
}

func (w watched) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	*w.seen = [2]int{f.Width, f.Height}
	return w.Segmenter.Embed(ctx, f)
}

// featured is a model of a name, with features: the mean colours of cells.
type featured struct {
	*inferencetest.Segmenter
	name string
}

func (m featured) Info() inference.Info {
	i := m.Segmenter.Info()
	i.Name = m.name
	return i
}

func (m featured) Embed(ctx context.Context, f *frame.Frame) (inference.Embedding, error) {
	e, err := m.Segmenter.Embed(ctx, f)
	if err != nil {
		return nil, err
	}
	const cell = 8
	fs := seg.Features{W: f.Width / cell, H: f.Height / cell, C: 3, Extent: seg.Point{X: 1, Y: 1}}
	fs.Data = make([]float32, fs.C*fs.W*fs.H)
	for y := range fs.H * cell {
		for x := range fs.W * cell {
			for c := range fs.C {
				fs.Data[(c*fs.H+y/cell)*fs.W+x/cell] += float32(f.Pix[y*f.Stride()+3*x+c]) / 255 / cell / cell
			}
		}
	}
	return seen{e, fs}, nil
}

// seen is an embedding with features.
type seen struct {
	inference.Embedding
	fs seg.Features
}

func (s seen) Features() []seg.Features { return []seg.Features{s.fs} }

// What an object looks like to one model is none of another's: it is learnt anew, under the name of that model, also where both have
// features of one form, and the first one's is kept.
func TestLooksAreKeptByModel(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{})
	r := newRig(t, model, func(o *Options) { o.Model = featured{model, "a"} }, red)
	r.next()
	if a := r.wait(r.click(red.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	looks := func() (names []string) {
		saved, err := r.Save(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range saved.Objects[0].Look.Models {
			names = append(names, m.Model)
		}
		return names
	}
	until := func(want ...string) {
		for first := r.n; !slices.Equal(looks(), want); {
			if r.next(); r.n > first+500 {
				t.Fatalf("looks of %q, want %q", looks(), want)
			}
		}
	}
	until("test/a")
	if err := r.Swap(t.Context(), featured{inferencetest.New(inferencetest.Options{}), "b"}); err != nil {
		t.Fatal(err)
	}
	until("test/a", "test/b")
}
