package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// Every frame of two seconds of the built-in scene is in the picture and in the masks, under one number, whatever the machine is.
func TestOfflineLeavesEveryFrame(t *testing.T) {
	testkit.Long(t)
	dir := t.TempDir()
	t.Setenv("STATE_DIRECTORY", dir)
	movie, masks, result := filepath.Join(dir, "o.mp4"), filepath.Join(dir, "o.jsonl"), filepath.Join(dir, "o.json")
	var out, errs bytes.Buffer
	code := execute(t.Context(), []string{
		"run", "--offline", "--source", "synthetic", "--duration", "2s", "--out", movie, "--masks", masks, "--summary", result,
		"--set", "model.provider=cpu", "--set", "model.input=320",
	}, &out, &errs)
	if strings.Contains(errs.String(), onnx.ErrNoLibrary.Error()) {
		t.Skipf("SKIPPED: %s", errs.String())
	}
	if code != 0 || !strings.Contains(out.String(), "60 frames, ") {
		t.Fatalf("%d: %s%s", code, out.String(), errs.String())
	}
	lines := bytes.Split(bytes.TrimSpace(read(t, masks)), []byte("\n"))
	if len(lines) != 60 {
		t.Fatalf("%d lines", len(lines))
	}
	var time float64
	for i, line := range lines {
		var doc struct {
			Frame   seg.FrameRef
			Time    *float64
			Objects []struct{ ID string }
		}
		if err := json.Unmarshal(line, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.Frame.Seq != uint64(i+1) || doc.Time == nil || i > 0 && *doc.Time <= time {
			t.Fatalf("line %d: %s", i+1, line[:80])
		}
		time = *doc.Time
		if len(doc.Objects) == 0 || !strings.HasPrefix(doc.Objects[0].ID, "camera-") {
			t.Errorf("line %d: %d objects", i+1, len(doc.Objects))
		}
	}
	var s summary
	if err := json.Unmarshal(read(t, result), &s); err != nil || s.Frames != (summaryFrames{60, 60, 0}) || len(s.Objects) == 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if !bytes.Contains(read(t, movie), []byte("ftyp")) {
		t.Error("no picture")
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOfflineRefusesWhatNeedsAClock(t *testing.T) {
	testkit.Long(t)
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	file := filepath.Join(t.TempDir(), "two.yaml")
	if err := os.WriteFile(file, []byte("cameras:\n  - {name: a, source: synthetic}\n  - {name: b, source: synthetic}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"two cameras|2 cameras":     {"--config", file, "--out", "x.mp4"},
		"for ever|leave --loop out": {"--source", "synthetic", "--loop", "--duration", "1s", "--out", "x.mp4"},
		"no end|give --duration":    {"--source", "synthetic", "--out", "x.mp4"},
		"no files|--out FILE.mp4":   {"--source", "synthetic", "--duration", "1s"},
		"follow|write text:PHRASE":  {"--source", "synthetic", "--duration", "1s", "--out", "x.mp4", "--prompt", "follow:dog"},
		"a page|leave --listen":     {"--source", "synthetic", "--duration", "1s", "--out", "x.mp4", "--listen", ":8080"},
		"a state|leave --state":     {"--source", "synthetic", "--duration", "1s", "--out", "x.mp4", "--state", "here"},
		"a provider|runs on cpu":    {"--source", "synthetic", "--duration", "1s", "--masks", os.DevNull, "--require-provider", "cuda", "--set", "model.provider=cpu"},
		"no words|grounding.model":  {"--source", "synthetic", "--duration", "1s", "--masks", os.DevNull, "--prompt", "text:dog", "--set", "grounding.model=none"},
		"no folder|no such file":    {"--source", "synthetic", "--duration", "1s", "--out", "/nowhere/x.mp4"},
	} {
		name, says, _ := strings.Cut(want, "|")
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := execute(t.Context(), append([]string{"run", "--offline"}, args...), &out, &errs)
			if strings.Contains(errs.String(), onnx.ErrNoLibrary.Error()) {
				t.Skipf("SKIPPED: %s", errs.String())
			}
			if code == 0 || !strings.Contains(errs.String(), says) {
				t.Errorf("%d: %s", code, errs.String())
			}
		})
	}
}
