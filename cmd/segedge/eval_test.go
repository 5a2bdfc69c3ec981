package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/eval"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/onnx"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/tracker"
)

// command runs the program in this process; the test is skipped where there is no ONNX Runtime.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = execute(t.Context(), args, &out, &errs)
	if strings.Contains(errs.String(), onnx.ErrNoLibrary.Error()) {
		t.Skipf("SKIPPED, no command with a model was tested: %s", errs.String())
	}
	return code, out.String(), errs.String()
}

// moving is a DAVIS folder of one sequence: a bright disc that moves to the right over a dark ramp.
func moving(t *testing.T, frames int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range frames {
		f, l := frame.New(160, 96), &dataset.Labels{W: 160, H: 96, Pix: make([]uint32, 160*96)}
		for k := range l.Pix {
			x, y := k%160, k/160
			c := []byte{byte(20 + x/4), byte(30 + y/4), 25}
			if dx, dy := x-50-3*i, y-48; dx*dx+dy*dy < 24*24 {
				c, l.Pix[k] = []byte{40, byte(60 + x%9), 230}, 1
			}
			copy(f.Pix[3*k:], c)
		}
		if err := dataset.WriteDAVIS(dir, "disc", i, f, l); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readJSON[T any](t *testing.T, path string) (v T) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

type videoJSON struct {
	Method, Model, Prompt string
	Input                 int
	FPS                   float64
	Mean                  map[string]float64
	Sequences             map[string]struct {
		J, F, JF float64
		FrameMS  map[string]float64 `json:"frame_ms"`
		Dropped  *int
	}
}

func TestEvalVideoLeavesATableAVideoAndJSON(t *testing.T) {
	testkit.Long(t)
	dir := t.TempDir()
	code, stdout, stderr := command(t, "eval", "video", "--data", moving(t, 10), "--prompt", "mask,box", "--methods", "segedge,still",
		"--json", dir+"/v.json", "--overlay", dir+"/reels", "--set", "model.input=160")
	if code != 0 {
		t.Fatal(stderr)
	}
	if lines := strings.Split(strings.TrimSpace(stdout), "\n"); len(lines) != 6 || !strings.Contains(lines[0], " disc |") || !strings.Contains(lines[2], "|   160 |") {
		t.Errorf("%s", stdout)
	}
	results := readJSON[[]videoJSON](t, dir+"/v.json")
	if len(results) != 4 {
		t.Fatalf("%d results", len(results))
	}
	for _, r := range results {
		s, ok := r.Sequences["disc"]
		if !ok || r.Mean["JF"] != s.JF || s.FrameMS["p95"] < s.FrameMS["p50"] || s.Dropped == nil || r.FPS != 24 || r.Input != 160 || r.Model == "" {
			t.Errorf("%+v", r)
		}
		if r.Method == "segedge" && s.J < 0.7 {
			t.Errorf("a bright disc is followed with J %v from a %s", s.J, r.Prompt)
		}
		reel := filepath.Join(dir, "reels", r.Method+"-"+r.Prompt, "disc.mp4")
		if st, err := os.Stat(reel); err != nil || st.Size() < 1000 {
			t.Errorf("%s: %v", reel, err)
		}
		isVideo(t, reel, "h264,160,96,24/1,10")
	}
}

// isVideo has ffprobe read a file, where there is one.
func isVideo(t *testing.T, path, want string) {
	t.Helper()
	tool, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Logf("no ffprobe: nobody but its writer has read %s", path)
		return
	}
	out, err := exec.Command(tool, "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,width,height,avg_frame_rate,nb_read_frames", "-of", "csv=p=0", path).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%s: %s, %v; want %s", path, out, err, want)
	}
}

func TestEvalVideoByTheClock(t *testing.T) {
	file := t.TempDir() + "/v.json"
	code, stdout, stderr := command(t, "eval", "video", "--data", moving(t, 8), "--realtime", "12", "--json", file)
	if code != 0 || !strings.Contains(stdout, "|  12 |") {
		t.Fatalf("%s%s", stdout, stderr)
	}
	if r := readJSON[videoJSON](t, file); r.FPS != 12 || r.Input != 160 {
		t.Errorf("%+v", r)
	}
}

func TestEvalVideoWithLateAnswers(t *testing.T) {
	testkit.Long(t)
	code, stdout, stderr := command(t, "eval", "video", "--data", moving(t, 8), "--delay", "2", "--methods", "segedge,still")
	if code != 0 || !strings.Contains(stdout, "|  2 late |") || !strings.Contains(stdout, "| offline |") {
		t.Fatalf("%s%s", stdout, stderr)
	}
	code, _, stderr = command(t, "eval", "video", "--data", moving(t, 8), "--delay", "2", "--realtime", "12")
	if code == 0 || !strings.Contains(stderr, "for frames that wait") {
		t.Errorf("a delay by the clock: %d, %s", code, stderr)
	}
}

// What is measured is what run does: the shipped policy, or the configuration's.
func TestEvalVideoMeasuresWhatShips(t *testing.T) {
	testkit.Long(t)
	cfg := config.Default()
	c := &evalVideoCmd{}
	got, want := c.tracker(cfg, tracker.CueSnap), trackerOptions(cfg)
	want.FPS, want.Without = eval.DefaultFPS, tracker.CueSnap
	got.Color, want.Color = nil, nil // functions cannot be compared, and what something is painted in is not measured
	if cfg.Tracker.Budget != tracker.DefaultBudget {
		t.Errorf("the configuration's budget is %g, the tracker's own %g", cfg.Tracker.Budget, tracker.DefaultBudget)
	}
	if !reflect.DeepEqual(got, want) || got.Budget != cfg.Tracker.Budget || got.Budget == 0 {
		t.Errorf("measured %+v, shipped %+v", got, want)
	}
	cfg.Tracker.Budget = 0.2
	if got := c.tracker(cfg, 0).Budget; got != 0.2 {
		t.Errorf("configured a budget of 0.2, measured %g", got)
	}
}

func TestEvalClicksLeavesATableASheetAndJSON(t *testing.T) {
	testkit.Long(t)
	dir := t.TempDir()
	code, stdout, stderr := command(t, "eval", "clicks", "--data", moving(t, 2), "--clicks", "3", "--json", dir+"/c.json", "--sheet", dir+"/s.png")
	if code != 0 || !strings.Contains(stdout, "GrabCut") {
		t.Fatalf("%s%s", stdout, stderr)
	}
	r := readJSON[struct {
		MIoU                  []float64
		Oracle1, NoC85, NoC90 float64
		Images, Input         int
		BaselineClick         float64 `json:"baseline_click"`
	}](t, dir+"/c.json")
	if len(r.MIoU) != 3 || r.MIoU[2] < 0.7 || r.Oracle1 < r.MIoU[0] || r.NoC90 < r.NoC85 || r.Images != 1 || r.Input != 160 || r.BaselineClick < 0.5 {
		t.Errorf("%+v", r)
	}
	file, err := os.Open(dir + "/s.png")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if m, err := png.Decode(file); err != nil || m.Bounds() != image.Rect(0, 0, 160, 96) {
		t.Errorf("the sheet is %v, %v", m.Bounds(), err)
	}
}

func TestGalleryIsOneCommand(t *testing.T) {
	testkit.Long(t)
	dir := t.TempDir()
	data := moving(t, 2)
	var list strings.Builder
	for i := range 2 {
		fmt.Fprintf(&list, "JPEGImages/480p/disc/%05d.jpg 0.31,0.5\n", i)
	}
	if err := os.WriteFile(data+"/clicks.txt", []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, "models", "gallery", data+"/clicks.txt", "--out", dir+"/g.jpg"); code != 0 {
		t.Fatal(stderr)
	}
	file, err := os.Open(dir + "/g.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if m, err := jpeg.Decode(file); err != nil || m.Bounds() != image.Rect(0, 0, 2*160+6, 96) {
		t.Errorf("the gallery is %v, %v", m.Bounds(), err)
	}
}

func TestEvalSaysWhatIsWrong(t *testing.T) {
	testkit.Long(t)
	data := moving(t, 3)
	for want, args := range map[string][]string{
		"no such folder":   {"eval", "clicks", "--data", data + "/none"},
		"large enough":     {"eval", "clicks", "--data", data, "--held-out"},
		`no sequence "x"`:  {"eval", "video", "--data", data, "--sequences", "x"},
		"needs --nanotrac": {"eval", "video", "--data", data, "--methods", "nanotrack"},
		"not a directory":  {"eval", "video", "--data", data, "--overlay", data + "/JPEGImages/480p/disc/00000.jpg"},
		"line 1":           {"models", "gallery", data + "/JPEGImages/480p/disc/00000.jpg", "--out", data + "/g.jpg"},
		"model.input":      {"eval", "video", "--data", data, "--set", "model.input=7"},
	} {
		if code, _, stderr := command(t, args...); code == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s, want %q", args, code, stderr, want)
		}
	}
}
