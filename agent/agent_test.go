package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// film is a live source that a test feeds: a red square on a green ground, at the place that the test says.
type film struct {
	frames chan int    // the square's left edge; closed at the end
	beside bool        // a blue square stands to the right
	wide   atomic.Bool // from now on the picture is wider
	dark   atomic.Bool // the lights are off
}

func (s *film) Read(ctx context.Context, dst *frame.Frame) error {
	select {
	case x, ok := <-s.frames:
		if !ok {
			return io.EOF
		}
		w := 160
		if s.wide.Load() {
			w = 200
		}
		dst.Resize(w, 120)
		for i := 0; i < len(dst.Pix); i += 3 {
			px, py := i/3%w, i/3/w
			dst.Pix[i], dst.Pix[i+1], dst.Pix[i+2] = 60, 120, 60
			if px >= x && px < x+40 && py >= 40 && py < 80 {
				dst.Pix[i+1], dst.Pix[i+2] = 40, 220
			} else if s.beside && px >= 100 && px < 130 && py >= 40 && py < 80 {
				dst.Pix[i], dst.Pix[i+1] = 220, 40
			}
			if s.dark.Load() {
				dst.Pix[i], dst.Pix[i+1], dst.Pix[i+2] = 4, 2, 3
			}
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *film) Close() error { return nil }

// diary is an event sink.
type diary struct {
	mu     sync.Mutex
	events []seg.Event
	more   chan struct{}
}

func (d *diary) Publish(e seg.Event) {
	d.mu.Lock()
	d.events = append(d.events, e)
	d.mu.Unlock()
	select {
	case d.more <- struct{}{}:
	default:
	}
}

// await waits for an event of this type.
func (d *diary) await(t *testing.T, typ seg.EventType) seg.Event {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		d.mu.Lock()
		for _, e := range d.events {
			if e.Type == typ {
				d.mu.Unlock()
				return e
			}
		}
		d.mu.Unlock()
		select {
		case <-d.more:
		case <-deadline:
			t.Fatalf("no event %s came", typ)
		}
	}
}

// count is how many events of this type have come.
func (d *diary) count(typ seg.EventType) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.events {
		if d.events[i].Type == typ {
			n++
		}
	}
	return n
}

// screen is a video sink that tells when a frame was shown.
type screen struct{ shown chan uint64 }

func (s *screen) Show(f *frame.Frame, _ []seg.Object) { s.shown <- f.Seq }

type rig struct {
	*Agent
	t     *testing.T
	film  *film
	diary *diary
	shown chan uint64
	ended chan error
	stop  context.CancelFunc
}

func newRig(t *testing.T, change func(*Options, *CameraOptions)) *rig {
	t.Helper()
	r := &rig{t: t, film: &film{frames: make(chan int)}, diary: &diary{more: make(chan struct{}, 1)}, shown: make(chan uint64, 1), ended: make(chan error, 1)}
	model := inferencetest.New(inferencetest.Options{})
	o := Options{Name: "box", Version: "test", Model: model, Events: r.diary}
	co := CameraOptions{
		Name: "cam",
		Source: capture.Options{ // a test may think for longer than a camera may be silent
			Open: func(context.Context) (capture.Source, error) { return r.film, nil }, StallAfter: time.Hour, StuckAfter: time.Hour, OpenLimit: time.Hour,
		},
		Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
		Video:   &screen{r.shown},
		Viewers: func() int { return 3 },
	}
	if change != nil {
		change(&o, &co)
	}
	a, err := New(o, []CameraOptions{co})
	if err != nil {
		t.Fatal(err)
	}
	r.Agent = a
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-r.ended; err != nil {
			t.Errorf("the agent ended with %v", err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if n := model.Live(); n != 0 {
			t.Errorf("%d embeddings were never closed", n)
		}
	})
	return r
}

// next shows a frame with the square at x.
func (r *rig) next(x int) uint64 {
	r.t.Helper()
	select {
	case r.film.frames <- x:
	case <-time.After(20 * time.Second):
		r.t.Fatal("the source is not read")
	}
	select {
	case seq := <-r.shown:
		return seq
	case <-time.After(20 * time.Second):
		r.t.Fatal("no frame was shown")
		return 0
	}
}

func (r *rig) do(verb, body string) api.Reply {
	r.t.Helper()
	cmd, bad := api.Decode(verb, []byte(body))
	if bad != nil {
		r.t.Fatalf("%s %s: %v", verb, body, bad)
	}
	return r.Do(r.t.Context(), "cam", cmd)
}

const onSquare = `{"id":"1","points":[{"x":0.3,"y":0.5,"label":1}]}`

func TestPromptToEvent(t *testing.T) {
	r := newRig(t, nil)
	seq := r.next(40)
	reply := r.do("prompt", onSquare)
	if !reply.OK {
		t.Fatalf("%+v", reply.Error)
	}
	res := reply.Result.(api.PromptResult)
	if res.Object != "cam-1" || res.Frame != seq || reply.ID != "1" {
		t.Errorf("%+v", res)
	}
	var doc struct {
		Box  [4]float64 `json:"box"`
		Mask seg.RLE    `json:"mask"`
	}
	if err := json.Unmarshal(res.Document, &doc); err != nil {
		t.Fatal(err)
	}
	want := seg.Box{X0: 40. / 160, Y0: 40. / 120, X1: 80. / 160, Y1: 80. / 120}
	got := seg.Box{X0: doc.Box[0], Y0: doc.Box[1], X1: doc.Box[2], Y1: doc.Box[3]}
	if got.IoU(want) < 0.85 || doc.Mask.Size != [2]int{120, 160} {
		t.Errorf("box %v, want %v; mask of size %v", got, want, doc.Mask.Size)
	}
	e := r.diary.await(t, seg.ObjectNew)
	if e.Camera != "cam" || e.After == nil || e.After.ID != 1 || e.Frame.Seq == 0 || e.Time.IsZero() {
		t.Errorf("%+v", e)
	}
}

func TestCommandsOnAnObject(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Fatal(reply.Error)
	}
	if reply := r.do("rename", `{"object":"cam-1","name":"ball"}`); !reply.OK || !strings.Contains(string(reply.Result.(json.RawMessage)), `"ball"`) {
		t.Errorf("%+v", reply)
	}
	r.next(41)
	objects, ok := r.Objects("cam")
	if !ok || len(objects.Objects) != 1 || objects.Objects[0].Name != "ball" {
		t.Errorf("%+v", objects)
	}
	for _, body := range []string{`{"object":"cam-1","points":[{"x":0.3,"y":0.6,"label":1}]}`, `{"object":"cam-1","points":[{"x":0.9,"y":0.9,"label":0}]}`} {
		if reply := r.do("prompt", body); !reply.OK {
			t.Errorf("refining: %+v", reply.Error)
		}
	}
	for _, verb := range []string{"undo", "confirm", "remove"} {
		if reply := r.do(verb, `{"object":"cam-1"}`); !reply.OK {
			t.Errorf("%s: %+v", verb, reply.Error)
		}
	}
	r.diary.await(t, seg.ObjectEnded)
	for _, verb := range []string{"keyframe", "pause", "resume", "clear"} {
		if reply := r.do(verb, ""); !reply.OK {
			t.Errorf("%s: %+v", verb, reply.Error)
		}
	}
}

func TestRefusalsHaveACodeAndASentence(t *testing.T) {
	r := newRig(t, func(o *Options, co *CameraOptions) { co.Pipeline = pipeline.Options{MaxObjects: 1} })
	if reply := r.do("prompt", onSquare); reply.OK || reply.Error.Code != api.NotReady {
		t.Errorf("before the first frame: %+v", reply)
	}
	r.next(40)
	for _, c := range []struct {
		verb, body string
		code       api.Code
		about      string
	}{
		{"rename", `{"object":"cam-9","name":"x"}`, api.UnknownObject, "object"},
		{"remove", `{"object":"other-1"}`, api.UnknownObject, `"other-1"`},
		{"remove", `{"object":"nonsense"}`, api.UnknownObject, `"nonsense"`},
		{"prompt", `{"object":"cam-9","points":[{"x":0.3,"y":0.5,"label":1}]}`, api.UnknownObject, "object"},
		{"prompt", `{"text":"a dog"}`, api.Unsupported, "grounding.model"},
		{"choose", `{"object":"cam-9","candidate":1}`, api.UnknownObject, "object"},
	} {
		reply := r.do(c.verb, c.body)
		if reply.OK || reply.Error.Code != c.code || !strings.Contains(reply.Error.Message, c.about) {
			t.Errorf("%s %s: %+v", c.verb, c.body, reply.Error)
		}
	}
	if reply := r.Do(t.Context(), "attic", api.Command{Verb: "clear", Body: &api.Nothing{}}); reply.Error == nil || reply.Error.Code != api.UnknownCamera {
		t.Errorf("unknown camera: %+v", reply)
	}
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Fatal(reply.Error)
	}
	if reply := r.do("prompt", onSquare); reply.OK || reply.Error.Code != api.Overloaded {
		t.Errorf("a second object of one: %+v", reply)
	}
	for _, c := range []struct {
		verb, body string
		code       api.Code
		about      string
	}{
		{"undo", `{"object":"cam-1"}`, api.Conflict, "nothing to undo"},
		{"choose", `{"object":"cam-1","candidate":99}`, api.BadRequest, "no such candidate"},
	} {
		reply := r.do(c.verb, c.body)
		if reply.OK || reply.Error.Code != c.code || !strings.Contains(reply.Error.Message, c.about) {
			t.Errorf("%s %s: %+v", c.verb, c.body, reply.Error)
		}
	}
}

func TestStateTellsWhatHappens(t *testing.T) {
	r := newRig(t, nil)
	for i := range 10 {
		r.next(40 + i)
	}
	s, ok := r.State("cam")
	if !ok || s.State != api.Running || s.Width != 160 || s.Height != 120 || s.Processed < 9 || s.Viewers != 3 || s.FPS <= 0 || s.Frame < 9 {
		t.Errorf("%+v", s)
	}
	if _, ok := s.Stages["track"]; !ok {
		t.Errorf("stages %v", s.Stages)
	}
	if err := r.Stuck(time.Hour); err != nil {
		t.Error(err)
	}
	if info := r.Info(); info.Agent != "box" || info.Version != "test" || len(info.Cameras) != 1 || info.Family == "" || info.Grounded {
		t.Errorf("%+v", info)
	}
	if _, ok := r.State("attic"); ok {
		t.Error("a camera that does not exist has no state")
	}
	if reply := r.do("pause", ""); !reply.OK {
		t.Fatal(reply.Error)
	}
	if s, _ := r.State("cam"); s.State != api.Paused {
		t.Errorf("state %q while paused", s.State)
	}
}

// A camera is stuck while a frame that has come is not processed; one that sends a picture now and then is not.
func TestStuckIsWhatHasWorkWaiting(t *testing.T) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) }) // after the rig's
	r := newRig(t, nil)
	r.next(40)
	if err := r.Stuck(0); err != nil {
		t.Errorf("nothing waits: %v", err)
	}
	deadline := time.After(20 * time.Second)
	for err := error(nil); err == nil || !strings.Contains(err.Error(), "cam"); err = r.Stuck(0) {
		select {
		case r.film.frames <- 40: // nobody takes what is shown, which holds the pipeline up
		case <-deadline:
			t.Fatalf("frames wait: %v", err)
		}
	}
	go func() {
		for {
			select {
			case <-r.shown:
			case <-over:
				return
			}
		}
	}()
}

// A picture of another size is told by events: what was known of the old picture is looked for anew.
func TestAnotherSizeIsTold(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	r.film.wide.Store(true)
	r.next(40)
	const want = "the picture's size changed from 160×120 to 200×120"
	for _, typ := range []seg.EventType{seg.CameraStalled, seg.CameraRecovered} {
		if e := r.diary.await(t, typ); e.Details["reason"] != want || e.Camera != "cam" {
			t.Errorf("%s: %+v", typ, e)
		}
	}
	if s, _ := r.State("cam"); s.State != api.Running || s.Width != 200 {
		t.Errorf("%+v", s)
	}
}

func TestEndOfTheSourceEndsTheRun(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	close(r.film.frames)
	select {
	case err := <-r.ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the agent runs on after its only source has ended")
	}
	r.ended <- nil
	if s, _ := r.State("cam"); s.State != api.Stopped {
		t.Errorf("state %q", s.State)
	}
	if reply := r.do("clear", ""); reply.OK || reply.Error.Code != api.NotReady || !strings.Contains(reply.Error.Message, "stopped") {
		t.Errorf("a camera that has stopped cannot obey: %+v", reply.Error)
	}
}

// TestEarlyCommandsWaitForTheFirstFrame: over every door, since all go through the dispatcher.
func TestEarlyCommandsWaitForTheFirstFrame(t *testing.T) {
	r := newRig(t, nil)
	d := dispatch.New(dispatch.Options{Service: r})
	reply := make(chan api.Reply)
	go func() {
		reply <- d.Do(t.Context(), dispatch.Request{Form: api.Form{Verb: "prompt"}, Camera: "cam", Body: []byte(onSquare)})
	}()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var e *api.Error
	if err := r.Started(ctx, "cam"); !errors.As(err, &e) || e.Code != api.NotReady || !strings.Contains(e.Message, "no frame has come") {
		t.Errorf("got %v", err)
	}
	if err := r.Started(ctx, "attic"); !errors.As(err, &e) || e.Code != api.UnknownCamera {
		t.Errorf("got %v", err)
	}
	r.next(40)
	if got := <-reply; !got.OK {
		t.Errorf("%+v", got.Error)
	}
	for range 50 { // a command that waited for its turn until its time was over is told so elsewhere, and not by chance
		if err := r.Started(ctx, "cam"); err != nil {
			t.Fatalf("a camera that has begun: %v", err)
		}
	}
}

func TestNoFrameWillEverCome(t *testing.T) {
	r := newRig(t, nil)
	close(r.film.frames)
	var e *api.Error
	if err := r.Started(t.Context(), "cam"); !errors.As(err, &e) || e.Code != api.NotReady || !strings.Contains(e.Message, "stopped") {
		t.Errorf("got %v", err)
	}
}

func TestSourceThatCannotBeOpened(t *testing.T) {
	broken := errors.New("no such file: x.mp4")
	model := inferencetest.New(inferencetest.Options{})
	a, err := New(Options{Model: model}, []CameraOptions{{
		Name:    "cam",
		Source:  capture.Options{Open: func(context.Context) (capture.Source, error) { return nil, errors.Join(broken, capture.ErrPermanent) }},
		Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); !errors.Is(err, broken) || !strings.Contains(err.Error(), "camera cam") {
		t.Errorf("ended with %v", err)
	}
}

// A camera that fails for good takes nobody with it, and says why it stopped.
func TestEveryCameraIsAnIsland(t *testing.T) {
	live := &film{frames: make(chan int)}
	shown := make(chan uint64, 1)
	a, err := New(Options{Model: inferencetest.New(inferencetest.Options{})}, []CameraOptions{{
		Name: "bad",
		Source: capture.Options{Open: func(context.Context) (capture.Source, error) {
			return nil, capture.Permanent(errors.New("no such file: x.mp4"))
		}},
		Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
	}, {
		Name:    "good",
		Source:  capture.Options{Open: func(context.Context) (capture.Source, error) { return live, nil }, StallAfter: time.Hour, StuckAfter: time.Hour},
		Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
		Video:   &screen{shown},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context()) }()
	for { // until the bad one has stopped, and then one more
		live.frames <- 40
		<-shown
		if s, _ := a.State("bad"); s.State == api.Stopped {
			if !strings.Contains(s.Reason, "x.mp4") {
				t.Errorf("stopped because of %q", s.Reason)
			}
			break
		}
	}
	live.frames <- 40
	<-shown
	close(live.frames)
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "camera bad") {
		t.Errorf("ended with %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

// words is a grounder that knows where the squares of the film are; "late" is there from its third look on.
type words struct{ looks *atomic.Int64 }

func (w words) Ground(_ context.Context, m inference.Segmenter, _ *frame.Frame, phrase string) ([]seg.Box, string, error) {
	square, other := seg.Box{X0: 0.25, Y0: 0.33, X1: 0.5, Y1: 0.67}, seg.Box{X0: 0.62, Y0: 0.33, X1: 0.82, Y1: 0.67}
	switch {
	case m == nil:
		return nil, "", errors.New("no model to judge masks with")
	case phrase == "square", phrase == "rectangle", phrase == "late" && w.looks.Add(1) > 2:
		return []seg.Box{square}, "", nil
	case phrase == "three squares":
		return []seg.Box{square, other}, "2 of 3 were found", nil
	}
	return nil, "", nil
}

// TestAPhraseMayMeanSeveral makes an object of each, and none of what is followed already, whatever it is called.
func TestAPhraseMayMeanSeveral(t *testing.T) {
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Grounder = words{new(atomic.Int64)} })
	r.film.beside = true
	r.next(40)
	var first string
	for _, phrase := range []string{"square", "rectangle", "square"} {
		reply := r.do("prompt", `{"text":"`+phrase+`"}`)
		if !reply.OK {
			t.Fatal(reply.Error)
		}
		p := reply.Result.(api.PromptResult)
		if first == "" {
			first = p.Object
		}
		if p.Object != first || len(p.Objects) != 1 {
			t.Errorf("%s is %+v, not the one of before, %s", phrase, p, first)
		}
	}
	reply := r.do("prompt", `{"text":"three squares"}`)
	if !reply.OK {
		t.Fatal(reply.Error)
	}
	if p := reply.Result.(api.PromptResult); len(p.Objects) != 2 || p.Objects[0] != first || p.Note != "2 of 3 were found" {
		t.Errorf("%+v", p)
	}
	r.next(40)
	if o, _ := r.Objects("cam"); len(o.Objects) != 2 {
		t.Errorf("%d objects are followed", len(o.Objects))
	}
}

// TestAPhraseGivenAtStartIsLookedForUntilItIsThere: nothing is there in the first frame.
func TestAPhraseGivenAtStartIsLookedForUntilItIsThere(t *testing.T) {
	r := newRig(t, func(o *Options, co *CameraOptions) {
		o.Grounder = words{new(atomic.Int64)}
		co.Prompts = []pipeline.Request{{Prompt: seg.Prompt{Text: "late"}}}
	})
	found := make(chan seg.Event, 1)
	go func() { found <- r.diary.await(t, seg.ObjectNew) }()
	for {
		r.next(40)
		select {
		case e := <-found:
			if e.After.Name != "late" {
				t.Errorf("%+v", e.After)
			}
			return
		default:
		}
	}
}

func TestPhrasesAreGrounded(t *testing.T) {
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Grounder = words{new(atomic.Int64)} })
	r.next(40)
	reply := r.do("prompt", `{"text":"square"}`)
	if !reply.OK {
		t.Fatal(reply.Error)
	}
	if doc := string(reply.Result.(api.PromptResult).Document); !strings.Contains(doc, `"name":"square"`) {
		t.Errorf("an object is named by its phrase: %s", doc)
	}
	if reply := r.do("prompt", `{"text":"circle"}`); reply.OK || reply.Error.Code != api.NothingFound {
		t.Errorf("%+v", reply)
	}
	if !r.Info().Grounded {
		t.Error("info must say that phrases are understood")
	}
}

func TestPromptsGivenAtStart(t *testing.T) {
	r := newRig(t, func(_ *Options, co *CameraOptions) {
		co.Prompts = []pipeline.Request{{Name: "first", Prompt: seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.3, Y: 0.5}, Label: seg.Positive}}}}}
	})
	r.next(40)
	if e := r.diary.await(t, seg.ObjectNew); e.After.Name != "first" {
		t.Errorf("%+v", e.After)
	}
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

func TestOptionsAreChecked(t *testing.T) {
	if _, err := New(Options{}, nil); err == nil {
		t.Error("an agent needs a model and a camera")
	}
	co := CameraOptions{Name: "a", Source: capture.Options{Open: func(context.Context) (capture.Source, error) { return nil, nil }}, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{}))}
	if _, err := New(Options{Model: inferencetest.New(inferencetest.Options{})}, []CameraOptions{co, co}); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("two cameras of one name: %v", err)
	}
}

func TestZonesReportWhoEnters(t *testing.T) {
	r := newRig(t, nil)
	for verb, body := range map[string]string{
		"zone": `{"name":"right","points":[[0.5,0],[1,0],[1,1],[0.5,1]]}`,
		"line": `{"name":"middle","points":[[0.5,0],[0.5,1]]}`,
	} {
		if reply := r.do(verb, body); !reply.OK {
			t.Fatal(reply.Error)
		}
	}
	r.next(10)
	if reply := r.do("prompt", `{"points":[{"x":0.15,"y":0.5,"label":1}]}`); !reply.OK {
		t.Fatal(reply.Error)
	}
	for x := 11; x < 110; x++ {
		r.next(x)
	}
	if e := r.diary.await(t, seg.ZoneEntered); e.Details["zone"] != "right" || e.After == nil {
		t.Errorf("%+v", e)
	}
	if e := r.diary.await(t, seg.LineCrossed); e.Details["line"] != "middle" {
		t.Errorf("%+v", e)
	}
}
