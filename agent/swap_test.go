package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
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

func TestModelIsSwappedByCommand(t *testing.T) {
	opened := map[string]*inferencetest.Segmenter{}
	r := newRig(t, func(o *Options, _ *CameraOptions) {
		o.OpenModel = func(_ context.Context, name string) (inference.Segmenter, error) {
			if name == "broken" {
				return nil, errors.New("broken.onnx is no ONNX model")
			}
			opened[name] = inferencetest.New(inferencetest.Options{})
			return opened[name], nil
		}
	})
	r.next(40)
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Fatal(reply.Error)
	}
	for _, name := range []string{"one", "two"} {
		if reply := r.do("model", `{"name":"`+name+`"}`); !reply.OK {
			t.Fatalf("%s: %+v", name, reply.Error)
		}
		for opened[name].Decodes() == 0 { // until it has answered about the object
			r.next(40)
			objects, _ := r.Objects("cam")
			if len(objects.Objects) != 1 || objects.Objects[0].ID != 1 || !objects.Objects[0].State.Visible() {
				t.Fatalf("%s: the objects are %+v", name, objects.Objects)
			}
			want := seg.Box{X0: 40. / 160, Y0: 40. / 120, X1: 80. / 160, Y1: 80. / 120}
			if got := objects.Objects[0].Mask.Box(); got.IoU(want) < 0.85 {
				t.Errorf("%s: the object is at %v, want %v", name, got, want)
			}
		}
	}
	r.diary.await(t, seg.ModelChanged)
	if n := opened["one"].Live(); n > 0 {
		t.Errorf("the first model still has %d embeddings", n)
	}
	if reply := r.do("model", `{"name":"broken"}`); reply.OK || !strings.Contains(reply.Error.Message, "broken.onnx") {
		t.Errorf("%+v", reply)
	}
	r.next(41)
}

func TestModelThatCannotBeSwapped(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	if reply := r.do("model", `{"name":"x"}`); reply.OK || reply.Error.Code != api.Unsupported {
		t.Errorf("%+v", reply)
	}
}

// A model that could not be tried in the time of a command is not called a bad one.
func TestAModelThatTakesTooLongIsNotJudged(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	slow := func(ctx context.Context) (inference.Segmenter, error) {
		cancel() // the time is over
		return nil, fmt.Errorf("known pictures: %w", ctx.Err())
	}
	var e *api.Error
	if err := r.Replace(ctx, slow); !errors.As(err, &e) || e.Code != api.Timeout || !strings.Contains(e.Message, "model.name") {
		t.Errorf("got %v", err)
	}
	bad := func(context.Context) (inference.Segmenter, error) { return nil, errors.New("it answers all wrong") }
	if err := r.Replace(t.Context(), bad); !errors.As(err, &e) || e.Code != api.BadRequest {
		t.Errorf("got %v", err)
	}
}
