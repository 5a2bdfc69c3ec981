package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/segedge/segedge/agent"
	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/zones"
)

// What a program before this one wrote down (testdata/known-1.state, of the camera below) is understood: the object is there again. What is
// damaged, or of a program to come, is set aside with a sentence, and the agent begins without it.
func TestWhatEarlierProgramsKnew(t *testing.T) {
	testkit.Long(t)
	before, err := os.ReadFile("testdata/known-1.state")
	if err != nil {
		t.Fatal(err)
	}
	const camera = "cameras:\n- {name: cam, source: \"synthetic:calm\", width: 160, height: 120, fps: 8, prompts: [\"point:0.2,0.5\"]}\n"
	damaged := bytes.Clone(before)
	damaged[len(damaged)-100] ^= 1
	for name, c := range map[string]struct {
		file []byte
		want string // in the log
	}{
		"of an earlier program": {before, ""}, "damaged": {damaged, "it is damaged"}, "cut off": {before[:len(before)/2], "it is damaged"}, "empty": {nil, "it is no state of segedge"},
		"of a program to come": {bytes.Replace(before, []byte(`"version":1`), []byte(`"version":9`), 1), "it is of version 9, and this program knows up to"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "known.state"), c.file, 0o600); err != nil {
				t.Fatal(err)
			}
			l := startAgent(t, camera, "--state", folder)
			l.until("the object", func() bool { return l.state("cam").Objects == 1 })
			aside, _ := filepath.Glob(filepath.Join(folder, "known.state.aside-*"))
			if c.want == "" {
				l.until("it is where it was", func() bool {
					return strings.Contains(l.get("api/v1/cameras/cam/objects"), `"state":"`+seg.Tracking.String())
				})
				if list := l.get("api/v1/cameras/cam/objects"); !strings.Contains(list, `"id":"cam-1"`) || len(aside) > 0 || strings.Contains(l.log.String(), "set aside") {
					t.Errorf("set aside: %v; %s", aside, list)
				}
				return
			}
			kept, err := os.ReadFile(strings.Join(aside, ""))
			if err != nil || !bytes.Equal(kept, c.file) || !strings.Contains(l.log.String(), c.want) {
				t.Errorf("%v is set aside, %v", aside, err)
			}
		})
	}
}

// Version 1 had maps by name, and not how zones were drawn.
func TestVersionOneIsMigrated(t *testing.T) {
	folder := t.TempDir()
	k := known1{Standing: map[string]seg.ID{"b": 2, "a": 1}, Zones: []api.Zone{{Name: "hall"}}, Lines: []api.Line{{Name: "curb"}}}
	k.Borders.Counts = zones.Counts{Zones: map[string]zones.Visits{"hall": {Entered: 2, Left: 1}}, Lines: map[string]zones.Crossings{"curb": {Left: 3}}}
	k.Borders.Inside = []zones.Presence{{ID: 1, Zone: "hall"}}
	old := knownFile(folder, slog.New(slog.DiscardHandler))
	old.Version = 1
	if err := old.Save(map[string]known1{"cam": k, "attic": {}}); err != nil {
		t.Fatal(err)
	}
	var got []agent.Known
	if found, err := knownFile(folder, slog.New(slog.DiscardHandler)).Load(&got); !found || err != nil {
		t.Fatal(found, err)
	}
	want := []agent.Known{{Camera: "attic"}, {
		Camera: "cam", Standing: []agent.Met{{Prompt: "a", Object: 1}, {Prompt: "b", Object: 2}}, Zones: k.Zones, Lines: k.Lines,
		Borders: zones.Saved{
			Zones: []zones.SavedZone{{Name: "hall", Visits: zones.Visits{Entered: 2, Left: 1}}},
			Lines: []zones.SavedLine{{Name: "curb", Crossings: zones.Crossings{Left: 3}}}, Inside: k.Borders.Inside,
		},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// gob writes maps in an order of chance: with one in it what is the same would be written again and again.
func TestWhatIsKnownHasNoMaps(t *testing.T) {
	var look func(path string, of reflect.Type)
	seen := map[reflect.Type]bool{}
	look = func(path string, of reflect.Type) {
		if seen[of] {
			return
		}
		seen[of] = true
		switch of.Kind() {
		case reflect.Map:
			t.Errorf("%s is a map", path)
		case reflect.Slice, reflect.Array, reflect.Pointer:
			look(path, of.Elem())
		case reflect.Struct:
			for f := range of.Fields() {
				look(path+"."+f.Name, f.Type)
			}
		}
	}
	look("known", reflect.TypeFor[[]agent.Known]())
}
