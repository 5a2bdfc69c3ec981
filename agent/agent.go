package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// VideoSink gets every processed frame with its objects. Show never blocks; the sink retains the frame and copies the
// objects that it keeps.
type VideoSink interface {
	Show(f *frame.Frame, objects []seg.Object)
}

// EventSink gets what happened. Publish never blocks; the sink owns durability.
type EventSink interface {
	Publish(seg.Event)
}

// Options are the agent's inputs.
type Options struct {
	Name           string
	Version        string
	Model          inference.Segmenter // shared by all cameras; the agent's from New on: it closes it when it is replaced, or at the end
	Events         EventSink           // may be nil
	CommandTimeout time.Duration       // the longest that a command waits for the model; 20 s
	Grounder       Grounder            // turns phrases into boxes; nil where text is not understood
	Look           LookOptions         // for phrases that are followed
	// OpenModel opens another model by name, for the command model; nil where the model cannot be changed.
	OpenModel func(ctx context.Context, name string) (inference.Segmenter, error)
	// Configure changes settings, for the command config; nil where there is no file to change.
	Configure func(ctx context.Context, set map[string]json.RawMessage) (api.ConfigResult, error)
	// Collector hears what people say of masks; nil where nothing is kept of it.
	Collector Collector
	// LastSeq is the number of a camera's newest event; nil where events are not numbered.
	LastSeq func(camera string) uint64
	// Failed hears of a camera that has failed for good, while the others go on: who made it may make it again. It must not block.
	Failed func(camera string)
	Logger *slog.Logger
}

// Grounder finds what a phrase asks for in a frame, best first: one box for one thing, several for several. It may ask the model m for
// masks. The note says what was not as the phrase has it. Safe for concurrent use.
type Grounder interface {
	Ground(ctx context.Context, m inference.Segmenter, f *frame.Frame, phrase string) (boxes []seg.Named, note string, err error)
	// Every finds all that a phrase fits, for who looks again and again, and how many things it asks for at most; 0 for any number.
	Every(ctx context.Context, m inference.Segmenter, f *frame.Frame, phrase string) (boxes []seg.Named, most int, err error)
}

// Agent runs cameras and does what it is told. It implements api.Service.
type Agent struct {
	o       Options
	started time.Time
	cameras roster
	joining chan *camera  // to Run
	holds   chan int      // to Run: how many more keep it from ending
	over    chan struct{} // closed when Run has ended
	turns   *pipeline.Turns
	share   atomic.Uint64 // of their budgets that cameras may spend, as bits of a float64

	mu    sync.Mutex
	model inference.Segmenter // the present one
	named string              // its name, as the cameras have been told

	swapping sync.Mutex
}

var _ api.Service = (*Agent)(nil)

// New makes an agent of the given cameras; it starts nothing.
func New(o Options, cameras []CameraOptions) (*Agent, error) {
	if o.Model == nil || len(cameras) == 0 {
		return nil, errors.New("agent: a model and at least one camera are needed")
	}
	if o.CommandTimeout == 0 {
		o.CommandTimeout = 20 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Agent{
		o: o, started: time.Now(), model: o.Model, named: o.Model.Info().Name,
		joining: make(chan *camera), holds: make(chan int), over: make(chan struct{}),
	}
	a.share.Store(math.Float64bits(1))
	a.turns = pipeline.NewTurns(0, a.crowded)
	for _, co := range cameras {
		co.Pipeline.Turns = a.turns
		c, err := newCamera(co, o)
		if err != nil {
			return nil, fmt.Errorf("camera %s: %w", co.Name, err)
		}
		c.model = a.present
		if err := a.cameras.put(c); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Close gives the frame buffers back and reports frames that somebody still holds. Call it after Run has returned and the
// sinks have stopped.
func (a *Agent) Close() error {
	var all []error
	for _, c := range a.cameras.all() {
		if err := c.pool.Close(); err != nil {
			all = append(all, fmt.Errorf("camera %s: %w", c.name, err))
		}
	}
	all = append(all, a.present().Close())
	return errors.Join(all...)
}

// Cameras are the cameras' names in the order given.
func (a *Agent) Cameras() []string { return a.cameras.names() }

// Info describes the agent.
func (a *Agent) Info() api.Info {
	m := a.present().Info()
	return api.Info{
		Schema: api.Schema, Agent: a.o.Name, Version: a.o.Version, Started: a.started, Cameras: a.cameras.names(),
		Model: m.Name, Family: m.Family, Provider: m.Provider, Why: m.Why, Building: building(&m), Away: m.Away,
		Grounded: a.o.Grounder != nil || m.Kinds.Text,
	}
}

// present is the model in use. Its provider may change while it is.
func (a *Agent) present() inference.Segmenter {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.model
}

// Segmenter is the present model, for who asks it about other pictures. It is the agent's: after it was replaced it answers that it is
// closed.
func (a *Agent) Segmenter() inference.Segmenter { return a.present() }

// building is the provider that is made ready, if one is.
func building(m *inference.Info) *api.Building {
	if m.Building == "" {
		return nil
	}
	return &api.Building{Provider: m.Building, Since: m.Since}
}

// State is what a camera does now.
func (a *Agent) State(name string) (api.State, bool) {
	c := a.cameras.get(name)
	if c == nil {
		return api.State{}, false
	}
	s, m := c.state(), a.present().Info()
	s.Provider, s.Building, s.Away = m.Provider, building(&m), m.Away
	return s, true
}

// Objects are a camera's live objects in its newest frame.
func (a *Agent) Objects(name string) (api.Objects, bool) {
	c := a.cameras.get(name)
	if c == nil {
		return api.Objects{}, false
	}
	objects, ref := c.shown()
	list := api.Objects{Schema: api.Schema, Camera: name, Frame: ref, Objects: objects}
	if a.o.LastSeq != nil {
		list.AsOfSeq = a.o.LastSeq(name)
	}
	return list, true
}

// Counters are what a camera has done over the life of the process.
type Counters struct {
	Capture  capture.Stats
	Pipeline pipeline.Counters
	Embed    time.Duration // that the model has worked on its present frame; 0 while it is free
}

// Counters of a camera; false for one that does not exist.
func (a *Agent) Counters(name string) (Counters, bool) {
	c := a.cameras.get(name)
	if c == nil {
		return Counters{}, false
	}
	return Counters{c.source.Stats(), c.pipe.Counters(), c.pipe.EmbedFor()}, true
}

// Model says how busy the model is with all cameras.
type Model struct {
	Waiting int    // jobs that wait for their turn
	Turns   uint64 // that there were
}

// Model is how busy the model is now.
func (a *Agent) Model() Model { return Model{a.turns.Waiting(), a.turns.Taken()} }

// crowded says, when it changes, that the model is too slow for so many cameras.
func (a *Agent) crowded(crowded bool, late time.Duration) {
	n := len(a.cameras.names())
	if crowded {
		a.o.Logger.Warn(
			"the model is too slow for so many cameras, whose keyframes come late: take a camera away, or set a smaller model.input",
			"cameras", n, "late", late.Round(time.Millisecond),
		)
		return
	}
	a.o.Logger.Info("the model keeps up with the cameras again", "cameras", n)
}

// Spend leaves the routine keyframes of all cameras a share of their budget, 0..1, those that come later too.
func (a *Agent) Spend(ctx context.Context, share float64) {
	a.swapping.Lock() // a camera that is added meanwhile would be passed by
	defer a.swapping.Unlock()
	a.share.Store(math.Float64bits(share))
	for _, c := range a.cameras.all() {
		_ = c.pipe.Spend(ctx, share) // one that has stopped spends nothing
	}
}

// Observe notes how long a stage of a camera took, for its state: for stages that run outside the agent.
func (a *Agent) Observe(camera string, s frame.Stage) {
	if c := a.cameras.get(camera); c != nil {
		c.observe(s)
	}
}

// Stuck says what has not got on for longer than limit: a camera whose frames come but are not processed, or a model that
// does not answer, or gives no other camera a turn. Nil when all is well; a camera that is gone and being reopened is not stuck.
func (a *Agent) Stuck(limit time.Duration) error {
	for _, c := range a.cameras.all() {
		if err := c.stuck(limit); err != nil {
			return fmt.Errorf("camera %s: %w", c.name, err)
		}
	}
	if d := a.turns.Still(); d > limit { // the camera at fault may be one that was removed
		return fmt.Errorf("the model has given no camera a turn for %v", d.Round(time.Second))
	}
	return nil
}

// swap opens another model and changes to it without losing the objects. One at a time.
func (a *Agent) swap(ctx context.Context, name string) error {
	if a.o.OpenModel == nil {
		return &api.Error{Code: api.Unsupported, Message: "this agent's model cannot be changed while it runs"}
	}
	return a.Replace(ctx, func(ctx context.Context) (inference.Segmenter, error) { return a.o.OpenModel(ctx, name) })
}

// Replace opens another model and changes to it without losing the objects. The agent closes it when it is replaced in turn, or at the end.
// One at a time.
func (a *Agent) Replace(ctx context.Context, open func(context.Context) (inference.Segmenter, error)) error {
	if !a.swapping.TryLock() {
		return &api.Error{Code: api.AlreadyRunning, Message: "another model is being loaded"}
	}
	defer a.swapping.Unlock()
	m, err := open(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return &api.Error{Code: api.Timeout, Message: "the model was not loaded and tried in time; set as model.name it may take longer"}
	default:
		return &api.Error{Code: api.BadRequest, Message: err.Error()}
	}
	return a.change(ctx, m).Close()
}

// change gives every camera another model without losing the objects, and returns the old one: what it is at works on until it is done. It
// does not end with ctx: a camera that has the new model already must keep it.
func (a *Agent) change(ctx context.Context, m inference.Segmenter) (old inference.Segmenter) {
	for _, c := range a.cameras.all() {
		_ = c.pipe.Swap(context.WithoutCancel(ctx), m) // one that has stopped needs none
	}
	after := m.Info().Name
	a.mu.Lock()
	old = a.model
	before := a.named
	a.model, a.named = m, after
	a.mu.Unlock()
	for _, c := range a.cameras.all() {
		c.publish(seg.Event{Type: seg.ModelChanged, Details: map[string]any{"from": before, "to": after}})
	}
	return old
}

// Renew tells every camera that the model in use has become another one behind its Segmenter, as one does that falls back and comes back.
// The objects live on, as after Replace.
func (a *Agent) Renew(ctx context.Context) {
	a.swapping.Lock()
	defer a.swapping.Unlock()
	a.change(ctx, a.present())
}
