package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/zones"
)

// Options are the pipeline's inputs. Zero values stand for the defaults named.
type Options struct {
	Model   inference.Segmenter // required; not closed by the pipeline
	Tracker *tracker.Tracker    // required; the pipeline's alone from New on
	Zones   *zones.Watch        // what is reported of borders, the pipeline's alone from New on; none at first

	Frames     int     // reduced frames kept at most, for prompts that name a frame of the past; 64
	FrameBytes int     // bytes that they take at most; 64 MiB
	Keyframes  int     // embeddings kept; 4
	MaxObjects int     // 64
	MaxWaiting int     // prompts that may wait for the model at once; 64
	MinTrust   float64 // the least trust with which a prompt is carried to a kept keyframe; 0.7
	MaxErrors  int     // model errors in a row that end Run; 5

	Side  int    // longest side that the model sees of this camera, where that is less than its own; 0 is its own
	Turns *Turns // share the model with other pipelines; nil where there is none

	// Synchronous runs the model inside Step, for offline work: every answer belongs to the frame that asked.
	Synchronous bool
	// Delay, with Synchronous, is how many frames late what a routine keyframe tells comes, as from a slow model, but the same every time; 0.
	Delay int

	// Show gets every frame with the objects in it. It must not block, retains the frame if it keeps it, and copies
	// the objects it keeps; masks are immutable. May be nil.
	Show func(f *frame.Frame, objects []seg.Object)
	// Changed gets what happened to objects in a frame. It must not block. May be nil.
	Changed func(frame seg.FrameRef, changes []seg.Change)
	// Observe gets how long each stage took. It must not block. May be nil.
	Observe func(frame.Stage)
	Logger  *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.Frames, 64)
	setDefault(&o.FrameBytes, 64<<20)
	setDefault(&o.Keyframes, 4)
	setDefault(&o.MaxObjects, 64)
	setDefault(&o.MaxWaiting, 64)
	setDefault(&o.MaxErrors, 5)
	setDefault(&o.MinTrust, 0.7)
	if o.Zones == nil {
		o.Zones = zones.New(zones.Defaults())
	}
	if o.Show == nil {
		o.Show = func(*frame.Frame, []seg.Object) {}
	}
	if o.Changed == nil {
		o.Changed = func(seg.FrameRef, []seg.Change) {}
	}
	if o.Observe == nil {
		o.Observe = func(frame.Stage) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Pipeline is one camera's walk. Its state belongs to one goroutine: Run's, or with Synchronous the caller's.
type Pipeline struct {
	o     Options
	tr    *tracker.Tracker
	zones *zones.Watch
	model inference.Segmenter
	info  inference.Info
	bank  *memory.Bank // what this camera's objects look like to a model that remembers them; nil for one that does not

	latest  *frame.Frame // the newest full frame, held until the next comes; nil before, and between the steps of a synchronous pipeline
	crop    crop
	frames  *frameRing
	keys    keyframeRing
	lanes   *lanes
	calls   chan func()
	stopped chan struct{}

	waiting   []*ticket       // prompts that wait for an embedding or for a lane
	prompting [laneCount]*job // those under way, by lane
	refresh   *keyframe       // a routine keyframe whose objects are to be decoded; one use of it is held
	turn      *turn           // with the model
	routine   bool            // a job that has the turn is under way
	embedFor  uint64          // the sequence in the embed lane, 0 for none
	encoded   uint64          // the last sequence that went there
	forced    bool            // a keyframe was asked for by command
	tardy     bool            // the last keyframe came too late to be of use
	last      Saved           // what was known at the end
	failures  int             // model errors in a row
	calm      int             // frames walked since the last panic
	shaken    int             // panics since the walk was last calm
	fatal     error
	paused    atomic.Bool // written by the loop alone

	size    [2]int // of the last frame
	scene   frame.Scene
	round   uint64 // of the last frame
	late    *job   // with Delay: the keyframe whose time is not up
	ref     seg.FrameRef
	objects []seg.Object
	told    []seg.Change // by the tracker
	changes []seg.Change // by tracker and zones
	queries []tracker.Query

	processed, keyframes, lastKeyframe, answers, modelErrors, refusals, panics, revision atomic.Uint64

	queued atomic.Int64 // prompts that wait

	remembered, rememberedBytes atomic.Int64 // objects of which the model remembers something, and what that takes
	kinds                       atomic.Pointer[inference.Kinds]

	ctx context.Context // Run's or Step's, for jobs run in the caller; never kept beyond
}

// Counters say how much a pipeline has done.
type Counters struct {
	Processed    uint64 // frames
	Keyframes    uint64 // embeddings made
	LastKeyframe uint64 // the newest frame whose objects were decoded
	Answers      uint64 // decodes that came back
	ModelErrors  uint64 // calls of the model that failed
	Refusals     uint64 // queries that the model cannot take
	Panics       uint64 // after which the walk started afresh
	Overheld     uint64 // frames that could not be kept or lent, because others were held for too long
	Waiting      int    // prompts that wait for the model now
	Busy         Busy

	Remembered      int // objects of which the model remembers something
	RememberedBytes int // and what that takes
}

// Busy says which lanes have a job now.
type Busy struct{ Embed, Refresh, Decode bool }

// New makes a pipeline; it starts nothing.
func New(o Options) (*Pipeline, error) {
	if o.Model == nil || o.Tracker == nil {
		return nil, errors.New("pipeline: a model and a tracker are needed")
	}
	o = o.withDefaults()
	p := &Pipeline{
		o: o, tr: o.Tracker, zones: o.Zones,
		frames: newFrameRing(o.Frames, o.FrameBytes, o.Logger), keys: keyframeRing{limit: o.Keyframes},
		lanes: newLanes(), turn: newTurn(nil), calls: make(chan func(), 64), stopped: make(chan struct{}),
	}
	p.useModel(o.Model)
	return p, nil
}

// Run takes frames from in until ctx ends, or the model has failed too often in a row. It joins its lanes, closes
// what it keeps and reports frames that leaked.
func (p *Pipeline) Run(ctx context.Context, in *frame.Latest) error {
	ctx, callOff := context.WithCancel(ctx)
	defer callOff()
	p.ctx = ctx
	p.turn = newTurn(p.o.Turns)
	p.lanes.start(ctx)
	for ctx.Err() == nil && p.fatal == nil {
		select {
		case <-ctx.Done():
		case call := <-p.calls:
			p.guard("a command", call)
		case j := <-p.lanes.results:
			p.guard("an answer", func() { p.finish(j) })
		case <-p.turn.came:
			p.turn.got()
			p.guard("a turn", p.dispatch)
		case <-in.Filled():
			if f := in.Reclaim(); f != nil {
				p.guard("a frame", func() { p.take(f) })
				f.Release()
			}
		}
	}
	callOff() // the model's work under way, where it was the model that ended this
	return errors.Join(p.fatal, p.shutdown())
}

// Step processes one frame in the caller; only with Synchronous. The frame stays the caller's.
func (p *Pipeline) Step(ctx context.Context, f *frame.Frame) error {
	p.ctx = ctx
	p.take(f)
	return p.fatal
}

// Close ends a synchronous pipeline. After Run it is not needed.
func (p *Pipeline) Close() error { return p.shutdown() }

func (p *Pipeline) shutdown() error {
	p.last = p.save()
	close(p.stopped)
	p.lanes.stop()
	p.turn.end()
	for j := range p.lanes.results {
		p.discard(j)
	}
	if p.late != nil {
		p.discard(p.late)
	}
	p.refuseAll(errStopped)
	err := p.endRefresh()
	p.hold(nil)
	p.frames.flush()
	return errors.Join(err, p.keys.flush(), p.frames.close())
}

// take walks one frame: motion, model's wishes, picture, news.
func (p *Pipeline) take(f *frame.Frame) {
	if p.paused.Load() {
		return
	}
	if size := [2]int{f.Width, f.Height}; size != p.size {
		p.resized(size)
	}
	if f.Scene != p.scene {
		p.sceneBecomes(f.Scene)
	}
	if f.Round != p.round {
		p.round = f.Round
		p.afresh() // motion does not lead from a film's end to its beginning
	}
	p.hold(f)
	start := time.Now()
	w, h := p.info.Input(f.Width, f.Height)
	p.frames.add(f, w, h)
	reduced := time.Now()
	if err := p.tr.Step(f); err != nil {
		p.o.Logger.Error("tracking failed on a frame", "frame", f.Seq, "err", err)
	}
	tracked := time.Since(reduced)
	p.o.Observe(frame.Stage{Name: "reduce", Seq: f.Seq, Captured: f.Captured, Began: start, Took: reduced.Sub(start)})
	p.ref = seg.FrameRef{Seq: f.Seq, Captured: f.Captured}
	p.processed.Add(1)
	p.arrive()
	p.dispatch()
	p.show(f, reduced, tracked)
	if p.o.Synchronous {
		p.hold(nil)
	}
	p.o.Observe(frame.Stage{Name: "frame", Seq: f.Seq, Began: start, Took: time.Since(start)})
	if p.calm++; p.calm == calmFrames {
		p.shaken = 0
	}
}

// hold keeps a full frame in place of the one before.
func (p *Pipeline) hold(f *frame.Frame) {
	if p.latest != nil {
		p.latest.Release()
	}
	if p.latest = f; f != nil {
		f.Retain()
	}
}

// show hands the frame and what is in it to the sinks. Cutting the masks is the second half of tracking, of which the first began and
// took as long as it says.
func (p *Pipeline) show(f *frame.Frame, began time.Time, tracked time.Duration) {
	start := time.Now()
	p.objects = p.tr.Objects(p.objects[:0])
	p.o.Observe(frame.Stage{Name: "track", Seq: f.Seq, Began: began, Took: tracked + time.Since(start)})
	p.o.Show(f, p.objects)
	p.publish(p.objects)
}

// news passes on what the tracker has to tell between frames.
func (p *Pipeline) news() { p.publish(nil) }

// publish passes on what the tracker has to tell, and what the objects of a frame do at zones and lines.
func (p *Pipeline) publish(objects []seg.Object) {
	p.forgetEnded()
	p.told = p.tr.Changes(p.told[:0])
	p.changes = p.zones.Report(p.ref, p.told, objects, p.changes[:0])
	if len(p.changes) > len(p.told) || slices.ContainsFunc(p.told, notable) {
		p.revision.Add(1)
	}
	if len(p.changes) > 0 {
		p.o.Changed(p.ref, p.changes)
	}
}

// notable says whether a change is worth writing down soon: that an object has moved is not.
func notable(c seg.Change) bool {
	return c.Type != seg.ObjectUpdated || c.Before == nil || c.Before.Name != c.After.Name
}

// resized starts anew with another frame size: the history, the rings and the embeddings speak of another picture.
func (p *Pipeline) resized(size [2]int) {
	if p.size != [2]int{} {
		p.o.Logger.Info("the frame size changed", "from", fmt.Sprint(p.size), "to", fmt.Sprint(size))
		p.afresh()
	}
	p.size = size
	p.flush()
}

// afresh starts anew with another picture: objects stay, and are looked for again; prompts about the old one are not answered.
func (p *Pipeline) afresh() {
	p.refuseAll(ErrMovedOn)
	p.tr.Flush()
	p.flush()
}

// flush drops what was made of earlier frames by the present model.
func (p *Pipeline) flush() {
	if err := errors.Join(p.endRefresh(), p.keys.flush()); err != nil {
		p.o.Logger.Error("closing embeddings", "err", err)
	}
	p.frames.flush()
	p.encoded = 0
}
