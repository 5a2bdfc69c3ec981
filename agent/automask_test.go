package agent

import (
	"context"
	"errors"
	"image"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

func TestAutomaskFollowsWhatIsThere(t *testing.T) {
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.CommandTimeout = 10 * time.Minute }) // a slow machine has the time
	if reply := r.do("automask", "{}"); reply.OK || reply.Error.Code != api.NotReady {
		t.Errorf("before the first frame: %+v", reply)
	}
	r.next(40)
	reply := r.do("automask", `{"max":5}`)
	if !reply.OK {
		t.Fatal(reply.Error)
	}
	first := reply.Result.(automaskResult)
	if len(first.Objects) == 0 || len(first.Objects) > 5 || first.Found < len(first.Objects) {
		t.Fatalf("%+v", first)
	}
	r.next(40)
	if reply := r.do("automask", `{"max":5}`); !reply.OK || len(reply.Result.(automaskResult).Objects) != 0 {
		t.Errorf("what is followed already is not followed twice: %+v", reply)
	}
}

// Half of a command's time is for clicking; without a limit all of it is.
func TestAutomaskLeavesTimeForWhatItFinds(t *testing.T) {
	began := time.Now()
	ctx, cancel := context.WithDeadline(t.Context(), began.Add(20*time.Second))
	defer cancel()
	if spent(ctx, began, began.Add(9*time.Second)) || !spent(ctx, began, began.Add(11*time.Second)) || spent(t.Context(), began, began.Add(time.Hour)) {
		t.Error("the clicks have another share of the time than half")
	}
}

// An automask that is stopped on the way says what it has made and why there is not more; while it runs a second one is refused, and no frame is
// held for it.
func TestAutomaskTellsWhatItMade(t *testing.T) {
	gate := inferencetest.NewGate()
	var asked atomic.Int64
	broken := errors.New("out of memory")
	model := inferencetest.New(inferencetest.Options{Decode: func(ctx context.Context, ps []seg.Prompt) error {
		if len(ps) > 1 {
			return gate.Pass(ctx)
		}
		if ps[0].Mask != nil && asked.Add(1) > 1 {
			return broken
		}
		return nil
	}})
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Model, o.CommandTimeout = model, 10*time.Minute })
	r.film.beside = true
	r.next(40)
	alone := r.lendable()
	first := make(chan api.Reply)
	go func() { first <- r.Do(t.Context(), "cam", api.Command{Verb: "automask", Body: &api.Automask{}}) }()
	<-gate.Arrived()
	if reply := r.do("automask", "{}"); reply.OK || reply.Error.Code != api.AlreadyRunning {
		t.Errorf("a second one: %+v", reply)
	}
	for range 80 { // the ring has moved on, and nothing is missing from it
		r.next(40)
	}
	if n := r.lendable(); alone == 0 || n != alone {
		t.Errorf("%d frames can be lent beside it, %d without it", n, alone)
	}
	gate.Open()
	reply := <-first
	if !reply.OK {
		t.Fatal(reply.Error)
	}
	made := reply.Result.(automaskResult)
	if len(made.Objects) != 1 || !strings.Contains(made.Stopped, "out of memory") {
		t.Errorf("%+v", made)
	}
	if objects, _ := r.Objects("cam"); len(objects.Objects) > 1 {
		t.Errorf("%d objects", len(objects.Objects))
	}
}

// lendable is how many frames of the camera can be held at once now. It gives them back.
func (r *rig) lendable() int {
	r.t.Helper()
	var held []*frame.Frame
	for {
		f, err := r.cameras.get("cam").pipe.Frame(r.t.Context(), 0)
		if errors.Is(err, pipeline.ErrFramesHeld) {
			break
		}
		if err != nil {
			r.t.Fatal(err)
		}
		held = append(held, f)
	}
	for _, f := range held {
		f.Release()
	}
	return len(held)
}

// TestBackgroundIsNoObject has masks as the sky, the ground and things in front of them have in a picture of 200×100.
func TestBackgroundIsNoObject(t *testing.T) {
	for name, c := range map[string]struct {
		at   image.Rectangle
		want bool
	}{
		"sky":                        {image.Rect(0, 0, 200, 30), true},
		"ground":                     {image.Rect(0, 60, 200, 100), true},
		"ground but for a seam":      {image.Rect(1, 60, 199, 100), true},
		"everything":                 {image.Rect(0, 0, 200, 100), true},
		"a wall on the left":         {image.Rect(0, 0, 60, 100), true},
		"somebody close":             {image.Rect(50, 10, 150, 100), false},
		"something in a corner":      {image.Rect(0, 60, 60, 100), false},
		"a bar across":               {image.Rect(0, 40, 200, 60), false},
		"large, and in the middle":   {image.Rect(10, 5, 190, 95), false},
		"a post from top to bottom":  {image.Rect(90, 0, 110, 100), false},
		"something small in between": {image.Rect(90, 40, 110, 60), false},
	} {
		m := seg.NewMask(200, 100, c.at)
		for i := range m.Bits {
			m.Bits[i] = 1
		}
		if got := inference.Surrounds(m); got != c.want {
			t.Errorf("%s: background is %v", name, got)
		}
	}
}
