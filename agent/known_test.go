package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/state"
	"github.com/segedge/segedge/zones"
)

// lives runs an agent that knows what an earlier one knew, lets use do something with it, and returns what it knew at the end.
func lives(t *testing.T, known *Known, change func(*CameraOptions), use func(*rig)) Known {
	t.Helper()
	return livesWith(t, known, nil, change, use)
}

// livesWith is lives with a grounder.
func livesWith(t *testing.T, known *Known, g Grounder, change func(*CameraOptions), use func(*rig)) Known {
	t.Helper()
	var r *rig
	var out []Known
	life := func(t *testing.T) {
		r = newRig(t, func(o *Options, co *CameraOptions) {
			o.Grounder, o.Look = g, LookOptions{Every: 4 * time.Millisecond, Budget: 0.9}
			co.Known = known
			if change != nil {
				change(co)
			}
		})
		use(r)
		r.stop()
		err := <-r.ended
		r.ended <- err
		if out, err = r.Known(t.Context()); err != nil {
			t.Error(err)
		}
	}
	t.Run("a life", func(t *testing.T) { synctest.Test(t, life) })
	return out[0]
}

// What was followed, and what commands drew, is there after a restart; what is configured now is not overruled.
func TestACameraKnowsWhatItKnew(t *testing.T) {
	known := lives(t, nil, nil, func(r *rig) {
		r.next(40)
		for _, c := range [][2]string{
			{"prompt", onSquare}, {"rename", `{"object":"cam-1","name":"ball"}`},
			{"zone", `{"name":"hall","points":[[0,0],[1,0],[1,1],[0,1]]}`}, {"zone", `{"name":"cars","points":[[0,0],[1,0],[1,1],[0,1]],"classes":["car"]}`},
			{"zone", `{"name":"door","points":[[0,0],[1,0],[1,1]]}`}, {"line", `{"name":"curb","points":[[0,0],[1,0]]}`},
		} {
			if reply := r.do(c[0], c[1]); !reply.OK {
				t.Fatal(reply.Error)
			}
		}
		for range 10 {
			r.next(40)
		}
		r.diary.await(t, seg.ZoneEntered)
	})
	if len(known.Objects) != 1 || len(known.Zones) != 3 || len(known.Lines) != 1 {
		t.Fatalf("%d objects, zones %v, lines %v", len(known.Objects), known.Zones, known.Lines)
	}
	door := api.Zone{Name: "door", Points: [][2]float64{{0, 0}, {0.5, 0}, {0.5, 0.5}}}
	known = lives(t, &known, func(co *CameraOptions) { co.Zones = []api.Zone{door} }, func(r *rig) {
		for range 20 {
			r.next(40)
		}
		e := r.diary.await(t, seg.ObjectRecovered)
		if e.After.ID != 1 || e.After.Name != "ball" {
			t.Errorf("%+v", e.After)
		}
		if s, _ := r.State("cam"); !slices.Equal(s.Inside["hall"], []seg.ID{1}) {
			t.Errorf("it is not inside for the doors that name it: %v", s.Inside)
		}
		if s, _ := r.State("cam"); !reflect.DeepEqual(s.Zones[0], door) || len(s.Zones) != 3 || len(s.Lines) != 1 {
			t.Errorf("zones %v, lines %v", s.Zones, s.Lines)
		} else if n := s.Counts; n == nil || n.Zones["hall"] != (api.Visits{Inside: 1, Entered: 1}) || n.Zones["cars"] != (api.Visits{}) {
			t.Errorf("who was inside is counted again, or not at all: %+v", n)
		} else if len(n.Inside) != 1 || !slices.Equal(n.Inside["hall"], []string{"cam-1"}) {
			t.Errorf("inside are %v", n.Inside)
		}
	})
	if len(known.Zones) != 2 || len(known.Lines) != 1 {
		t.Errorf("what is configured counts as made by a command: %v, %v", known.Zones, known.Lines)
	}
}

// What is counted is told when it is on the disk, so that no counter goes back after a kill.
func TestCountsAreToldWhenTheyAreKept(t *testing.T) {
	lives(t, nil, nil, func(r *rig) {
		r.next(40)
		for _, c := range [][2]string{{"zone", `{"name":"hall","points":[[0,0],[1,0],[1,1],[0,1]]}`}, {"prompt", onSquare}} {
			if reply := r.do(c[0], c[1]); !reply.OK {
				t.Fatal(reply.Error)
			}
		}
		r.Kept([]Known{{Camera: "cam"}, {Camera: "gone"}})
		for range 10 {
			r.next(40)
		}
		r.diary.await(t, seg.ZoneEntered)
		if s, _ := r.State("cam"); s.Counts != nil {
			t.Errorf("told before it is kept: %+v", s.Counts)
		}
		known, err := r.Known(r.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.Kept(known)
		if s, _ := r.State("cam"); s.Counts == nil || s.Counts.Zones["hall"] != (api.Visits{Inside: 1, Entered: 1}) {
			t.Errorf("not told when it is kept: %+v", s.Counts)
		}
	})
}

// A prompt given at start whose object is known is not asked again; one whose object a person has removed is.
func TestStandingPromptsAreMetOnce(t *testing.T) {
	squared := func(co *CameraOptions) {
		co.Prompts = []pipeline.Request{{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.3, Y: 0.5}, Label: seg.Positive}}}}}
	}
	known := lives(t, nil, squared, func(r *rig) {
		r.next(40)
		r.diary.await(t, seg.ObjectNew)
	})
	if len(known.Standing) != 1 {
		t.Fatalf("standing %v", known.Standing)
	}
	known = lives(t, &known, squared, func(r *rig) {
		for range 20 {
			r.next(40)
		}
		r.diary.await(t, seg.ObjectRecovered)
		if o, _ := r.Objects("cam"); len(o.Objects) != 1 || o.Objects[0].ID != 1 {
			t.Errorf("%+v", o.Objects)
		}
		if reply := r.do("remove", `{"object":"cam-1"}`); !reply.OK {
			t.Fatal(reply.Error)
		}
	})
	lives(t, &known, squared, func(r *rig) {
		r.next(40)
		r.diary.await(t, seg.ObjectNew)
	})
}

// What is the same is written once: a card wears out that is written to every half minute for nothing.
func TestWhatIsTheSameIsWrittenOnce(t *testing.T) {
	s := standing{objects: map[string]seg.ID{}}
	w := zones.New(zones.Defaults())
	for i := range 5 {
		name := fmt.Sprint("z", i)
		s.meet(name, seg.ID(i))
		w.SetZone(name, []seg.Point{{}, {X: 1}, {Y: 1}})
		w.SetLine(name, []seg.Point{{}, {X: 1}})
	}
	var counted zones.Saved
	for i := range 5 {
		name := fmt.Sprint("z", i)
		counted.Zones = append(counted.Zones, zones.SavedZone{Name: name, Visits: zones.Visits{Entered: 2, Left: 1}})
		counted.Lines = append(counted.Lines, zones.SavedLine{Name: name, Crossings: zones.Crossings{Left: 3}})
		counted.Inside = append(counted.Inside, zones.Presence{ID: seg.ID(i), Zone: name})
	}
	w.Restore(counted, func(seg.ID) bool { return true })
	file := state.File{Path: filepath.Join(t.TempDir(), "known.state")}
	var first []byte
	for i := range 20 {
		known := []Known{{Camera: "a", Standing: s.save(), Borders: w.Save()}, {Camera: "b"}, {Camera: "c"}}
		if err := file.Save(known); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file.Path)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if !bytes.Equal(data, first) {
			t.Fatalf("written anew at turn %d", i)
		}
	}
}
