package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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

// What could not be made true is tried again at the next change, and told again.
func TestWhatFailedIsTriedAgain(t *testing.T) {
	const kept = "cameras:\n- name: a\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 8\n  prompts: [\"point:0.2,0.5\"%s]\n"
	l := startAgent(t, fmt.Sprintf(kept, ""), "--set", "grounding.model=none") // no file tells whether the model takes phrases
	l.until("it runs", func() bool { return l.state("a").Processed > 0 })
	failures := func() int { return strings.Count(l.log.String(), "a part of the configuration is not changed to") }
	l.rewrite(fmt.Sprintf(kept, `, "text:xyzzy"`))
	l.until("the prompt that nothing understands is told", func() bool { return failures() == 1 })
	l.rewrite(fmt.Sprintf(kept, `, "text:xyzzy"`) + "# again\n")
	l.until("it is told again", func() bool { return failures() == 2 || strings.Contains(l.log.String(), "nothing in it is new") })
	if failures() != 2 {
		t.Error("what failed was not tried again")
	}
}

// A token that the agent made is no change of the file.
func TestAMadeTokenNeedsNoRestart(t *testing.T) {
	b := builder{run: &runCmd{madeToken: true}, live: config.Default()}
	b.live.HTTP.Token = "0123456789abcdef0123"
	b.newest.Store(&b.live.Model)
	for token, want := range map[string][]string{"": {}, "another-0123456789": {"http.token"}} {
		c := change{b: &b, ctx: t.Context(), next: config.Default(), got: api.ConfigResult{Changed: []string{}, Restart: []string{}}}
		c.next.HTTP.Token = token
		c.settings()
		if !slices.Equal(c.got.Restart, want) || len(c.got.Changed) > 0 || c.err() != nil {
			t.Errorf("%q: %+v, %v", token, c.got, c.err())
		}
	}
}

// A shape whose change failed is as it was; the others are as they are to be.
func TestShapesThatFailStay(t *testing.T) {
	p := [][2]float64{{0, 0}, {1, 0}, {1, 1}}
	q := [][2]float64{{0, 0}, {1, 0}, {0, 1}}
	old := []config.Shape{{Name: "same", Points: p}, {Name: "moved", Points: p}, {Name: "gone", Points: p}}
	next := []config.Shape{{Name: "same", Points: p}, {Name: "moved", Points: q}, {Name: "new", Points: q}, {Name: "fine", Points: q}}
	c := change{}
	now := c.shapes("zones.", old, next, func(s config.Shape) error {
		if s.Name == "fine" {
			return nil
		}
		return errors.New("too many")
	})
	var again []string
	for _, s := range differences(now, next) {
		again = append(again, s.Name)
	}
	if !slices.Equal(again, []string{"gone", "moved", "new"}) || !slices.Equal(c.got.Changed, []string{"zones.fine"}) || len(next) != 4 {
		t.Errorf("%v, changed %v", again, c.got.Changed)
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

// command sends one over HTTP.
func (l *live) command(camera, verb, body string) (r api.Reply) {
	l.t.Helper()
	res, err := http.Post(l.page+"api/v1/cameras/"+camera+"/"+verb, "application/json", strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&r); err != nil {
		l.t.Fatal(err)
	}
	return r
}

// The command config writes into the file, keeps its comments, makes it true, names what needs a restart, and leaves the file alone where it
// is refused.
func TestConfigIsChangedByCommand(t *testing.T) {
	const yaml = "# my box\ncameras:\n- name: a # the door\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4 # slow\n"
	l := startAgent(t, yaml)
	l.until("it runs", func() bool { return l.state("a").State == api.Running })
	for body, want := range map[string]string{
		`{"set":{"cameras.a.source":"/etc/passwd"}}`: "change it in the file", `{"set":{"http.token":"0123456789abcdefg"}}`: "change it in the file",
		`{"set":{}}`: "0 settings", `{"set":{"cameras.a.fps":"many"}}`: "no whole number", `{"set":{"cameras.a.fps":-1}}`: "not within",
		`{"set":{"model.name":"/x"}}`: "is a path", `{"set":{"cameras.b.fps":1}}`: "cameras.b", `{"set":{"model.name":"none"}}`: "neither default",
		`{"set":{"cameras.a.privacy":[]}}`: "change it in the file", `{"set":{"model.name":"reload_test.go"}}`: "neither default",
		`{"set":{"model.name":".."}}`: "neither default", `{"set":{"cameras.a.b.source":"x"}}`: "change it in the file",
	} {
		if r := l.command("a", "config", body); r.OK || !strings.Contains(r.Error.Message, want) {
			t.Errorf("%s: %+v, want %q", body, r.Error, want)
		}
	}
	if data, _ := os.ReadFile(l.file); string(data) != yaml {
		t.Errorf("a refused command changed the file:\n%s", data)
	}
	r := l.command("a", "config", `{"set":{"cameras.a.fps":8,"cameras.a.zones":[{"name":"gate","points":[[0,0],[1,0],[1,1]]}],"log.level":"debug","video.bitrate":400000}}`)
	result, _ := json.Marshal(r.Result)
	if !r.OK || string(result) != `{"changed":["log.level","cameras.a"],"restart":["video.bitrate"]}` {
		t.Errorf("%+v %s", r.Error, result)
	}
	data, _ := os.ReadFile(l.file)
	for _, want := range []string{"# my box\n", "name: a # the door\n", "fps: 8 # slow\n", `zones: [{"name":"gate"`, "log:\n  level: \"debug\"\n", "bitrate: 400000\n"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the file lacks %q:\n%s", want, data)
		}
	}
	l.until("the zone is drawn", func() bool { return len(l.state("a").Zones) == 1 })
	if st, err := os.Stat(l.file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// A camera's name may have dots in it, and a model is none of the files that lie about.
func TestNamesOfCommands(t *testing.T) {
	l := startAgent(t, "cameras:\n- name: front.door\n  source: synthetic\n  width: 160\n  height: 120\n  fps: 4\n")
	l.until("it runs", func() bool { return l.state("front.door").State == api.Running })
	if r := l.command("front.door", "config", `{"set":{"cameras.front.door.fps":8}}`); !r.OK {
		t.Errorf("%+v", r.Error)
	}
	if data, _ := os.ReadFile(l.file); !strings.Contains(string(data), "fps: 8") {
		t.Errorf("%s", data)
	}
	for _, name := range []string{"..", ".", "testdata", "main.go"} {
		r := l.command("front.door", "model", fmt.Sprintf(`{"name":%q}`, name))
		if r.OK || r.Error.Code != api.BadRequest || !strings.Contains(r.Error.Message, "neither default") {
			t.Errorf("model %s: %+v", name, r.Error)
		}
	}
}

// A configuration that is a link to another file is changed there, and what the command line has replaced is not changed in the file.
func TestConfigIsChangedWhereItIs(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "managed.yaml"), filepath.Join(dir, "segedge.yaml")
	if err := errors.Join(os.WriteFile(file, []byte("log:\n  level: info # quiet\n"), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	b := &builder{run: &runCmd{settings: settings{Config: link}}}
	if _, err := b.write(map[string]string{"log.level": "debug"}); err != nil {
		t.Fatal(err)
	}
	st, err := os.Lstat(link)
	if err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link any more: %v, %v", st, err)
	}
	if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), "level: debug # quiet") {
		t.Errorf("%v\n%s", err, data)
	}
	b.run.Source = "synthetic"
	if b.changeable("cameras.camera.fps") == nil {
		t.Error("the camera of the command line is changed in the file")
	}
}
