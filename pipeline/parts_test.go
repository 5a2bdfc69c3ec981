package pipeline

import (
	"context"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// The objects of a keyframe are decoded in parts, each of them once, and a prompt that comes is not one of a part.
func TestAKeyframesObjectsAreDecodedInParts(t *testing.T) {
	const cols, rows = 6, 4
	var blocks []block
	for i := range cols * rows {
		blocks = append(blocks, block{x: 12 + 50*float64(i%cols), y: 14 + 56*float64(i/cols), w: 30, h: 34, color: [3]int{60, 60, 200}})
	}
	var parts []int
	model := inferencetest.New(inferencetest.Options{Decode: func(_ context.Context, ps []seg.Prompt) error {
		parts = append(parts, len(ps))
		return nil
	}})
	p := newSyncRig(t, model)
	f := frame.New(sceneW, sceneH)
	n := uint64(0)
	next := func() {
		n++
		draw(f, n, blocks)
		if err := p.Step(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	next()
	for _, b := range blocks {
		if _, err := p.Prompt(t.Context(), Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: b.center(1), Label: seg.Positive}}}}); err != nil {
			t.Fatal(err)
		}
	}
	parts = nil
	if err := p.Keyframe(t.Context()); err != nil {
		t.Fatal(err)
	}
	next()
	if len(parts) != 2 || parts[0] != refreshPart || parts[0]+parts[1] != len(blocks) {
		t.Errorf("%d objects were decoded in parts of %v, want two of at most %d", len(blocks), parts, refreshPart)
	}
	objects, _, err := p.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if o.Keyframe != n {
			t.Errorf("object %d was last answered about frame %d, want %d", o.ID, o.Keyframe, n)
		}
	}
}

// While one part is decoded frames are walked, and the rest of the keyframe follows.
func TestFramesAreWalkedBetweenTheParts(t *testing.T) {
	gate, sizes := inferencetest.NewGate(), make(chan int, 64)
	var blocks []block
	for i := range refreshPart + 4 {
		blocks = append(blocks, block{x: 12 + 50*float64(i%6), y: 14 + 56*float64(i/6), w: 30, h: 34, vx: 0.1, color: [3]int{60, 60, 200}})
	}
	model := inferencetest.New(inferencetest.Options{Decode: func(ctx context.Context, ps []seg.Prompt) error {
		if len(ps) != refreshPart {
			return nil
		}
		sizes <- len(ps)
		return gate.Pass(ctx)
	}})
	r := newRig(t, model, nil, blocks...)
	r.next()
	for _, b := range blocks {
		if a := r.wait(r.click(b.center(1), 1)); a.err != nil {
			t.Fatal(a.err)
		}
	}
	walked := false
	for range 300 { // a routine keyframe comes when the budget has one
		if r.next(); walked {
			break
		}
		select {
		case <-gate.Arrived():
			walked = true
		default:
		}
	}
	if !walked {
		t.Fatal("no routine keyframe had a whole part")
	}
	for range 5 {
		if got := len(r.next()); got != len(blocks) {
			t.Fatalf("%d objects while a part is decoded, want %d", got, len(blocks))
		}
	}
	gate.Open()
	if got := <-sizes; got != refreshPart {
		t.Errorf("the first part had %d objects", got)
	}
}
