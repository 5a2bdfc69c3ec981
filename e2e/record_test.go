package e2e

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

type clip struct {
	Name      string
	Bytes     int64
	Recording bool
	Event     string
}

func (r *running) clips() (list []clip) {
	var doc struct{ Clips []clip }
	r.get("api/v1/cameras/camera/clips", &doc)
	return doc.Clips
}

// pictures counts those that a player gets out of a file or an address.
func pictures(t *testing.T, probe, file string) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), probe, "-v", "fatal", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	n, _ := strconv.Atoi(strings.TrimSpace(strings.Trim(string(out), ",\n")))
	return n
}

// A clip is recorded by command, once by its id, with what was before, and read over HTTP; one that a kill interrupts plays up to there.
func TestClipsSurviveAKill(t *testing.T) {
	probe := need(t, "ffprobe", "ffmpeg")
	dir := t.TempDir()
	r := start(t, "--set", "clips.folder="+dir, "--set", "clips.pre_roll=2s", "--set", "cameras.0.width=320", "--set", "cameras.0.height=180")
	first := r.await("frames", func(s state) bool { return s.Processed > 60 })
	status, reply := r.post("record", `{"id":"1","action":"around","seconds":1}`)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, reply)
	}
	if _, again := r.post("record", `{"id":"1","action":"around","seconds":1}`); again["result"].(map[string]any)["name"] != reply["result"].(map[string]any)["name"] {
		t.Errorf("the same id twice: %v, then %v", reply, again)
	}
	r.await("more frames", func(s state) bool { return s.Processed > first.Processed+60 })
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if list := r.clips(); len(list) == 1 && !list[0].Recording {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", r.clips())
		}
	}
	if n := pictures(t, probe, r.page+"api/v1/cameras/camera/clips/"+r.clips()[0].Name); n < 10 {
		t.Errorf("%d pictures of three seconds", n)
	}
	if status, reply := r.post("record", `{"action":"start"}`); status != http.StatusOK {
		t.Fatalf("%d %v", status, reply)
	}
	if status, reply := r.post("record", `{"action":"start"}`); status != http.StatusConflict {
		t.Errorf("a second start: %d %v", status, reply)
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if list := r.clips(); len(list) == 2 && list[0].Recording && list[0].Bytes > 100_000 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", r.clips())
		}
	}
	r.kill()
	files, err := filepath.Glob(filepath.Join(dir, "camera", "*.mp4"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if n := pictures(t, probe, f); n < 10 {
			t.Errorf("%s: %d pictures", f, n)
		}
	}
}
