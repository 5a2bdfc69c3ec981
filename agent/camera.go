package agent

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// CameraOptions are one camera's inputs.
type CameraOptions struct {
	Name    string
	Source  capture.Options  // what to open and how; pool, slot and callbacks are the agent's
	Tracker *tracker.Tracker // this camera's own
	Video   VideoSink        // may be nil
	Viewers func() int       // who watches; may be nil
	// Recording is the name of the clip that is recorded now, empty for none; may be nil.
	Recording func() string
	// Observed gets every stage of every frame, from several goroutines. It must not block; may be nil.
	Observed func(frame.Stage)
	Zones    []api.Zone // from the start; commands change them
	Lines    []api.Line
	Known    *Known // what it knew when it last ran; may be nil
	View     string // what it looks at, in words of whoever makes it: goes into Known, by which one may tell whether that still holds
	// Prompts are asked on the first frame; not those whose objects are known.
	Prompts  []pipeline.Request
	Watches  []watch.Saved    // phrases to look for again and again
	Pipeline pipeline.Options // limits; the rest is the agent's
}

// camera is one source, its pipeline, and what its doors see of it.
type camera struct {
	name     string
	o        CameraOptions
	events   EventSink
	grounder Grounder
	model    func() inference.Segmenter // the present one
	log      *slog.Logger

	pool    *frame.Pool
	latest  *frame.Latest
	source  *capture.Capture
	pipe    *pipeline.Pipeline
	times   times
	shapes  shapes
	lookout lookout

	standing    standing
	pointed     pointed
	automasking sync.Mutex
	first       chan struct{} // closed at the first frame
	stopping    chan struct{} // closed when it begins to end
	ended       chan struct{} // closed when the camera has ended for good
	leave       chan struct{} // closed when it is removed

	mu       sync.Mutex // everything below: written by the loop, read by the doors
	phase    string
	reason   string
	w, h     int
	ref      seg.FrameRef
	objects  []seg.Object
	rate     rate
	started  bool
	asked    bool // the prompts given at start
	stalled  bool
	scene    frame.Scene
	leaving  bool // nothing more begins in the background
	prompted sync.WaitGroup
}

// holders are the places that may hold a full frame at once: capture's write, the slot, the pipeline's present frame and the one
// before, its embed lane, and the video sink's slot and brush.
const holders = 7

func newCamera(co CameraOptions, o Options) (*camera, error) {
	c := &camera{
		name: co.Name, o: co, events: o.Events, grounder: o.Grounder, log: o.Logger.With("camera", co.Name),
		pool: frame.NewPool(holders + 1), latest: frame.NewLatest(), phase: api.Stalled, reason: "opening",
		first: make(chan struct{}), stopping: make(chan struct{}), ended: make(chan struct{}), leave: make(chan struct{}),
	}
	c.standing.recall(co.Known)
	c.standing.prompts = slices.Clone(co.Prompts)
	c.lookout.begin(o.Look, co.Watches, co.Known)
	po := co.Pipeline
	po.Model, po.Tracker, po.Zones, po.Logger = o.Model, co.Tracker, c.shapes.begin(co), c.log
	po.Show, po.Changed, po.Observe = c.show, c.changed, c.observe
	var err error
	if c.pipe, err = pipeline.New(po); err != nil {
		return nil, err
	}
	co.Source.Name, co.Source.Logger = co.Name, o.Logger
	co.Source.Pool, co.Source.Out, co.Source.OnState = c.pool, c.latest, c.sourceState
	co.Source.OnScene = c.sceneChanged
	c.source, err = capture.New(co.Source)
	return c, err
}

// run captures and follows until ctx ends, the source ends or the model fails. The source stops first, so that nothing
// new comes while the pipeline gives back what it holds.
func (c *camera) run(ctx context.Context) error {
	captureCtx, stopCapture := context.WithCancel(ctx)
	defer stopCapture()
	pipeCtx, stopPipe := context.WithCancel(context.WithoutCancel(ctx))
	defer stopPipe()
	c.begin(c.watch)
	c.lookout.changed()
	pipeErr := make(chan error, 1)
	go func() {
		err := c.pipe.Run(pipeCtx, c.latest)
		stopCapture()
		pipeErr <- err
	}()
	err := c.source.Run(captureCtx)
	c.latest.Close()
	stopPipe()
	if perr := <-pipeErr; perr != nil {
		err = perr
	}
	close(c.stopping)
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	c.prompted.Wait()
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	c.setState(api.Stopped, reason)
	close(c.ended)
	return err
}

// sourceState hears of the source's life. It must not block: what waits for the pipeline goes to the background.
func (c *camera) sourceState(s capture.State) {
	switch s.Kind {
	case capture.Opened, capture.Recovered:
		c.mu.Lock()
		after := c.stalled
		c.stalled = false
		c.mu.Unlock()
		c.setState(api.Running, "")
		if after {
			c.background(func(ctx context.Context) { _ = c.pipe.Reset(ctx) }) // one that has stopped needs none
			c.publish(seg.Event{Type: seg.CameraRecovered, Details: map[string]any{"reason": s.Reason}})
		}
	case capture.Stalled:
		c.mu.Lock()
		again := c.stalled
		c.stalled = true
		c.mu.Unlock()
		c.setState(api.Stalled, s.Reason)
		if !again { // one stall is one event, however often its reason changes
			c.publish(seg.Event{Type: seg.CameraStalled, Details: map[string]any{"reason": s.Reason}})
		}
	case capture.Ended:
		c.setState(api.Stopped, s.Reason)
	case capture.Resized: // the pipeline sees the size of every frame
		for _, t := range []seg.EventType{seg.CameraStalled, seg.CameraRecovered} {
			c.publish(seg.Event{Type: t, Details: map[string]any{"reason": s.Reason}})
		}
	case capture.Opening:
		c.setState(api.Stalled, cmp.Or(s.Reason, "opening"))
	}
}

// background runs something that waits for the pipeline, joined when the camera stops.
func (c *camera) background(fn func(context.Context)) {
	c.begin(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		fn(ctx)
	})
}

// begin runs something that is joined when the camera stops; false where it stops already.
func (c *camera) begin(fn func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leaving {
		return false
	}
	c.prompted.Go(func() {
		defer c.survive(nil)
		fn()
	})
	return true
}

// survive, deferred, ends a panic with what was done in the background, and makes it its error where there is a place for that.
func (c *camera) survive(err *error) {
	if r := recover(); r != nil {
		c.log.Error("what was done in the background panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		if err != nil {
			*err = errBroken
		}
	}
}

// over reports whether the camera has ended for good.
func (c *camera) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// why is the camera's state in words.
func (c *camera) why() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == "" {
		return c.phase
	}
	return c.phase + ": " + c.reason
}

func (c *camera) setState(state, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.reason = state, reason
}

// show is the pipeline's frame, on its way to the viewers.
func (c *camera) show(f *frame.Frame, objects []seg.Object) {
	c.mu.Lock()
	c.ref = seg.FrameRef{Seq: f.Seq, Captured: f.Captured}
	c.w, c.h = f.Width, f.Height
	c.objects = append(c.objects[:0], objects...)
	c.rate.tick(f.Captured)
	c.scene = f.Scene
	first, ask := !c.started, !c.asked && f.Scene.Shows()
	c.started, c.asked = true, c.asked || ask
	c.mu.Unlock()
	if c.o.Video != nil {
		c.o.Video.Show(f, objects)
	}
	c.endDoubles(f.Captured, objects)
	if first {
		close(c.first)
	}
	if ask {
		c.askAll(f.Seq)
	}
}

// changed is the pipeline's news, on its way to the world.
func (c *camera) changed(ref seg.FrameRef, changes []seg.Change) {
	for _, ch := range changes {
		if ch.Type == seg.ObjectRecovered {
			c.standing.found(ch.After.ID)
		}
		if ch.Type == seg.ObjectEnded {
			c.pointed.forget(ch.After.ID)
			c.askAgain(ch.After.ID)
		}
		c.publish(seg.Event{Type: ch.Type, Frame: ref, Before: ch.Before, After: ch.After, Details: ch.Details})
	}
}

func (c *camera) publish(e seg.Event) {
	if c.events == nil {
		return
	}
	e.Camera, e.Time = c.name, time.Now()
	if e.Frame.Seq == 0 {
		_, e.Frame = c.shown()
	}
	c.events.Publish(e)
}

// shown are the objects of the newest frame; the slice is the caller's.
func (c *camera) shown() ([]seg.Object, seg.FrameRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.objects), c.ref
}

func (c *camera) size() (w, h int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.w, c.h
}

func (c *camera) stuck(limit time.Duration) error {
	if d := c.pipe.WorkingFor(); d > limit {
		return fmt.Errorf("the model has not answered for %v", d.Round(time.Second))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A camera that sends a picture now and then is none of the pipeline's fault.
	waits := c.source.Stats().Newest.After(c.ref.Captured)
	if d := time.Since(c.ref.Captured); waits && c.phase == api.Running && !c.pipe.Paused() && c.started && d > limit {
		return fmt.Errorf("no frame was processed for %v", d.Round(time.Second))
	}
	return nil
}

// state is the retained state.
func (c *camera) state() api.State {
	got := c.source.Stats()
	done := c.pipe.Counters()
	s := api.State{
		Schema: api.Schema, Camera: c.name, Captured: got.Captured, Dropped: got.Dropped,
		Processed: done.Processed, Keyframes: done.Keyframes, Stages: c.times.snapshot(),
		ModelErrors: done.ModelErrors, Refusals: done.Refusals, Panics: done.Panics, Overheld: done.Overheld,
		Remembered: done.Remembered, MemoryBytes: done.RememberedBytes,
	}
	if c.o.Viewers != nil {
		s.Viewers = c.o.Viewers()
	}
	if c.o.Recording != nil {
		s.Recording = c.o.Recording()
	}
	s.Zones, s.Lines = c.shapes.all()
	s.Watches = c.watches()
	s.Inside = c.pipe.Inside()
	s.Counts = counted(c.name, c.counts(), s.Inside)
	c.mu.Lock()
	defer c.mu.Unlock()
	s.State, s.Reason = c.phase, c.reason
	if c.started {
		s.Scene = c.scene.String()
	}
	if c.pipe.Paused() && s.State == api.Running {
		s.State = api.Paused
	}
	s.Width, s.Height, s.FPS = c.w, c.h, seg.Round4(c.rate.perSecond())
	s.Frame, s.Objects = c.ref.Seq, len(c.objects)
	if done.LastKeyframe > 0 {
		s.KeyframeAge = int(c.ref.Seq - min(c.ref.Seq, done.LastKeyframe))
	}
	return s
}
