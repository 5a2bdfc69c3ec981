package agent

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/api/dispatch"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

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
		{"rename", `{"object":"cam-9","name":"x"}`, api.UnknownObject, "object; nothing is followed on camera cam"},
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
	r.next(40) // the ids are those of the newest frame
	for _, c := range []struct {
		verb, body string
		code       api.Code
		about      string
	}{
		{"undo", `{"object":"cam-1"}`, api.Conflict, "nothing to undo"},
		{"choose", `{"object":"cam-1","candidate":99}`, api.BadRequest, "no such candidate"},
		{"undo", `{"object":"cam-9"}`, api.UnknownObject, "there are cam-1"},
		{"prompt", `{"object":"cam-9","points":[{"x":0.3,"y":0.5,"label":1}]}`, api.UnknownObject, "there are cam-1"},
		{"remove", `{"object":"nonsense"}`, api.UnknownObject, "there are cam-1"},
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

// A command that needs a picture of a paused camera that has kept none is told so at once: what it would wait for may stand behind it.
func TestAPausedCameraHasNoPicture(t *testing.T) {
	r := newRig(t, nil)
	if reply := r.do("pause", `{}`); !reply.OK {
		t.Fatal(reply.Error)
	}
	var e *api.Error
	if err := r.Started(t.Context(), "cam"); !errors.As(err, &e) || e.Code != api.NotReady || !strings.Contains(e.Message, "resume it first") {
		t.Errorf("before the first frame: %v", err)
	}
	if reply := r.do("resume", `{}`); !reply.OK {
		t.Fatal(reply.Error)
	}
	r.next(40)
	if reply := r.do("pause", `{}`); !reply.OK {
		t.Fatal(reply.Error)
	}
	open := func(context.Context) (inference.Segmenter, error) {
		return inferencetest.New(inferencetest.Options{}), nil
	}
	if err := r.Replace(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	if reply := r.do("prompt", onSquare); reply.OK || reply.Error.Code != api.NotReady || !strings.Contains(reply.Error.Message, "resume it first") {
		t.Errorf("after a change of the model: %+v", reply.Error)
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
	synctest.Test(t, func(t *testing.T) {
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
			synctest.Wait() // hundreds of frames a second would leave the model behind, as no camera does
		}
		if e := r.diary.await(t, seg.ZoneEntered); e.Details["zone"] != "right" || e.After == nil {
			t.Errorf("%+v", e)
		}
		if e := r.diary.await(t, seg.LineCrossed); e.Details["line"] != "middle" {
			t.Errorf("%+v", e)
		}
	})
}
