package pipeline

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// refreshed shows frames until every object was answered about a frame after seq.
func (r *rig) refreshed(seq uint64, n int) {
	r.t.Helper()
	for range 600 {
		if err := r.Keyframe(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		done := 0
		for _, o := range r.next() {
			if o.Keyframe > seq {
				done++
			}
		}
		if done == n {
			return
		}
		runtime.Gosched() // the model's lanes want a turn
	}
	r.t.Errorf("not all of %d objects were answered about after frame %d", n, seq)
}

// A prompt that the model's family cannot take is refused alone: the objects beside it are answered, and nobody asks it again.
func TestARefusalIsOneQuerysAlone(t *testing.T) {
	model := inferencetest.New(inferencetest.Options{Decode: func(_ context.Context, ps []seg.Prompt) error {
		for _, p := range ps {
			for _, c := range p.Clicks {
				if c.Label == seg.Negative {
					return &inference.UnsupportedError{Family: "test", Kind: "negative points"}
				}
			}
		}
		return nil
	}})
	r := newRig(t, model, nil, red, blue)
	r.next()
	a, b := r.wait(r.click(red.center(1), 0)), r.wait(r.click(blue.center(1), 0))
	if a.err != nil || b.err != nil {
		t.Fatal(a.err, b.err)
	}
	not := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.95, Y: 0.95}, Label: seg.Negative}}}
	var unsupported *inference.UnsupportedError
	if got := r.wait(r.ask(Request{Object: a.Object.ID, Prompt: not})); !errors.As(got.err, &unsupported) {
		t.Errorf("the refusal was told as %v", got.err)
	}
	r.refreshed(r.n, 2)
	if c := r.Counters(); c.Refusals != 1 || c.ModelErrors != 0 {
		t.Errorf("counted %+v", c)
	}
	if _, err := r.Undo(t.Context(), a.Object.ID); !errors.Is(err, tracker.ErrNothing) {
		t.Errorf("undo of what was refused: %v", err)
	}
}

// A call of the decoder that fails costs the query that made it fail, not the fifteen beside it.
func TestAFailureIsOneQuerysAlone(t *testing.T) {
	broken := errors.New("out of memory")
	var bad atomic.Pointer[seg.Point]
	model := inferencetest.New(inferencetest.Options{Decode: func(_ context.Context, ps []seg.Prompt) error {
		for _, p := range ps {
			if at := bad.Load(); at != nil && p.Mask != nil && p.Mask.Cut(sceneW, sceneH, seg.Threshold).Contains(*at) {
				return broken
			}
		}
		return nil
	}})
	r := newRig(t, model, nil, red, blue)
	r.next()
	a, b := r.wait(r.click(red.center(1), 0)), r.wait(r.click(blue.center(1), 0))
	if a.err != nil || b.err != nil {
		t.Fatal(a.err, b.err)
	}
	at := red.center(1)
	bad.Store(&at)
	r.refreshed(r.n, 1)
	if c := r.Counters(); c.ModelErrors == 0 || c.Refusals != 0 {
		t.Errorf("counted %+v", c)
	}
}

// While a crop around the one object is encoded, another is asked for far away: it is left out of that job, and asked on the whole frame.
func TestAPromptOutsideACropIsLeftOutOfIt(t *testing.T) {
	gate := inferencetest.NewGate()
	var outside atomic.Bool
	model := inferencetest.New(inferencetest.Options{
		Embed: func(ctx context.Context, f *frame.Frame) error {
			if redShare(f) < 0.05 {
				return nil // the whole frame
			}
			return gate.Pass(ctx)
		},
		Decode: func(_ context.Context, ps []seg.Prompt) error {
			for _, p := range ps {
				if p.Validate() != nil {
					outside.Store(true)
				}
			}
			return nil
		},
	})
	small := block{x: 20, y: 20, w: 40, h: 34, vx: 1.5, color: [3]int{60, 60, 200}}
	r := newRig(t, model, nil, small, blue)
	r.next()
	if a := r.wait(r.click(small.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	for arrived := false; !arrived; {
		r.next()
		select {
		case <-gate.Arrived():
			arrived = true
		default:
			runtime.Gosched()
		}
		if r.n > 600 {
			t.Fatal("no keyframe is a crop")
		}
	}
	asked := r.click(blue.center(r.n), 0)
	for {
		o, _, err := r.Objects(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(o) == 2 {
			break
		}
	}
	gate.Open()
	if a := r.wait(asked); a.err != nil || iou(a.Object, blue.truth(r.n)) < 0.8 {
		t.Errorf("%v, IoU %.2f", a.err, iou(a.Object, blue.truth(r.n)))
	}
	r.refreshed(r.n, 2)
	if c := r.Counters(); outside.Load() || c.ModelErrors+c.Refusals != 0 {
		t.Errorf("asked outside the picture %v, counted %+v", outside.Load(), c)
	}
}

// redShare is the share of a picture that is red.
func redShare(f *frame.Frame) float64 {
	n := 0
	for i := 0; i < len(f.Pix); i += 3 {
		if f.Pix[i+2] > 150 && f.Pix[i] < 100 {
			n++
		}
	}
	return float64(n) / float64(f.Width*f.Height)
}

// show walks a frame of any size.
func (r *rig) show(w, h int) {
	r.n++
	f := r.pool.Get()
	f.Resize(w, h)
	f.Meta = frame.Meta{Seq: r.n, Captured: time.Unix(0, 0).Add(time.Duration(r.n) * time.Second / 30), Width: w, Height: h}
	for y := range h {
		for x := range w {
			put(f, x, y, [3]int{70, 110, 70}, grain(x, y))
		}
	}
	r.latest.Put(f)
	<-r.shown
}

// A prompt of any kind waits while the picture takes another shape: it is answered, or refused in a sentence, and the walk goes on.
func TestPromptsThatWaitWhileThePictureChangesItsShape(t *testing.T) {
	for name, p := range map[string]seg.Prompt{
		"mask":  {Mask: seg.LogitsOf(red.truth(1), 80, 60, seg.Point{X: 1, Y: 1}, 6)},
		"point": {Clicks: []seg.Click{{Point: red.center(1), Label: seg.Positive}}},
	} {
		t.Run(name, func(t *testing.T) {
			gate := inferencetest.NewGate()
			model := inferencetest.New(inferencetest.Options{Embed: func(ctx context.Context, _ *frame.Frame) error { return gate.Pass(ctx) }})
			r := newRig(t, model, nil, red)
			r.next()
			asked := r.ask(Request{Prompt: p})
			<-gate.Arrived()
			r.show(sceneW, 64)
			r.show(sceneW, 64)
			gate.Open()
			if a := r.wait(asked); a.err != nil && !errors.Is(a.err, ErrMovedOn) {
				t.Errorf("answered %v", a.err)
			}
			for range 5 {
				r.show(sceneW, 64)
			}
			if o, _, err := r.Objects(t.Context()); err != nil || len(o) != 0 {
				t.Errorf("%d objects are left of what was refused, %v", len(o), err)
			}
			if c := r.Counters(); c.Panics != 0 {
				t.Errorf("%d panics", c.Panics)
			}
		})
	}
}

// A panic anywhere in the walk costs what was under way: who waits is told, what was held is given back, the objects live on.
func TestAPanicInTheWalkIsContained(t *testing.T) {
	var bad atomic.Bool
	model := inferencetest.New(inferencetest.Options{Answer: func(_ seg.Prompt, a seg.Prediction) seg.Prediction {
		if bad.Load() {
			a.Candidates = []seg.Candidate{{Logits: &seg.Logits{W: 9, H: 9, Extent: seg.Point{X: 1, Y: 1}}, PredictedIoU: 1}}
		}
		return a
	}})
	r := newRig(t, model, nil, red, blue)
	r.next()
	if a := r.wait(r.click(red.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	bad.Store(true)
	if a := r.wait(r.click(blue.center(1), 0)); !errors.Is(a.err, errPanicked) {
		t.Errorf("told %v", a.err)
	}
	bad.Store(false)
	if o := r.next(); len(o) != 1 {
		t.Fatalf("%d objects after a panic, want the one that was there before", len(o))
	}
	if a := r.wait(r.click(blue.center(r.n), 0)); a.err != nil {
		t.Errorf("the next prompt: %v", a.err)
	}
	if c := r.Counters(); c.Panics != 1 {
		t.Errorf("%d panics counted", c.Panics)
	}
}

// A walk that panics again and again ends, and says why; before that it tries without the objects.
func TestAWalkOfPanicsEnds(t *testing.T) {
	var objects []int
	r := newRig(t, inferencetest.New(inferencetest.Options{}), func(o *Options) {
		show := o.Show
		o.Show = func(f *frame.Frame, os []seg.Object) {
			show(f, os)
			if f.Seq > 1 {
				objects = append(objects, len(os))
				panic("a sink that is broken")
			}
		}
	}, red)
	r.next()
	if a := r.wait(r.click(red.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	for range maxShaken {
		r.next()
	}
	if err := <-r.ended; err == nil || !strings.Contains(err.Error(), "a sink that is broken") {
		t.Errorf("ended with %v", err)
	}
	r.ended <- nil
	if len(objects) != maxShaken || objects[1] != 1 || objects[2] != 0 {
		t.Errorf("objects in the frames that panicked: %v", objects)
	}
}

// Frames that somebody keeps stop nothing: the walk goes on, prompts find the newest frame, and the next borrower hears who holds the others.
func TestFramesThatAreKeptStopNothing(t *testing.T) {
	r := newRig(t, inferencetest.New(inferencetest.Options{}), func(o *Options) { o.Frames = 8 }, red)
	r.next()
	var kept []*frame.Frame
	for range maxLoans {
		f, err := r.Frame(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, f)
		r.next()
	}
	for range 20 {
		r.next()
	}
	if a := r.wait(r.click(red.center(r.n), 0)); a.err != nil || a.Frame != r.n || a.FrameGone {
		t.Errorf("a prompt is answered on frame %d of %d: %v", a.Frame, r.n, a.err)
	}
	_, err := r.Frame(t.Context(), 0)
	if !errors.Is(err, ErrFramesHeld) || !strings.Contains(err.Error(), "TestFramesThatAreKept") {
		t.Errorf("one more: %v", err)
	}
	if c := r.Counters(); c.Overheld == 0 {
		t.Error("not counted")
	}
	for _, f := range kept {
		f.Release()
	}
	f, err := r.Frame(t.Context(), 0)
	if err != nil || f.Seq != r.n {
		t.Fatalf("after they came back: %v", err)
	}
	f.Release()
}
