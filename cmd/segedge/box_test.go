package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
	"github.com/segedge/segedge/tracker/motion"
)

// The mask of a dog that was boxed in the first frame is the dog, though the strip of pavement behind it is of its colours and stays when the
// dog runs. The boxes were drawn by hand.
func TestTheDogsBoxStaysTheDog(t *testing.T) {
	testkit.Long(t)
	clip := testkit.Shared(t, "data", "clips", "01_dog.mp4")
	dog := map[uint64]seg.Box{
		9: {X0: 0.36, Y0: 0.51, X1: 0.55, Y1: 0.75}, 31: {X0: 0.44, Y0: 0.46, X1: 0.56, Y1: 0.74},
		47: {X0: 0.54, Y0: 0.36, X1: 0.70, Y1: 0.73}, 61: {X0: 0.73, Y0: 0.55, X1: 0.96, Y1: 0.76},
	}
	m, err := openModel(t.Context(), config.Default(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	follower, err := eval.Product(eval.ProductOptions{
		Model: m.served, Delay: 2,
		Tracker: tracker.Options{Budget: tracker.DefaultBudget},
		Flow:    func() (motion.Flow, func() error, error) { return lk.New(lk.Options{}), nil, nil },
	})()
	if err != nil {
		t.Fatal(errors.Join(err, m.Close()))
	}
	defer func() {
		if err := errors.Join(follower.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	}()
	o, err := openSource(&config.Camera{Name: "clip", Source: clip}, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	source, err := o.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = source.Close() }() // it was only read
	f := frame.New(1, 1)
	for n := uint64(1); n <= 61; n++ {
		if err := source.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		f.Seq = n
		if n == 1 {
			if err := follower.Start(f, seg.Prompt{Box: &seg.Box{X0: 0.36, Y0: 0.53, X1: 0.55, Y1: 0.84}, Single: true}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		mask, err := follower.Next(f)
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := dog[n]; ok && (mask == nil || mask.Box().IoU(want) < 0.5) {
			shown := seg.Box{}
			if mask != nil {
				shown = mask.Box()
			}
			t.Errorf("frame %d: the mask is in %.2f, the dog in %.2f", n, shown, want)
		}
	}
}
