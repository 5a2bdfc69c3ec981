package agent

import (
	"context"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// TestACameraThatHasEndedKeepsNobodyFromAnotherModel has two cameras, the second of which is at its end: the first gets the new model, and it
// stays open.
func TestACameraThatHasEndedKeepsNobodyFromAnotherModel(t *testing.T) {
	live, ended := &film{frames: make(chan int)}, &film{frames: make(chan int)}
	shown := make(chan uint64, 1)
	camera := func(name string, s capture.Source, v VideoSink) CameraOptions {
		return CameraOptions{
			Name: name, Video: v, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
			Source: capture.Options{
				Open: func(context.Context) (capture.Source, error) { return s, nil }, StallAfter: time.Hour, StuckAfter: time.Hour, OpenLimit: time.Hour,
			},
		}
	}
	next := inferencetest.New(inferencetest.Options{})
	a, err := New(Options{
		Name: "box", Model: inferencetest.New(inferencetest.Options{}),
		OpenModel: func(context.Context, string) (inference.Segmenter, error) { return next, nil },
	}, []CameraOptions{camera("cam", live, &screen{shown}), camera("gone", ended, nil)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	r := &rig{t: t, Agent: a, film: live, shown: shown}
	r.next(40)
	close(ended.frames)
	stopped := func() bool { s, _ := a.State("gone"); return s.State == api.Stopped }
	for !stopped() {
		r.next(40)
	}
	if reply := r.do("model", `{"name":"another"}`); !reply.OK {
		t.Fatalf("%+v", reply.Error)
	}
	r.next(40)
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Errorf("the new model does not serve: %+v", reply.Error)
	}
	if next.Decodes() == 0 {
		t.Error("the answer is not the new model's")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if n := next.Live(); n != 0 {
		t.Errorf("%d embeddings were never closed", n)
	}
}
