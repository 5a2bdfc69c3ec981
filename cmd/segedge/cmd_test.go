package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/testkit"
)

func TestPromptsAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"point:0.5,0.25":   "point",
		"point:0.5,0.25,1": "point",
		"box:0,0,0.5,1":    "box",
		"text:a red cup":   `text "a red cup"`,
	} {
		r, err := parsePrompt(text)
		if err != nil || r.Prompt.Summary() != want {
			t.Errorf("%s: %q, %v", text, r.Prompt.Summary(), err)
		}
	}
	if r, _ := parsePrompt("text:a red cup"); r.Name != "a red cup" {
		t.Errorf("an object is named by its phrase, not %q", r.Name)
	}
	for _, text := range []string{"", "point", "point:", "point:0.5", "point:a,b", "point:2,0", "point:0.5,0.5,7", "point:0.5,0.5,0", "box:0,0,1", "box:1,1,0,0", "text:", "follow: ", "disc:1"} {
		if _, _, err := parsePrompts([]string{text}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What is to be looked for again and again is told from what is asked once.
func TestPromptsThatAreFollowed(t *testing.T) {
	once, follow, err := parsePrompts([]string{"text:a dog", "follow:dog", "text:Every person in zone yard", "point:0.5,0.5"})
	if err != nil || len(once) != 2 || len(follow) != 2 {
		t.Fatalf("%+v, %+v, %v", once, follow, err)
	}
	if w := follow[0]; w.Text != "dog" || w.Zones != nil {
		t.Errorf("%+v", w)
	}
	if w := follow[1]; w.Text != "Every person" || !slices.Equal(w.Zones, []string{"yard"}) {
		t.Errorf("%+v", w)
	}
}

func TestAddressesAreWhatAPersonTypes(t *testing.T) {
	got := addresses("http", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, "")
	if len(got) != 1 || got[0] != "http://127.0.0.1:8080/" {
		t.Errorf("%v", got)
	}
	if page := reachable(got); page != "" {
		t.Errorf("%s for somebody else", page)
	}
	if page := reachable([]string{"http://localhost:80/", "http://[::1]:80/", "https://192.168.1.5:80/", "http://10.0.0.1/"}); page != "https://192.168.1.5:80/" {
		t.Errorf("%s for somebody else", page)
	}
	got = addresses("http", &net.TCPAddr{IP: net.IPv6unspecified, Port: 80}, "secret")
	if got[0] != "http://localhost:80/?token=secret" {
		t.Errorf("%v", got)
	}
	for addr, want := range map[string]bool{"127.0.0.1:1": true, "localhost:1": true, "[::1]:1": true, ":1": false, "0.0.0.0:1": false, "10.0.0.1:1": false, "nonsense": false} {
		if loopback(addr) != want {
			t.Errorf("loopback(%q) is not %v", addr, want)
		}
	}
}

func TestStateIsLockedAndTheTokenKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	lock, err := lockState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockState(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second agent: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	first, err := keptToken(dir)
	if err != nil || len(first) < 16 {
		t.Fatalf("%q, %v", first, err)
	}
	if second, _ := keptToken(dir); second != first {
		t.Error("the token must be kept")
	}
	if st, err := os.Stat(filepath.Join(dir, "token")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

func TestStateFolderComesFromWhoStarts(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "")
	t.Setenv("XDG_STATE_HOME", "/xdg")
	for _, c := range []struct{ given, systemd, want string }{{"/a", "/b", "/a"}, {"", "/b:/c", "/b"}, {"", "", "/xdg/segedge"}} {
		t.Setenv("STATE_DIRECTORY", c.systemd)
		if got, err := stateDir(c.given); err != nil || got != c.want {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}

func TestModelFilesAreFound(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	dir := t.TempDir()
	for _, name := range []string{"a.onnx", "b.onnx"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		model config.Model
		files int
	}{
		{config.Model{Name: "default"}, 2}, {config.Model{}, 2}, {config.Model{Name: dir}, 2}, {config.Model{Name: dir + "/a.onnx"}, 1},
		{config.Model{Encoder: "e.onnx", Decoder: "d.onnx"}, 2},
	} {
		if name, files, err := modelFiles(c.model, ""); err != nil || len(files) != c.files || name == "" {
			t.Errorf("%+v: %q %v %v", c.model, name, files, err)
		}
	}
	for _, name := range []string{t.TempDir(), "/none", "mobilesam"} {
		if _, _, err := modelFiles(config.Model{Name: name}, ""); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatAFlagChanges(t *testing.T) {
	r := &runCmd{Source: "clip.mp4", Loop: true, Listen: ":9", Prompt: []string{"point:0.1,0.1"}}
	c, err := r.configure()
	if err != nil {
		t.Fatal(err)
	}
	if cam := c.Cameras[0]; cam.Source != "clip.mp4" || !cam.Loop || len(cam.Prompts) != 1 || c.HTTP.Listen != ":9" {
		t.Errorf("%+v", c)
	}
	if c, err = (&runCmd{}).configure(); err != nil || len(c.Cameras[0].Prompts) != 4 {
		t.Errorf("the built-in scene has something followed from the start: %+v, %v", c.Cameras, err)
	}
	if _, err := (&runCmd{Prompt: []string{"nonsense"}}).configure(); err == nil {
		t.Error("a prompt that makes no sense is told before anything starts")
	}
}

func TestHelpAndMistakes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		said string
	}{
		{[]string{"version"}, 0, "segedge"},
		{[]string{"--help"}, 0, "doctor"},
		{nil, 0, "doctor"},
		{[]string{"dance"}, 2, "dance"},
		{[]string{"config", "default"}, 0, "cameras:"},
		{[]string{"config", "check"}, 0, "fine"},
		{[]string{"config", "check", "--set", "log.level=loud"}, 1, "loud"},
		{[]string{"schema"}, 0, "$defs"},
		{[]string{"models", "list", "--state", t.TempDir()}, 0, "segedge-tiny"},
		{[]string{"models", "pull", "none", "--state", t.TempDir()}, 1, "none"},
		{[]string{"models", "inspect", "/none.onnx"}, 1, "none.onnx"},
	} {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), c.args, &out, &errs); code != c.code || !strings.Contains(out.String()+errs.String(), c.said) {
			t.Errorf("%v: exit code %d, %s%s", c.args, code, out.String(), errs.String())
		}
	}
}

// A pipeline that is none, and a camera that this machine cannot have, end doctor with a sentence each.
func TestDoctorOfCamerasThatAreNone(t *testing.T) {
	testkit.Long(t)
	for source, want := range map[string]string{"gst: nonsense ! foo": `no element "nonsense"`, "csi:0": "it needs a Jetson"} {
		var out bytes.Buffer
		if code := execute(t.Context(), []string{"doctor", "--source", source}, &out, &out); code == 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%s ends with %d: %s", source, code, &out)
		}
	}
}
