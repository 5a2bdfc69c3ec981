package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/testkit"
)

// TestAPulledModelIsFoundInTheConfiguredState keeps a model in the folder that the configuration names, not in the usual one.
func TestAPulledModelIsFoundInTheConfiguredState(t *testing.T) {
	testkit.Long(t)
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	state := t.TempDir()
	folder := filepath.Join(state, "models", "edgesam-3x")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, fixture := range map[string]string{"encoder.onnx": "sam/encoder.onnx", "decoder.onnx": "edgesam/decoder.onnx"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "inference", "testdata", "fixtures", filepath.FromSlash(fixture)))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, problem := said(t, "models", "check", "edgesam-3x"); !strings.Contains(problem, `model "edgesam-3x" is not on this machine yet: pull it first`) &&
		!strings.Contains(problem, onnx.ErrNoLibrary.Error()) {
		t.Errorf("in the usual folder: %s", problem)
	}
	args := []string{"models", "check", "--set", "agent.state=" + state, "--set", "model.provider=cpu", "edgesam-3x"}
	out, problem := said(t, append(args, "--json")...)
	if strings.Contains(problem, onnx.ErrNoLibrary.Error()) {
		t.Skipf("SKIPPED: %s", problem)
	}
	var r checkResult
	if err := json.Unmarshal(out, &r); err != nil || r.Family != "edgesam" || r.Disagrees != "" {
		t.Errorf("%s %s: %v", out, problem, err)
	}
	if out, problem = said(t, args...); !strings.HasSuffix(string(out), "\ncpu: as configured\n") {
		t.Errorf("it does not say why it runs there: %s %s", out, problem)
	}
}

// TestAPageIsNotPulled has a server that answers every request with a page, for a model whose publisher gives no hash, and then the files.
func TestAPageIsNotPulled(t *testing.T) {
	state, page := t.TempDir(), true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page {
			_, _ = w.Write([]byte("<!DOCTYPE html><html><body>Sign in</body></html>"))
			return
		}
		http.ServeFile(w, r, filepath.Join("..", "..", "inference", "testdata", "fixtures", "sam2", filepath.Base(r.URL.Path)))
	}))
	defer server.Close()
	args := []string{"models", "pull", "sam2-tiny", "--state", state, "--mirror", server.URL}
	if _, problem := said(t, args...); !strings.Contains(problem, "pull model sam2-tiny: encoder.onnx: from "+server.URL+"/sam2-tiny/encoder.onnx: ") ||
		!strings.Contains(problem, "not an ONNX model") {
		t.Errorf("%s", problem)
	}
	page = false
	if out, problem := said(t, args...); string(out) != "sam2-tiny is here: segedge run --state "+state+" --set model.name=sam2-tiny\n" {
		t.Errorf("%s %s", out, problem)
	}
}

// TestAFamilyIsSaidWhereTheFilesLeaveAChoice has SAM with an encoder that does not say what picture it takes.
func TestAFamilyIsSaidWhereTheFilesLeaveAChoice(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	encoder := filepath.Join(t.TempDir(), "encoder.onnx")
	graph := inferencetest.Model([]inference.Port{{Name: "images", Type: "float32"}}, []inference.Port{{Name: "image_embeddings", Type: "float32"}})
	if err := os.WriteFile(encoder, graph, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"models", "check", "--set", "model.provider=cpu", "--set", "model.encoder=" + encoder,
		"--set", "model.decoder=" + filepath.Join("..", "..", "inference", "testdata", "fixtures", "sam", "decoder.onnx")}
	_, problem := said(t, args...)
	if strings.Contains(problem, onnx.ErrNoLibrary.Error()) {
		t.Skipf("SKIPPED: %s", problem)
	}
	if !strings.Contains(problem, "fit the families sam, sam-raw: say which with model.family") {
		t.Errorf("%s", problem)
	}
	if _, problem = said(t, append(args, "--set", "model.family=sam")...); strings.Contains(problem, "say which") {
		t.Errorf("it was said: %s", problem) // what the graph then answers is another matter: it gives the picture back
	}
	if _, problem = said(t, append(args, "--set", "model.family=sum")...); !strings.Contains(problem, `unknown family "sum": there are segedge, sam`) {
		t.Errorf("%s", problem)
	}
}

// TestCropsGoWithEverything holds what a person may ask for together.
func TestCropsGoWithEverything(t *testing.T) {
	testkit.Long(t)
	for _, s := range []segmentCmd{{Crops: 1, Point: []string{"0.5,0.5"}}, {Crops: 3, Everything: true}, {Crops: -1, Everything: true}} {
		if _, err := s.prompt(); err == nil || !strings.Contains(err.Error(), "--crops is 1 or 2, and goes with --everything") {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for crops := range 3 {
		if _, err := (&segmentCmd{Crops: crops, Everything: true}).prompt(); err != nil {
			t.Errorf("%d: %v", crops, err)
		}
	}
}
