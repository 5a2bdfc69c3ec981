package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

var (
	red  = block{x: 40, y: 60, w: 70, h: 60, vx: 2, vy: 0.5, color: [3]int{60, 60, 200}}
	blue = block{x: 200, y: 130, w: 60, h: 50, vx: -1, vy: 0, color: [3]int{200, 80, 60}}
)

// The walk that decides the product: a click on frame k, an answer that comes d frames later, and a mask that lies on
// the object in the frame that is then on the screen. The video never waits.
func TestClickIsCarriedToThePresent(t *testing.T) {
	for _, d := range []int{0, 3, 15, 60} { // 0, 100, 500 and 2,000 ms at 30 frames a second
		t.Run(fmt.Sprintf("delay %d frames", d), func(t *testing.T) {
			gate := inferencetest.NewGate()
			held := false
			model := inferencetest.New(inferencetest.Options{Embed: func(ctx context.Context, _ *frame.Frame) error {
				if held {
					return nil
				}
				held = true
				return gate.Pass(ctx)
			}})
			r := newRig(t, model, nil, red, blue)
			for range 5 {
				r.next()
			}
			asked := r.click(red.center(5), 5)
			<-gate.Arrived()
			for range d {
				r.next()
			}
			gate.Open()
			a := r.wait(asked)
			if a.err != nil {
				t.Fatal(a.err)
			}
			if a.Frame != 5 || a.Requested != 5 || a.FrameGone {
				t.Errorf("decoded frame %d for %d, gone %v; want 5 for 5", a.Frame, a.Requested, a.FrameGone)
			}
			if got := iou(a.Object, red.truth(r.n)); got < 0.85 {
				t.Errorf("on answer, at frame %d: IoU %.3f with the truth", r.n, got)
			}
			for range 5 {
				objects := r.next()
				if len(objects) != 1 {
					t.Fatalf("%d objects", len(objects))
				}
				if got := iou(objects[0], red.truth(r.n)); got < 0.85 {
					t.Errorf("at frame %d: IoU %.3f with the truth", r.n, got)
				}
			}
		})
	}
}

// A viewer who is late clicks on a picture of the past: that picture is what counts.
func TestClickMeansTheFrameThatWasSeen(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{})
	fast := block{x: 10, y: 90, w: 50, h: 50, vx: 4, color: [3]int{60, 60, 200}}
	r := newRig(t, model, nil, fast)
	for range 63 {
		r.next()
	}
	for _, late := range []uint64{0, 1, 15, 45, 60} { // up to two seconds
		a := r.wait(r.click(fast.center(r.n-late), r.n-late))
		if a.err != nil {
			t.Fatalf("%d frames late: %v", late, a.err)
		}
		if a.FrameGone {
			t.Errorf("%d frames late: the frame should still be there", late)
		}
		if got := iou(a.Object, fast.truth(r.n)); got < 0.8 {
			t.Errorf("%d frames late: IoU %.3f with the truth of now", late, got)
		}
	}
}

func TestFrameThatIsGoneIsSaid(t *testing.T) {
	r := newRig(t, inferencetest.New(inferencetest.Options{}), nil, red)
	for range 100 {
		r.next()
	}
	for _, frame := range []uint64{1, 5000} {
		a := r.wait(r.click(red.center(r.n), frame))
		if a.err != nil {
			t.Fatal(a.err)
		}
		if !a.FrameGone || a.Requested != r.n {
			t.Errorf("frame %d: decoded %d, gone %v; want the newest and said so", frame, a.Frame, a.FrameGone)
		}
	}
}

func TestRefusals(t *testing.T) {
	busy := atomic.Bool{}
	model := inferencetest.New(inferencetest.Options{Decode: func(_ context.Context, ps []seg.Prompt) error {
		if busy.Load() {
			return &inference.UnsupportedError{Family: "test", Kind: "negative points"}
		}
		return nil
	}, Answer: func(p seg.Prompt, a seg.Prediction) seg.Prediction {
		if len(p.Clicks) > 0 && p.Clicks[0].Y > 0.9 {
			return seg.Prediction{}
		}
		if len(p.Clicks) > 0 && p.Clicks[0].X > 0.9 { // a mask without a cell
			for _, c := range a.Candidates {
				for i := range c.Logits.Data {
					c.Logits.Data[i] = -8
				}
			}
		}
		return a
	}})
	r := newRig(t, model, func(o *Options) { o.MaxObjects = 2 }, red, blue)
	if a := r.wait(r.click(seg.Point{X: 0.5, Y: 0.5}, 0)); !errors.Is(a.err, ErrNoFrame) {
		t.Errorf("before the first frame: %v", a.err)
	}
	r.next()
	if a := r.wait(r.click(seg.Point{X: 0.5, Y: 0.95}, 0)); !errors.Is(a.err, ErrNothingFound) {
		t.Errorf("nothing there: %v", a.err)
	}
	if a := r.wait(r.click(seg.Point{X: 0.95, Y: 0.5}, 0)); !errors.Is(a.err, ErrNothingFound) {
		t.Errorf("an empty mask there: %v", a.err)
	}
	if objects, _, _ := r.Objects(t.Context()); len(objects) != 0 {
		t.Errorf("a prompt that found nothing left %d objects", len(objects))
	}
	busy.Store(true)
	var unsupported *inference.UnsupportedError
	if a := r.wait(r.click(red.center(1), 0)); !errors.As(a.err, &unsupported) {
		t.Errorf("unsupported: %v", a.err)
	}
	busy.Store(false)
	for _, b := range []block{red, blue} {
		if a := r.wait(r.click(b.center(1), 0)); a.err != nil {
			t.Fatal(a.err)
		}
	}
	if a := r.wait(r.click(red.center(1), 0)); !errors.Is(a.err, ErrTooMany) {
		t.Errorf("a third object of two: %v", a.err)
	}
	if _, err := r.Rename(t.Context(), 99, "x"); !errors.Is(err, ErrUnknownObject) {
		t.Errorf("unknown object: %v", err)
	}
}

// Prompts have a lane of their own: one that comes while a keyframe's objects are decoded does not wait for them.
func TestPromptDoesNotWaitBehindARefresh(t *testing.T) {
	gate := inferencetest.NewGate()
	hold := atomic.Bool{}
	model := inferencetest.New(inferencetest.Options{Decode: func(ctx context.Context, ps []seg.Prompt) error {
		if hold.Load() && ps[0].Mask != nil {
			return gate.Pass(ctx)
		}
		return nil
	}})
	r := newRig(t, model, nil, red, blue)
	r.next()
	if a := r.wait(r.click(red.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	hold.Store(true)
	if err := r.Keyframe(t.Context()); err != nil {
		t.Fatal(err)
	}
	arrived := false
	for i := 0; i < 200 && !arrived; i++ {
		r.next()
		select {
		case <-gate.Arrived():
			arrived = true
		default:
		}
		if i == 100 {
			_ = r.Keyframe(t.Context())
		}
	}
	if !arrived {
		<-gate.Arrived()
	}
	a := r.wait(r.click(blue.center(r.n), 0))
	if a.err != nil {
		t.Error(a.err)
	}
	if got := iou(a.Object, blue.truth(r.n)); got < 0.8 {
		t.Errorf("IoU %.3f", got)
	}
	gate.Open()
}

func TestModelThatKeepsFailingEndsTheRun(t *testing.T) {
	broken := errors.New("out of memory")
	model := inferencetest.New(inferencetest.Options{Embed: func(context.Context, *frame.Frame) error { return broken }})
	r := newRig(t, model, func(o *Options) { o.MaxErrors = 3 }, red)
	r.next()
	var last error
	for range 3 {
		last = r.wait(r.click(red.center(1), 0)).err
	}
	if !errors.Is(last, broken) && !errors.Is(last, errStopped) {
		t.Errorf("the prompt was answered %v", last)
	}
	err := <-r.ended
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "3 times in a row") {
		t.Errorf("Run ended with %v", err)
	}
	r.ended <- nil
}

func TestModelThatPanicsCostsItsJobOnly(t *testing.T) {
	first := true
	model := inferencetest.New(inferencetest.Options{Embed: func(context.Context, *frame.Frame) error {
		if first {
			first = false
			panic("index out of range")
		}
		return nil
	}})
	r := newRig(t, model, nil, red)
	r.next()
	if a := r.wait(r.click(red.center(1), 0)); a.err == nil || !strings.Contains(a.err.Error(), "panicked") {
		t.Errorf("got %v", a.err)
	}
	if a := r.wait(r.click(red.center(1), 0)); a.err != nil {
		t.Errorf("the next prompt: %v", a.err)
	}
}

func TestSwapKeepsTheObjects(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{})
	r := newRig(t, model, nil, red)
	r.next()
	a := r.wait(r.click(red.center(1), 0))
	if a.err != nil {
		t.Fatal(a.err)
	}
	other := inferencetest.New(inferencetest.Options{Side: 80})
	if err := r.Swap(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	again := seg.Prompt{Clicks: []seg.Click{{Point: red.center(1), Label: seg.Positive}}}
	if b := r.wait(r.ask(Request{Object: a.Object.ID, Prompt: again})); b.err != nil { // before another frame has come
		t.Errorf("a click right after the swap: %v", b.err)
	}
	var objects []seg.Object
	for range 30 {
		objects = r.next()
	}
	if len(objects) != 1 || objects[0].ID != a.Object.ID || iou(objects[0], red.truth(r.n)) < 0.8 {
		t.Errorf("after the swap: %+v", objects)
	}
	for other.Decodes() == 0 {
		r.next()
		if r.n > 500 {
			t.Fatal("the new model was never asked")
		}
	}
	if err := r.Swap(t.Context(), model); err != nil {
		t.Fatal(err)
	}
	if r.stop(); other.Live() > 1 {
		t.Errorf("%d embeddings of the model that was swapped out are open", other.Live())
	}
}

func TestPauseLooksAway(t *testing.T) {
	r := newRig(t, inferencetest.New(inferencetest.Options{}), nil, red)
	r.next()
	if a := r.wait(r.click(red.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	if err := r.Pause(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	f := r.pool.Get()
	draw(f, 2, r.blocks)
	r.latest.Put(f)
	for r.pool.InUse() > 0 { // looked at by nobody, given back at once
		runtime.Gosched()
	}
	if err := r.Pause(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	r.n = 40
	for range 30 {
		r.next()
	}
	objects := r.next()
	if len(objects) != 1 {
		t.Fatalf("%d objects after a pause", len(objects))
	}
}

func TestSynchronousAnswersBelongToTheirFrame(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{})
	r := newSyncRig(t, model)
	f := frame.New(sceneW, sceneH)
	for n := uint64(1); n <= 60; n++ {
		draw(f, n, []block{red})
		if err := r.Step(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			if _, err := r.Prompt(t.Context(), Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: red.center(1), Label: seg.Positive}}}}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		objects, _, err := r.Objects(t.Context())
		if err != nil || len(objects) != 1 {
			t.Fatalf("frame %d: %d objects, %v", n, len(objects), err)
		}
		if got := iou(objects[0], red.truth(n)); got < 0.85 {
			t.Errorf("frame %d: IoU %.3f", n, got)
		}
	}
	if r.Counters().Keyframes < 2 {
		t.Errorf("only %d keyframes in 60 frames", r.Counters().Keyframes)
	}
}

// With a delay a keyframe's answers come that many frames late, about their own frame, and the mask is carried on in between.
func TestDelayedAnswersAreCarried(t *testing.T) {
	const delay = 3
	tr := tracker.New(tracker.Options{}, lk.New(lk.Options{}))
	p, err := New(Options{Model: inferencetest.New(inferencetest.Options{}), Tracker: tr, Synchronous: true, Delay: delay})
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(sceneW, sceneH)
	for n := uint64(1); n <= 40; n++ {
		draw(f, n, []block{red})
		if err := p.Step(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			if _, err := p.Prompt(t.Context(), Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: red.center(1), Label: seg.Positive}}}}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		objects := tr.Objects(nil)
		if len(objects) != 1 {
			t.Fatalf("frame %d: %d objects", n, len(objects))
		}
		if o := objects[0]; o.Keyframe > 1 && o.MaskAge < delay || iou(o, red.truth(n)) < 0.85 {
			t.Errorf("frame %d: a mask of frame %d, IoU %.3f", n, o.Keyframe, iou(o, red.truth(n)))
		}
	}
	if k := p.Counters().LastKeyframe; k < 20 || k > 40-delay {
		t.Errorf("the last keyframe is %d of 40", k)
	}
	if err := p.Close(); err != nil { // with a keyframe under way
		t.Error(err)
	}
}
