package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

func (w words) Ground(_ context.Context, m inference.Segmenter, _ *frame.Frame, phrase string) ([]seg.Named, string, error) {
	square, other := seg.Box{X0: 0.25, Y0: 0.33, X1: 0.5, Y1: 0.67}, seg.Box{X0: 0.62, Y0: 0.33, X1: 0.82, Y1: 0.67}
	switch {
	case m == nil:
		return nil, "", errors.New("no model to judge masks with")
	case phrase == "square", phrase == "rectangle", phrase == "late" && w.looks.Add(1) > 2:
		return []seg.Named{{Box: square}}, "", nil
	case phrase == "three squares":
		return []seg.Named{{Box: square}, {Box: other}}, "2 of 3 were found", nil
	case phrase == "a red and a blue square":
		return []seg.Named{{Box: square, Name: "red square"}, {Box: other, Name: "blue square"}}, "", nil
	case phrase == "shiny circle":
		return nil, "passed over: shiny", nil
	}
	return nil, "", nil
}

func (w words) Every(ctx context.Context, m inference.Segmenter, f *frame.Frame, phrase string) ([]seg.Named, int, error) {
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

// TestEachThingOfAListHasItsOwnName, unless a person has named them; what was passed over is told where nothing was found, too; and what is
// followed already is no question to choose.
func TestEachThingOfAListHasItsOwnName(t *testing.T) {
	for _, c := range []struct {
		name, start, body string
		want              []string
	}{
		{name: "a command", body: `{"text":"a red and a blue square"}`, want: []string{"red square", "blue square"}},
		{name: "named by a person", body: `{"text":"a red and a blue square","name":"mine"}`, want: []string{"mine", "mine"}},
		{name: "from the start", start: "a red and a blue square", want: []string{"red square", "blue square"}},
		{name: "followed", body: `{"text":"a red and a blue square","follow":true}`, want: []string{"red square", "blue square"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(o *Options, co *CameraOptions) {
				o.Grounder = words{new(atomic.Int64)}
				if c.start != "" {
					co.Prompts = []pipeline.Request{{Name: c.start, Prompt: seg.Prompt{Text: c.start}}}
				}
			})
			r.film.beside = true
			r.next(40)
			if c.body != "" {
				if reply := r.do("prompt", c.body); !reply.OK {
					t.Fatal(reply.Error)
				}
			}
			var names []string
			for range 100 {
				r.next(40)
				if o, _ := r.Objects("cam"); len(o.Objects) == len(c.want) {
					for i := range o.Objects {
						names = append(names, o.Objects[i].Name)
					}
					break
				}
			}
			if !slices.Equal(names, c.want) {
				t.Errorf("they are called %q, want %q", names, c.want)
			}
			if c.name != "followed" {
				return
			}
			reply := r.do("prompt", c.body)
			if p := reply.Result.(api.PromptResult); p.Object != "cam-1" || !strings.Contains(string(p.Document), "red square") {
				t.Errorf("what is followed already: %+v", p)
			}
			reply = r.do("prompt", `{"text":"square","choose":true}`)
			if p, ok := reply.Result.(api.PromptResult); !ok || p.Object != "cam-1" {
				t.Errorf("what is followed already, to choose from: %+v", reply)
			}
		})
	}
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Grounder = words{new(atomic.Int64)} })
	r.next(40)
	if reply := r.do("prompt", `{"text":"shiny circle"}`); reply.OK || !strings.Contains(reply.Error.Message, `no "shiny circle" is in the picture; passed over: shiny`) {
		t.Errorf("%+v", reply)
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

// TestOneOfSeveralIsChosen: with choose a phrase that fits several things is one object, and what else fits are its candidates.
func TestOneOfSeveralIsChosen(t *testing.T) {
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Grounder = words{new(atomic.Int64)} })
	r.film.beside = true
	r.next(40)
	reply := r.do("prompt", `{"text":"three squares","choose":true}`)
	if !reply.OK {
		t.Fatal(reply.Error)
	}
	p := reply.Result.(api.PromptResult)
	var doc struct {
		Centroid   [2]float64 `json:"centroid"`
		Candidates []struct {
			Box [4]float64 `json:"box"`
		} `json:"candidates"`
	}
	if err := json.Unmarshal(p.Document, &doc); err != nil || len(p.Objects) != 1 || len(doc.Candidates) != 1 {
		t.Fatalf("%s, %v: want one object with one candidate", p.Document, err)
	}
	other := doc.Candidates[0].Box
	if reply := r.do("choose", `{"object":"`+p.Object+`","candidate":0}`); !reply.OK {
		t.Fatal(reply.Error)
	}
	// What was not meant is forgotten: a further click is about the chosen one alone.
	refine := fmt.Sprintf(`{"object":%q,"points":[{"x":%g,"y":%g,"label":1}]}`, p.Object, (other[0]+other[2])/2, (other[1]+other[3])/2)
	if reply = r.do("prompt", refine); !reply.OK {
		t.Fatal(reply.Error)
	}
	if err := json.Unmarshal(reply.Result.(api.PromptResult).Document, &doc); err != nil || doc.Centroid[0] < other[0] || doc.Centroid[0] > other[2] {
		t.Errorf("centroid %v is not within the chosen %v (%v)", doc.Centroid, other, err)
	}
	if reply := r.do("undo", `{"object":"`+p.Object+`"}`); !reply.OK {
		t.Error(reply.Error)
	}
}
