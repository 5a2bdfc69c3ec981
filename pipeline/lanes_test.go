package pipeline

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// A refresh that hangs is seen as well as a keyframe that does: no further job of this camera begins.
func TestARefreshThatHangsIsSeen(t *testing.T) {
	gate := inferencetest.NewGate()
	model := inferencetest.New(inferencetest.Options{Decode: func(ctx context.Context, ps []seg.Prompt) error {
		if ps[0].Mask != nil {
			return gate.Pass(ctx)
		}
		return nil
	}})
	r := newRig(t, model, func(o *Options) { o.Turns = NewTurns(1, nil) }, still)
	r.next()
	if a := r.wait(r.click(still.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	for arrived := false; !arrived; {
		if err := r.Keyframe(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.next()
		select {
		case <-gate.Arrived():
			arrived = true
		default:
		}
	}
	if r.EmbedFor() != 0 || r.WorkingFor() <= 0 {
		t.Errorf("embedding for %v, working for %v", r.EmbedFor(), r.WorkingFor())
	}
	gate.Open()
}

// A pipeline whose model has failed too often ends, whatever its other lanes are at, and leaves no work behind in what it counts.
func TestAPipelineThatFailsWaitsForNothing(t *testing.T) {
	broken := errors.New("out of memory")
	for _, c := range []string{"one waits for its turn", "one is at work"} {
		t.Run(c, func(t *testing.T) {
			gate, turns := inferencetest.NewGate(), NewTurns(1, nil)
			embeds := 0
			model := inferencetest.New(inferencetest.Options{
				Embed: func(ctx context.Context, _ *frame.Frame) error {
					if embeds++; embeds > 1 {
						return gate.Pass(ctx)
					}
					return nil
				},
				Decode: func(context.Context, []seg.Prompt) error { return broken },
			})
			r := newRig(t, model, func(o *Options) { o.Turns, o.MaxErrors = turns, 2 }, still)
			r.next()
			if a := r.wait(r.click(still.center(1), 0)); !errors.Is(a.err, broken) {
				t.Fatal(a.err)
			}
			if c == "one is at work" {
				r.next()
				if err := r.Keyframe(t.Context()); err != nil {
					t.Fatal(err)
				}
				<-gate.Arrived()
			} else {
				other := newTurn(turns)
				if !other.take() {
					t.Fatal("the only turn is not free")
				}
				defer other.end()
				r.wantsTurn(turns, 0)
			}
			asked := r.click(still.center(r.n), 1)
			select {
			case err := <-r.ended:
				if !errors.Is(err, broken) {
					t.Errorf("ended with %v", err)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it does not end")
			}
			r.ended <- nil
			r.wait(asked)
			if n := turns.Waiting(); n != 0 {
				t.Errorf("%d wait for a turn", n)
			}
		})
	}
}

// A camera that has stopped has no prompts that wait, and no jobs.
func TestAStoppedPipelineCountsNoWork(t *testing.T) {
	gate := inferencetest.NewGate()
	model := inferencetest.New(inferencetest.Options{Embed: func(ctx context.Context, _ *frame.Frame) error { return gate.Pass(ctx) }})
	r := newRig(t, model, nil, still)
	r.next()
	asked := r.click(still.center(1), 0)
	<-gate.Arrived()
	if c := r.Counters(); !c.Busy.Embed {
		t.Errorf("at work: %+v", c)
	}
	r.next()
	r.stop()
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
	r.ended <- nil
	if a := r.wait(asked); !errors.Is(a.err, errStopped) {
		t.Errorf("the prompt was answered %v", a.err)
	}
	if c := r.Counters(); c.Waiting != 0 || c.Busy != (Busy{}) || r.WorkingFor() != 0 {
		t.Errorf("stopped: %+v, working for %v", c, r.WorkingFor())
	}
}
