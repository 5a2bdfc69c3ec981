package pipeline

import (
	"context"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
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
