package agent

import (
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// changed asks for what takes objects away or brings them back, and wants these.
func (r *rig) changed(verb, body string, want ...string) {
	r.t.Helper()
	reply := r.do(verb, body)
	if reply.Error != nil {
		r.t.Fatalf("%s %s: %v", verb, body, reply.Error)
	}
	if got, ok := reply.Result.(api.Changed); !ok || !slices.Equal(got.Objects, want) {
		r.t.Fatalf("%s %s: %+v, want %q", verb, body, reply.Result, want)
	}
}

// followed are the objects as the doors list them.
func (r *rig) followed() (ids []string) {
	list, _ := r.Objects("cam")
	for i := range list.Objects {
		ids = append(ids, seg.ObjectID("cam", list.Objects[i].ID)+" "+list.Objects[i].Name)
	}
	return ids
}

// What was removed or cleared comes back with its number and name, the newest removal first, or the one named; what cannot come back is a
// conflict in a sentence.
func TestUndoBringsBackWhatWasRemoved(t *testing.T) {
	r := newRig(t, nil)
	r.film.beside = true
	r.next(20)
	for _, c := range [][2]string{{"prompt", onSquare}, {"rename", `{"object":"cam-1","name":"ball"}`}, {"prompt", `{"points":[{"x":0.7,"y":0.5,"label":1}]}`}} {
		if reply := r.do(c[0], c[1]); !reply.OK {
			t.Fatal(reply.Error)
		}
	}
	r.next(20)
	all := r.followed()
	if len(all) != 2 || all[0] != "cam-1 ball" {
		t.Fatalf("followed are %q", all)
	}
	r.changed("remove", `{"object":"cam-1"}`, "cam-1")
	r.changed("remove", `{"objects":["cam-2","cam-1"]}`, "cam-2")
	r.next(20)
	r.changed("undo", `{"object":"cam-1"}`, "cam-1")
	r.changed("undo", `{}`, "cam-2")
	r.next(20)
	if got := r.followed(); !slices.Equal(got, all) {
		t.Errorf("followed are %q, want %q", got, all)
	}
	if e := r.diary.await(t, seg.ObjectRecovered); e.Details["undone"] != true || e.After.Name != "ball" {
		t.Errorf("told as %+v", e)
	}
	r.changed("clear", `{}`, "cam-1", "cam-2")
	r.changed("undo", `{"objects":["cam-2","cam-9"]}`, "cam-2")
	r.changed("undo", `{}`, "cam-1")
	for body, code := range map[string]api.Code{`{}`: api.Conflict, `{"objects":["cam-1"]}`: api.Conflict, `{"object":"cam-1"}`: api.Conflict, `{"object":"cam-9"}`: api.UnknownObject} {
		if reply := r.do("undo", body); reply.Error == nil || reply.Error.Code != code {
			t.Errorf("undo %s: %+v", body, reply)
		}
	}
	if reply := r.do("undo", `{}`); !strings.Contains(reply.Error.Message, "the last 8 times are kept, for 5 minutes") {
		t.Errorf("the sentence is %q", reply.Error.Message)
	}
}

// An undo of clear also looks again for the phrases that were followed.
func TestUndoOfClearLooksForPhrasesAgain(t *testing.T) {
	var l lookout
	l.begin(LookOptions{}, []watch.Saved{{Text: "dog"}}, nil)
	if err := l.put(&watch.Watch{Saved: watch.Saved{Text: "cat", Objects: []seg.ID{7}}}); err != nil {
		t.Fatal(err)
	}
	texts := func() (out []string) {
		for _, w := range l.save() {
			out = append(out, w.Text)
		}
		return out
	}
	l.remember([]seg.ID{7, 8}, l.clear())
	if got := texts(); !slices.Equal(got, []string{"dog"}) {
		t.Fatalf("after clear: %q", got)
	}
	l.recall([]seg.ID{9})
	if got := texts(); len(got) != 1 {
		t.Errorf("another removal was undone: %q", got)
	}
	l.recall([]seg.ID{8})
	l.recall([]seg.ID{7})
	if got := texts(); !slices.Equal(got, []string{"dog", "cat"}) {
		t.Errorf("after the undo: %q", got)
	}
}

// What was removed can be brought back after a restart.
func TestUndoOfARemovalOutlivesARestart(t *testing.T) {
	known := lives(t, nil, nil, func(r *rig) {
		r.next(40)
		for _, c := range [][2]string{{"prompt", onSquare}, {"rename", `{"object":"cam-1","name":"ball"}`}, {"remove", `{"object":"cam-1"}`}} {
			if reply := r.do(c[0], c[1]); !reply.OK {
				t.Fatal(reply.Error)
			}
		}
	})
	if len(known.Objects) != 0 || len(known.Removals) != 1 {
		t.Fatalf("%d objects, %d removals", len(known.Objects), len(known.Removals))
	}
	lives(t, &known, nil, func(r *rig) {
		r.next(40)
		r.changed("undo", `{}`, "cam-1")
		for range 20 {
			r.next(40)
		}
		if e := r.diary.await(t, seg.ObjectRecovered); e.After.Name != "ball" || e.After.ID != 1 {
			t.Errorf("%+v", e.After)
		}
	})
}
