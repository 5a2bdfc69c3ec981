package agent

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
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

// A model that was replaced is closed, the first one too; what it is encoding is finished, and not used.
func TestAReplacedModelIsFreed(t *testing.T) {
	gate := inferencetest.NewGate()
	var busy atomic.Bool
	models := []*inferencetest.Segmenter{inferencetest.New(inferencetest.Options{Embed: func(ctx context.Context, _ *frame.Frame) error {
		if !busy.Load() {
			return nil
		}
		return gate.Pass(ctx)
	}})}
	for range 3 {
		models = append(models, inferencetest.New(inferencetest.Options{}))
	}
	n := 0
	r := newRig(t, func(o *Options, _ *CameraOptions) {
		o.Model = models[0]
		o.OpenModel = func(context.Context, string) (inference.Segmenter, error) { n++; return models[n], nil }
	})
	r.next(40)
	busy.Store(true)
	asked := make(chan api.Reply)
	go func() { asked <- r.Do(t.Context(), "cam", command(t, "prompt", onSquare)) }()
	<-gate.Arrived()
	for k := 1; k < len(models); k++ {
		if reply := r.do("model", `{"name":"another"}`); !reply.OK {
			t.Fatalf("%+v", reply.Error)
		}
		if !models[k-1].Closed() || models[k].Closed() {
			t.Errorf("after swap %d: closed %v and %v", k, models[k-1].Closed(), models[k].Closed())
		}
	}
	gate.Open()
	r.next(40)
	if reply := <-asked; !reply.OK {
		t.Errorf("what the old model was at is asked again: %+v", reply.Error)
	}
	if s, _ := r.State("cam"); s.ModelErrors != 0 {
		t.Errorf("%d model errors", s.ModelErrors)
	}
	for i, m := range models {
		if m.Live() > 4 || i < 3 && m.Live() != 0 {
			t.Errorf("model %d has %d embeddings open", i, m.Live())
		}
	}
}

func command(t *testing.T, verb, body string) api.Command {
	t.Helper()
	cmd, bad := api.Decode(verb, []byte(body))
	if bad != nil {
		t.Fatal(bad)
	}
	return cmd
}
