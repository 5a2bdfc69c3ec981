package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A recording whose process is killed can be played up to there, and its mask lines are those of its pictures.
func TestAKilledRecordingIsPlayable(t *testing.T) {
	probe := need(t, "ffprobe", "ffmpeg")
	dir := t.TempDir()
	r := start(t, "--out", dir+"/o.mp4", "--masks", dir+"/m.jsonl")
	timed := func() int {
		lines, _ := os.ReadFile(dir + "/m.jsonl")
		return bytes.Count(lines, []byte(`"time":`)) - bytes.Count(lines, []byte(`"time":0,`)) // all but the first
	}
	for end := time.Now().Add(patience); timed() < 20; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing is recorded")
		}
	}
	r.kill()
	out, err := exec.CommandContext(t.Context(), probe, "-v", "fatal", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", dir+"/o.mp4").Output()
	if err != nil {
		t.Fatal(err)
	}
	pictures, _ := strconv.Atoi(strings.TrimSpace(strings.Trim(string(out), ",\n")))
	if lines := timed() + 1; pictures < lines || pictures > lines+1 { // the kill may fall between the two
		t.Errorf("%d pictures, %d lines with a time", pictures, lines)
	}
	lines, _ := os.ReadFile(dir + "/m.jsonl")
	if !bytes.Contains(lines, []byte(`"id":"camera-1"`)) {
		t.Error("the objects are not called as on every door")
	}
}
