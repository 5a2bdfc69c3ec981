package agent

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
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

// However pause and resume come together, what the camera says it does is what it does.
func TestPauseAndResumeAtOnce(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	for range 60 {
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
}
