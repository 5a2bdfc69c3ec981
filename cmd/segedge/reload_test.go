package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/config"
)

// rewrite changes the agent's file, as an editor does.
func (l *live) rewrite(yaml string) {
	l.t.Helper()
	next := l.file + ".new"
	if err := os.WriteFile(next, []byte(yaml), 0o600); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Rename(next, l.file); err != nil {
		l.t.Fatal(err)
	}
}

func (l *live) cameras() []string {
	var list struct{ Cameras []string }
	_ = json.Unmarshal([]byte(l.get("api/v1/cameras")), &list)
	return list.Cameras
}

// A changed file is made true without touching what did not change: cameras come, go and change, zones and prompts too; what needs a
// restart is named, and a wrong file changes nothing.
func TestAChangedFileIsMadeTrue(t *testing.T) {
	const kept = "cameras:\n- name: kept\n  source: synthetic\n  width: 320\n  height: 240\n  fps: 8\n  prompts: [\"point:0.2,0.5\"]\n"
	l := startAgent(t, kept+"- name: gone\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4\n- name: other\n  source: synthetic\n  width: 320\n  height: 240\n")
	l.until("they run", func() bool {
		return l.state("kept").Objects == 1 && l.state("gone").State == api.Running && l.state("other").Width == 320
	})
	l.until("the kept one has seen a few frames", func() bool { return l.state("kept").Processed > 5 })

	l.rewrite("cameras: nonsense\n")
	l.until("the wrong file is told", func() bool { return strings.Contains(l.log.String(), "nothing changes") })

	changed := strings.Replace(kept, "prompts: [", "zones: [{name: gate, points: [[0, 0], [1, 0], [1, 1]]}]\n  prompts: [\"point:0.6,0.5\", ", 1)
	before := l.state("kept").Processed
	l.rewrite(changed + "- name: other\n  source: synthetic\n  width: 160\n  height: 120\n- name: fresh\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4\nlog:\n  level: warn\nvideo:\n  bitrate: 1000000\n")
	l.until("the new one runs", func() bool { return l.state("fresh").State == api.Running })
	l.until("the changed one is as it is to be", func() bool { return l.state("other").Width == 160 })
	l.until("the zone is drawn and the prompt asked", func() bool {
		s := l.state("kept")
		return len(s.Zones) == 1 && s.Zones[0].Name == "gate" && s.Objects == 2
	})
	l.until("the list is in order", func() bool { return slices.Equal(l.cameras(), []string{"kept", "other", "fresh"}) })
	if s := l.state("kept"); s.Processed < before {
		t.Error("the camera that did not change began anew")
	}
	if text := l.log.String(); !strings.Contains(text, `need a restart to become true" settings=video.bitrate`) || strings.Contains(text, "cameras.kept.source") {
		t.Error("what needs a restart is named")
	}
	l.rewrite(kept + "log:\n  level: warn\nvideo:\n  bitrate: 1000000\n")
	l.until("one is left", func() bool { return slices.Equal(l.cameras(), []string{"kept"}) && len(l.state("kept").Zones) == 0 })
	if s := l.state("kept"); s.Objects != 2 || s.State != api.Running {
		t.Errorf("%+v", s)
	}
}

// The last camera may be exchanged for another, and its name stay.
func TestTheOnlyCameraIsChanged(t *testing.T) {
	l := startAgent(t, "cameras:\n- name: a\n  source: synthetic\n  width: 320\n  height: 240\n")
	l.until("it runs", func() bool { return l.state("a").Width == 320 })
	l.rewrite("cameras:\n- name: b\n  source: synthetic\n  width: 320\n  height: 240\n")
	l.until("the other runs", func() bool { return l.state("b").State == api.Running && slices.Equal(l.cameras(), []string{"b"}) })
}

func TestDifferencesOfShapes(t *testing.T) {
	p := [][2]float64{{0, 0}, {1, 0}, {1, 1}}
	q := [][2]float64{{0, 0}, {1, 0}, {0, 1}}
	old := []config.Shape{{Name: "same", Points: p}, {Name: "moved", Points: p}, {Name: "gone", Points: p}}
	next := []config.Shape{{Name: "same", Points: p}, {Name: "moved", Points: q}, {Name: "new", Points: q}}
	var got []string
	for _, s := range differences(old, next) {
		got = append(got, s.Name)
		if (s.Name == "gone") != (s.Points == nil) {
			t.Errorf("%+v", s)
		}
	}
	if !slices.Equal(got, []string{"gone", "moved", "new"}) {
		t.Errorf("%v", got)
	}
}
