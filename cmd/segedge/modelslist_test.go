package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/inference/store"
	"github.com/segedge/segedge/testkit"
)

// ownFolders is a state folder with folders of one's own: an image model, a video model, something else, and a download that was cut off.
func ownFolders(t *testing.T) string {
	t.Helper()
	state := t.TempDir()
	fixtures, err := filepath.Abs(filepath.Join("..", "..", "inference", "testdata", "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	video, err := filepath.Abs(videoFixture)
	if err != nil {
		t.Fatal(err)
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{state, "models"}, parts...)...) }
	for _, name := range []string{"mine", "odd", "empty", "mobilesam", "sam2-tiny", "nanosam", "default"} {
		if err := os.MkdirAll(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		at("mine", "encoder.onnx"): fixtures + "/sam/encoder.onnx", at("mine", "decoder.onnx"): fixtures + "/edgesam/decoder.onnx",
		at("filmed"): video, at("default", "x.onnx"): fixtures + "/sam/encoder.onnx", at("sam2-tiny", "x.onnx"): fixtures + "/efficientsam-single/model.onnx",
		at("nanosam", "decoder.onnx"): fixtures + "/nanosam/decoder.onnx", at("nanosam", "mine.onnx"): fixtures + "/nanosam/encoder-512.onnx",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{at("odd", "x.onnx"), at("empty", "sam.pt"), at("mobilesam", "encoder.onnx"), at("readme.onnx")} {
		if err := os.WriteFile(name, []byte("abc"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return state
}

// TestTheListShowsOnesOwnFolders: each with its family, and in columns that no long licence moves.
func TestTheListShowsOnesOwnFolders(t *testing.T) {
	t.Parallel()
	state := ownFolders(t)
	out, problem := said(t, "models", "list", "--state", state)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	about := strings.Index(lines[0], "what it is")
	for _, line := range lines[1:] {
		if len(line) <= about || line[about] == ' ' || line[about-2:about] != "  " {
			t.Errorf("the last column of %q does not begin at %d", line, about)
		}
	}
	var list []store.Status
	asJSON, _ := said(t, "models", "list", "--json", "--state", state)
	if err := json.Unmarshal(asJSON, &list); err != nil || problem != "" {
		t.Fatalf("%s: %v, %s", asJSON, err, problem)
	}
	want := map[string]string{"mine": "edgesam", "filmed": "sam2-video", "odd": "?", "sam2-tiny": "efficientsam-single", "nanosam": "nanosam"}
	for _, m := range list {
		if !m.Own {
			continue
		}
		if family, ok := want[m.Name]; !ok || m.Family != family || !m.Have || m.Disk == 0 || len(m.Files) == 0 {
			t.Errorf("%+v", m)
		}
		delete(want, m.Name)
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, m.Name+" ") && strings.Contains(l, " yes ") }) {
			t.Errorf("no line of %s in\n%s", m.Name, out)
		}
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
}

// TestACommandNamesWhatIsHere: a name that the list shows as not here is to be pulled first, also where a download was cut off.
func TestACommandNamesWhatIsHere(t *testing.T) {
	t.Parallel()
	state := ownFolders(t)
	for name, want := range map[string]string{
		"mine": "", "odd": "", "sam2-tiny": "", "nanosam": "", "default": "", "segedge-tiny": "",
		"mobilesam":       `model "mobilesam" is not on this machine yet: pull it first, segedge models pull --state ` + state + " mobilesam",
		"efficientsam-ti": "pull it first", "nobody": "is neither default nor a model of this machine", ".": "neither default", "../models/mine": "is a path",
	} {
		if err := listed(name, state); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, problem := said(t, "models", "check", "--state", state, "efficientsam-ti"); !strings.Contains(problem, "pull it first") &&
		!strings.Contains(problem, onnx.ErrNoLibrary.Error()) {
		t.Errorf("check: %s", problem)
	}
}

// TestCheckAndInspectFindOnesOwn: by name in the state folder that is given, image and video models.
func TestCheckAndInspectFindOnesOwn(t *testing.T) {
	testkit.Long(t)
	state := ownFolders(t)
	for name, family := range map[string]string{"mine": `"family":"edgesam"`, "filmed": `"family":"sam2-video"`} {
		out, problem := said(t, "models", "inspect", "--json", "--state", state, name)
		if !strings.Contains(string(out), family) {
			t.Errorf("inspect %s: %s %s", name, out, problem)
		}
		out, problem = said(t, "models", "check", "--json", "--set", "model.provider=cpu", "--state", state, name)
		if !strings.Contains(string(out), name) || problem != "" && !strings.Contains(problem, onnx.ErrNoLibrary.Error()) {
			t.Errorf("check %s: %s %s", name, out, problem)
		}
	}
}
