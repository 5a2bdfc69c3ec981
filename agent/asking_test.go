package agent

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// square is what a film shows at 40, as a prompt given at start.
var square = pipeline.Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.3, Y: 0.5}, Label: seg.Positive}}}}

// showUntil shows frames until an event of this type has come.
func (r *rig) showUntil(typ seg.EventType) seg.Event {
	r.t.Helper()
	for end := time.Now().Add(20 * time.Second); r.diary.count(typ) == 0; {
		if time.Now().After(end) {
			r.t.Fatalf("no event %s came", typ)
		}
		r.next(40)
	}
	return r.diary.await(r.t, typ)
}

// A prompt given at start that could not be answered is asked again: what failed at the first frame may not fail for ever.
func TestAStandingPromptOutlivesAFailure(t *testing.T) {
	var calls atomic.Int64
	r := newRig(t, func(o *Options, co *CameraOptions) {
		o.Model = inferencetest.New(inferencetest.Options{Decode: func(context.Context, []seg.Prompt) error {
			if calls.Add(1) == 1 {
				return errors.New("out of memory")
			}
			return nil
		}})
		co.Prompts = []pipeline.Request{square}
	})
	if e := r.showUntil(seg.ObjectNew); e.After.ID != 2 {
		t.Errorf("object %d, want the second try's", e.After.ID)
	}
}

// A phrase at which the grounder panics costs itself alone.
func TestStandingPromptsAreAskedEachForItself(t *testing.T) {
	r := newRig(t, func(o *Options, co *CameraOptions) {
		o.Grounder = dictionary{}
		co.Prompts = []pipeline.Request{{Prompt: seg.Prompt{Text: "abyss"}}, square}
	})
	r.showUntil(seg.ObjectNew)
}

// A prompt that is added while the camera runs is one of those given at start from then on: it is not asked again after a restart, and one
// that can never be answered is refused.
func TestAPromptThatIsAddedStands(t *testing.T) {
	known := lives(t, nil, nil, func(r *rig) {
		r.next(40)
		if err := r.Stand(r.t.Context(), "cam", square); err != nil {
			t.Fatal(err)
		}
		if err := r.Stand(r.t.Context(), "cam", pipeline.Request{Prompt: seg.Prompt{Text: "mug"}}); err == nil {
			t.Error("a phrase is taken, though nobody understands phrases")
		}
		if err := r.Stand(r.t.Context(), "none", square); err == nil {
			t.Error("a camera that does not exist takes a prompt")
		}
	})
	known = lives(t, &known, func(co *CameraOptions) { co.Prompts = []pipeline.Request{square} }, func(r *rig) {
		for range 20 {
			r.next(40)
		}
		r.diary.await(t, seg.ObjectRecovered)
		if n := r.diary.count(seg.ObjectNew); n != 0 {
			t.Errorf("%d more objects were made of it", n)
		}
		r.Forgo("cam", square)
		if err := r.Stand(r.t.Context(), "cam", square); err != nil { // it is another prompt now
			t.Fatal(err)
		}
		if list, _ := r.Objects("cam"); len(list.Objects) == 0 {
			t.Error("the object of a prompt that is gone went too")
		}
	})
	if len(known.Standing) != 1 {
		t.Errorf("standing %v", known.Standing)
	}
}

// Zones and lines count as made by a command as long as they are not configured, whichever was first.
func TestWhatIsConfiguredMeanwhile(t *testing.T) {
	known := lives(t, nil, func(co *CameraOptions) {
		co.Zones = []api.Zone{{Name: "gate", Points: [][2]float64{{0, 0}, {1, 0}, {1, 1}}}}
	}, func(r *rig) {
		r.next(40)
		for _, c := range [][2]string{
			{"zone", `{"name":"gate"}`}, {"zone", `{"name":"hall","points":[[0,0],[1,0],[1,1]]}`},
			{"line", `{"name":"curb","points":[[0,0],[1,0]]}`},
		} {
			if reply := r.do(c[0], c[1]); !reply.OK {
				t.Fatal(reply.Error)
			}
		}
		r.Configured("cam", []string{"hall"}, nil)
		if reply := r.do("zone", `{"name":"gate","points":[[0,0],[1,0],[1,1]]}`); !reply.OK {
			t.Fatal(reply.Error)
		}
	})
	names := []string{}
	for _, z := range known.Zones {
		names = append(names, z.Name)
	}
	if !slices.Equal(names, []string{"gate"}) || len(known.Lines) != 1 {
		t.Errorf("zones %v and %d lines are known as made by commands", names, len(known.Lines))
	}
}
