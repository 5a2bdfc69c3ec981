package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/testkit"
)

// Real clips, one after the other through the whole agent: every one is read, followed, painted and encoded. Whether the
// frame rate is kept is for `segedge run --summary` to say on a machine that does nothing else; it is no assertion.
func TestRealClips(t *testing.T) {
	clips, err := filepath.Glob(filepath.Join(testkit.Shared(t, "data", "clips"), "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, clip := range clips {
		if ext := filepath.Ext(clip); ext != ".mp4" && ext != ".avi" {
			continue
		}
		ran++
		t.Run(filepath.Base(clip), func(t *testing.T) {
			dir := t.TempDir()
			code, _, stderr := call(t, "run", "--state", dir, "--listen", "127.0.0.1:0", "--source", clip, "--prompt", "point:0.5,0.5",
				"--duration", "3s", "--summary", dir+"/s.json", "--out", dir+"/o.mp4")
			if code != 0 {
				t.Fatal(stderr)
			}
			data, err := os.ReadFile(dir + "/s.json")
			if err != nil {
				t.Fatal(err)
			}
			var s struct {
				Frames    struct{ Captured, Processed, Dropped uint64 }
				FPS       float64
				Keyframes uint64
			}
			if err := json.Unmarshal(data, &s); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d frames, %d dropped, %.1f a second, %d keyframes", s.Frames.Captured, s.Frames.Dropped, s.FPS, s.Keyframes)
			if s.Frames.Processed == 0 || s.Keyframes == 0 {
				t.Errorf("%s", data)
			}
			playable(t, dir+"/o.mp4")
		})
	}
	if ran < 5 {
		t.Errorf("only %d clips were found", ran)
	}
}

func TestHTTPDoor(t *testing.T) {
	r := start(t, "--set", "cameras.0.width=640", "--set", "cameras.0.height=360", "--prompt", "point:0.5,0.99")
	r.await("frames", func(s state) bool { return s.Processed > 3 })
	if status, reply := r.post("prompt", `{"id":"h","points":[{"x":0.4,"y":0.5,"label":1}]}`); status != http.StatusOK || reply["ok"] != true || reply["id"] != "h" {
		t.Errorf("%d %v", status, reply)
	}
	if status, reply := r.post("prompt", `{"points":[{"x":4,"y":0.5,"label":1}]}`); status != http.StatusUnprocessableEntity || reply["ok"] != false {
		t.Errorf("%d %v", status, reply)
	}
	resp, err := http.Get(r.page + "metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text := make([]byte, 1<<20)
	n, _ := resp.Body.Read(text)
	if !strings.Contains(string(text[:n]), "segedge_") {
		t.Errorf("metrics: %.200s", text[:n])
	}
	for _, path := range []string{"healthz", "readyz"} {
		resp, err := http.Get(r.page + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s answered %s", path, resp.Status)
		}
	}
}
