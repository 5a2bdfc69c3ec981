package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
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

// dictionary is a grounder that knows no word but one, at which it panics.
type dictionary struct{}

type noSuchWord struct{ word string }

func (e *noSuchWord) Error() string {
	return fmt.Sprintf("%q is none of the words that are known", e.word)
}
func (e *noSuchWord) UnknownPhrase() string { return e.word }

func (dictionary) Ground(_ context.Context, _ inference.Segmenter, _ *frame.Frame, phrase string) ([]seg.Named, string, error) {
	if phrase == "abyss" {
		panic("it looked back")
	}
	return nil, "", &noSuchWord{phrase}
}

func (d dictionary) Every(ctx context.Context, m inference.Segmenter, f *frame.Frame, phrase string) ([]seg.Named, int, error) {
	boxes, _, err := d.Ground(ctx, m, f, phrase)
	return boxes, 0, err
}

// What makes no sense, or none now, is the asker's to hear about: not the agent's fault, and none of a panic's.
func TestWhatCannotBeDoneIsNotTheAgentsFault(t *testing.T) {
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Grounder = dictionary{} })
	r.next(40)
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Fatal(reply.Error)
	}
	for _, c := range []struct {
		verb, body string
		code       api.Code
		about      string
	}{
		{"undo", `{"object":"cam-1"}`, api.Conflict, "nothing to undo"},
		{"choose", `{"object":"cam-1","candidate":9}`, api.BadRequest, "no such candidate"},
		{"choose", `{"object":"cam-1","candidate":99}`, api.BadRequest, "no such candidate"},
		{"prompt", `{"text":"an unheard-of thing"}`, api.BadRequest, "unheard-of"},
		{"prompt", `{"text":"abyss"}`, api.Internal, "log"},
		{"reject", `{"object":"cam-1"}`, "", ""},
		{"confirm", `{"object":"cam-1"}`, api.Conflict, "no mask"},
	} {
		reply := r.do(c.verb, c.body)
		if c.code == "" {
			if !reply.OK {
				t.Errorf("%s %s: %+v", c.verb, c.body, reply.Error)
			}
			continue
		}
		if reply.OK || reply.Error.Code != c.code || !strings.Contains(reply.Error.Message, c.about) {
			t.Errorf("%s %s: %+v, want %s about %q", c.verb, c.body, reply.Error, c.code, c.about)
		}
	}
}

// However pause and resume come together, a camera that says it runs does, and both are obeyed afterwards. What says that it is paused is
// what keeps the walk from looking (TestPauseLooksAway): it cannot run then.
func TestPauseAndResumeAtOnce(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	for range 200 {
		var both sync.WaitGroup
		for _, verb := range []string{"pause", "resume", "pause", "resume"} {
			both.Go(func() {
				if reply := r.do(verb, ""); !reply.OK {
					t.Error(reply.Error)
				}
			})
		}
		both.Wait()
		if s, _ := r.State("cam"); s.State == api.Running {
			r.next(40) // fails where it is paused
		}
	}
	if reply := r.do("resume", ""); !reply.OK {
		t.Fatal(reply.Error)
	}
	r.next(40)
	if s, _ := r.State("cam"); s.State != api.Running {
		t.Errorf("it is %s", s.State)
	}
	if reply := r.do("pause", ""); !reply.OK {
		t.Fatal(reply.Error)
	}
	if s, _ := r.State("cam"); s.State != api.Paused {
		t.Errorf("it is %s", s.State)
	}
}

// brokenScreen is a video sink that cannot show anything.
type brokenScreen struct{}

func (brokenScreen) Show(*frame.Frame, []seg.Object) { panic("a screen that is broken") }

// Of two cameras the one whose walk panics in every frame ends, says why, and is told to be failed; the other one goes on, commands too.
func TestAWalkOfPanicsEndsItsOwnCameraOnly(t *testing.T) {
	bad := &film{frames: make(chan int)}
	source := func(s capture.Source) capture.Options {
		return capture.Options{
			Open: func(context.Context) (capture.Source, error) { return s, nil }, StallAfter: time.Hour, StuckAfter: time.Hour, OpenLimit: time.Hour,
		}
	}
	failed := make(chan string, 1)
	r := &rig{t: t, film: &film{frames: make(chan int)}, shown: make(chan uint64, 1)}
	a, err := New(Options{Name: "box", Model: inferencetest.New(inferencetest.Options{}), Failed: func(camera string) { failed <- camera }}, []CameraOptions{
		{Name: "cam", Video: &screen{r.shown}, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})), Source: source(r.film)},
		{Name: "broken", Video: brokenScreen{}, Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})), Source: source(bad)},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Agent = a
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	go func() {
		for {
			select {
			case bad.frames <- 40:
			case <-ctx.Done():
				return
			}
		}
	}()
	if name := <-failed; name != "broken" {
		t.Errorf("camera %s has failed", name)
	}
	if s, _ := a.State("broken"); s.State != api.Stopped {
		t.Errorf("it is %s", s.State)
	}
	r.next(40)
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Fatal(reply.Error)
	}
	r.next(42)
	if o, ok := a.Objects("cam"); !ok || len(o.Objects) != 1 {
		t.Errorf("the other camera follows %+v", o)
	}
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "camera broken") || !strings.Contains(err.Error(), "a screen that is broken") {
		t.Errorf("the agent ended with %v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
