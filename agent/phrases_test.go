package agent

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

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

func (w words) Every(ctx context.Context, m inference.Segmenter, f *frame.Frame, phrase string) ([]seg.Box, int, error) {
	boxes, _, err := w.Ground(ctx, m, f, phrase)
	return boxes, 0, err
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
