package pipeline

import (
	"context"
	"errors"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// boxOf is a block's box in frame n.
func (b block) boxOf(n uint64) *seg.Box {
	r := b.rect(n)
	return &seg.Box{
		X0: float64(r.Min.X) / sceneW, Y0: float64(r.Min.Y) / sceneH, X1: float64(r.Max.X) / sceneW, Y1: float64(r.Max.Y) / sceneH,
	}
}

// A click waits neither for an idle prompt that is decoded nor, before it begins, for the picture that it needs.
func TestAClickDoesNotWaitForIdlePrompts(t *testing.T) {
	gate := inferencetest.NewGate()
	model := inferencetest.New(inferencetest.Options{Decode: func(ctx context.Context, ps []seg.Prompt) error {
		if ps[0].Box != nil {
			return gate.Pass(ctx)
		}
		return nil
	}})
	r := newRig(t, model, nil, red, blue)
	r.next()
	idle := r.ask(Request{Idle: true, Apart: true, Frame: 1, Prompt: seg.Prompt{Box: blue.boxOf(1)}})
	<-gate.Arrived()
	r.next()
	if a := r.wait(r.click(red.center(r.n), 0)); a.err != nil {
		t.Error(a.err)
	}
	gate.Open()
	if a := r.wait(idle); a.err != nil || iou(a.Object, blue.truth(r.n)) < 0.8 {
		t.Errorf("%v, IoU %.2f", a.err, iou(a.Object, blue.truth(r.n)))
	}
}

// Of prompts that wait for their pictures to be encoded the idle ones come last.
func TestIdlePromptsAreEncodedLast(t *testing.T) {
	p := newSyncRig(t, inferencetest.New(inferencetest.Options{}))
	f := frame.New(sceneW, sceneH)
	for n := uint64(1); n <= 3; n++ {
		draw(f, n, []block{still})
		if err := p.Step(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	p.waiting = []*ticket{{Request: Request{Idle: true}, seq: 1}, {seq: 2}}
	defer func() { p.waiting = nil }()
	if got := p.frameForPrompt(false); got == nil || got.Seq != 2 {
		t.Errorf("of those that people wait for it is %v", got)
	}
	if got := p.frameForPrompt(true); got == nil || got.Seq != 1 {
		t.Errorf("of the idle ones it is %v", got)
	}
}

// What is followed already becomes no second object, whether all of it is prompted or, of its kind, a part.
func TestAPromptApartMakesNoDoubles(t *testing.T) {
	r := newRig(t, inferencetest.New(inferencetest.Options{}), nil, red, blue)
	r.next()
	first := r.wait(r.ask(Request{Apart: true, Prompt: seg.Prompt{Box: red.boxOf(1)}}))
	if first.err != nil {
		t.Fatal(first.err)
	}
	part := *red.boxOf(1)
	part.Y1 = (part.Y0 + part.Y1) / 2
	var followed *FollowedError
	for name, q := range map[string]Request{
		"the same": {Apart: true, Prompt: seg.Prompt{Box: red.boxOf(1)}},
		"a part":   {Apart: true, Kin: []seg.ID{first.Object.ID}, Idle: true, Prompt: seg.Prompt{Box: &part}},
	} {
		if a := r.wait(r.ask(q)); !errors.As(a.err, &followed) || followed.Object != first.Object.ID {
			t.Errorf("%s: %v", name, a.err)
		}
	}
	if a := r.wait(r.ask(Request{Apart: true, Prompt: seg.Prompt{Box: blue.boxOf(1)}})); a.err != nil {
		t.Errorf("another: %v", a.err)
	}
	if objects := r.next(); len(objects) != 2 {
		t.Errorf("%d objects", len(objects))
	}
	for _, c := range r.changes {
		if c.Type == seg.ObjectNew && c.After.ID != first.Object.ID && c.After.Mask.IoU(first.Object.Mask) > 0.1 {
			t.Errorf("object %d was told of", c.After.ID)
		}
	}
}

// A lost object is found where it may be if it is there, and not if something else is.
func TestALostObjectIsAskedForWhereItMayBe(t *testing.T) {
	seldom := tracker.Options{Budget: 1e-9} // or the lost object would be found without being asked for
	r := newRig(t, inferencetest.New(inferencetest.Options{}), func(o *Options) { o.Tracker = tracker.New(seldom, lk.New(lk.Options{})) }, still, blue)
	r.next()
	a := r.wait(r.click(still.center(1), 0))
	if a.err != nil {
		t.Fatal(a.err)
	}
	for range 10 {
		r.next()
	}
	id := a.Object.ID
	perhaps := func(b block) answer {
		if _, err := r.Reject(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		f, places, err := r.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer f.Release()
		if len(places) != 1 || places[0].State != seg.Lost || !places[0].Box.Empty() {
			t.Errorf("places %+v", places)
		}
		return r.wait(r.ask(Request{Object: id, Perhaps: true, Idle: true, Frame: f.Seq, Prompt: seg.Prompt{Box: b.boxOf(f.Seq)}}))
	}
	if a := perhaps(blue); !errors.Is(a.err, ErrNothingFound) {
		t.Errorf("where another is: %v", a.err)
	}
	if a := perhaps(still); a.err != nil || a.Object.State != seg.Tracking || iou(a.Object, still.truth(1)) < 0.8 {
		t.Errorf("where it is: %v, %+v", a.err, a.Object.State)
	}
	f, places, err := r.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	if len(places) != 1 || places[0].Box.IoU(*still.boxOf(1)) < 0.8 {
		t.Errorf("places %+v", places)
	}
}
