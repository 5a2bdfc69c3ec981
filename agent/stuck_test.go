package agent

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// A model that hangs at the objects of a keyframe hangs, although it encodes nothing; and where it keeps the others from their turn, it does so
// also after the camera at fault was removed.
func TestAModelThatHangsInARefreshIsStuck(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // one place
	gate := inferencetest.NewGate()
	model := inferencetest.New(inferencetest.Options{Decode: func(_ context.Context, ps []seg.Prompt) error {
		if ps[0].Mask != nil {
			return gate.Pass(context.Background()) // as in C
		}
		return nil
	}})
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Model = model })
	r.next(40)
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Fatal(reply.Error)
	}
	for arrived := false; !arrived; {
		if reply := r.do("keyframe", ""); !reply.OK {
			t.Fatal(reply.Error)
		}
		r.next(40)
		select {
		case <-gate.Arrived():
			arrived = true
		default:
		}
	}
	if err := r.Stuck(0); err == nil || !strings.Contains(err.Error(), "cam: the model has not answered") {
		t.Errorf("stuck: %v", err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		free, err := r.Remove("cam")
		if err == nil {
			err = free()
		}
		if err != nil {
			t.Error(err)
		}
	}()
	for len(r.Cameras()) > 0 {
		runtime.Gosched()
	}
	if err := r.Stuck(0); err == nil || !strings.Contains(err.Error(), "no camera a turn") {
		t.Errorf("after the camera was removed: %v", err)
	}
	gate.Open()
	<-gone
	if err := r.Stuck(0); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
