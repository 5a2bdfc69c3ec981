package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// call runs the program to its end.
func call(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(program(t), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root(t), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// Bad input gets one clear sentence that names the thing, and an exit code.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	nonsense, picture := write("nonsense.onnx", "this is no model"), write("picture.png", "this is no picture")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	run := []string{"run", "--state", filepath.Join(dir, "state"), "--listen", "127.0.0.1:0", "--duration", "20s"}
	for name, c := range map[string]struct {
		args  []string
		about []string
	}{
		"missing clip":    {append(run, "--source", dir+"/missing.mp4"), []string{"missing.mp4"}},
		"clip of text":    {append(run, "--source", write("text.mp4", "no video")), []string{"text.mp4"}},
		"empty folder":    {append(run, "--source", dir+"/empty"), []string{"empty"}},
		"unknown scheme":  {append(run, "--source", "gopher://host/x"), []string{"gopher"}},
		"unknown preset":  {append(run, "--source", "synthetic:nonsense"), []string{"nonsense"}},
		"bad prompt":      {append(run, "--prompt", "point:2,0.5"), []string{"point:2,0.5", "0..1"}},
		"unknown prompt":  {append(run, "--prompt", "circle:1"), []string{"circle:1"}},
		"occupied port":   {[]string{"run", "--state", dir + "/s2", "--listen", taken.Addr().String()}, []string{taken.Addr().String(), "in use"}},
		"model of text":   {append(run, "--set", "model.encoder="+nonsense, "--set", "model.decoder="+nonsense), []string{"nonsense.onnx", "ONNX"}},
		"missing model":   {append(run, "--set", "model.name="+dir+"/none"), []string{"none"}},
		"unknown setting": {append(run, "--set", "modle.name=x"), []string{"modle.name"}},
		"bad broker":      {append(run, "--set", "mqtt.broker=nonsense"), []string{"mqtt.broker", "nonsense"}},
		"missing config":  {append(run, "--config", dir+"/none.yaml"), []string{"none.yaml"}},
		"unknown flag":    {[]string{"run", "--sorce", "x"}, []string{"--sorce"}},
		"unknown command": {[]string{"dance"}, []string{"dance"}},
		"no picture":      {[]string{"segment", picture, "--point", "0.5,0.5"}, []string{"picture.png"}},
		"missing picture": {[]string{"segment", dir + "/none.jpg", "--point", "0.5,0.5"}, []string{"none.jpg"}},
		"nothing asked":   {[]string{"segment", picture}, []string{"--point"}},
		"outside":         {[]string{"segment", picture, "--point", "0.5,7"}, []string{"0..1"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := call(t, c.args...)
			last := lastLine(stderr)
			if code == 0 {
				t.Fatalf("exit code 0; it said %q", stderr)
			}
			for _, word := range c.about {
				if !strings.Contains(last, word) {
					t.Errorf("%q should name %q", last, word)
				}
			}
			if strings.Contains(stderr, "goroutine ") || strings.Contains(stderr, "panic") {
				t.Errorf("it crashed: %s", stderr)
			}
		})
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// The configuration may not open the agent to the network without a token; a person at the terminal gets one made.
func TestOffLoopbackNeedsAToken(t *testing.T) {
	code, _, stderr := call(t, "run", "--state", t.TempDir(), "--duration", "1s", "--set", "http.listen=0.0.0.0:0")
	if code == 0 || !strings.Contains(stderr, "token") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	dir := t.TempDir()
	_, first, stderr := call(t, "run", "--state", dir, "--duration", "2s", "--listen", "0.0.0.0:0")
	_, second, _ := call(t, "run", "--state", dir, "--duration", "2s", "--listen", "0.0.0.0:0")
	token := func(s string) string {
		_, rest, _ := strings.Cut(s, "?token=")
		t, _, _ := strings.Cut(rest, "\n")
		return t
	}
	if token(first) == "" || token(first) != token(second) {
		t.Errorf("the token must be made, printed and kept:\n%s\n%s\n%s", first, second, stderr)
	}
}

func TestTwoAgentsDoNotShareAState(t *testing.T) {
	r := start(t)
	dir := ""
	for i, a := range r.cmd.Args {
		if a == "--state" {
			dir = r.cmd.Args[i+1]
		}
	}
	code, _, stderr := call(t, "run", "--state", dir, "--listen", "127.0.0.1:0", "--duration", "1s")
	if code == 0 || !strings.Contains(stderr, dir) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestSegmentAnImage(t *testing.T) {
	image := filepath.Join(still(t), "img_0000.png")
	mask, overlay := filepath.Join(t.TempDir(), "mask.png"), filepath.Join(t.TempDir(), "overlay.png")
	code, stdout, stderr := call(t, "segment", image, "--point", "0.5,0.5", "--json", "--mask", mask, "--overlay", overlay)
	if code != 0 {
		t.Fatal(stderr)
	}
	var out struct {
		Candidates []struct {
			Score, Stability, Area float64
			Box                    [4]float64
			RLE                    struct {
				Size   [2]int
				Counts string
			}
		}
		EncodeMS float64 `json:"encode_ms"`
		DecodeMS float64 `json:"decode_ms"`
		Provider string
		Family   string
	}
	if err := json.Unmarshal([]byte(stdout), &out); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if len(out.Candidates) == 0 || out.EncodeMS <= 0 || out.DecodeMS <= 0 || out.Provider != "cpu" || out.Family == "" {
		t.Fatalf("%+v", out)
	}
	c := out.Candidates[0]
	if c.RLE.Size != [2]int{360, 640} || c.Box[0] > 0.5 || c.Box[2] < 0.5 || c.Area <= 0 {
		t.Errorf("%+v", c)
	}
	for _, f := range []string{mask, overlay} {
		if st, err := os.Stat(f); err != nil || st.Size() < 100 {
			t.Errorf("%s: %v", f, err)
		}
	}
	if code, stdout, _ := call(t, "segment", image, "--point", "0.5,0.5"); code != 0 || !strings.Contains(stdout, "score") {
		t.Errorf("without --json: %d, %s", code, stdout)
	}
}

func TestSummaryOfARun(t *testing.T) {
	dir := t.TempDir()
	summary, video, masks := dir+"/s.json", dir+"/o.mp4", dir+"/m.jsonl"
	code, _, stderr := call(t, "run", "--state", dir+"/state", "--listen", "127.0.0.1:0", "--source", "synthetic", "--duration", "4s",
		"--summary", summary, "--out", video, "--masks", masks)
	if code != 0 {
		t.Fatal(stderr)
	}
	data, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Frames           struct{ Captured, Processed, Dropped uint64 }
		FPS              float64
		Stages           map[string]map[string]float64
		CaptureToEncoded map[string]float64 `json:"capture_to_encoded"`
		Keyframes        uint64
		Events           uint64
		Objects          []struct{ ID, State string }
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	if s.Frames.Processed == 0 || s.Frames.Captured < s.Frames.Processed || s.Keyframes == 0 || s.Events == 0 || len(s.Objects) < 3 {
		t.Errorf("%s", data)
	}
	for _, stage := range []string{"reduce", "track", "embed", "decode", "overlay", "convert", "encode"} {
		if s.Stages[stage]["p50_ms"] <= 0 {
			t.Errorf("no time of stage %s in %s", stage, data)
		}
	}
	if s.CaptureToEncoded["p95_ms"] <= 0 {
		t.Errorf("%s", data)
	}
	lines, err := os.ReadFile(masks)
	if err != nil || bytes.Count(lines, []byte("\n")) < 2 || !bytes.Contains(lines, []byte(`"rle"`)) {
		t.Errorf("masks: %v, %d bytes", err, len(lines))
	}
	if st, err := os.Stat(video); err != nil || st.Size() < 10_000 {
		t.Errorf("video: %v", err)
	}
	playable(t, video)
}

// playable has ffprobe read the file through.
func playable(t *testing.T, video string) {
	t.Helper()
	out, err := exec.Command(need(t, "ffprobe", "ffmpeg"), "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames,codec_name", "-of", "csv=p=0", video).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "h264,") {
		t.Errorf("ffprobe: %v, %s", err, out)
	}
}

func TestConfigurationCommands(t *testing.T) {
	code, defaults, stderr := call(t, "config", "default")
	if code != 0 {
		t.Fatal(stderr)
	}
	file := filepath.Join(t.TempDir(), "segedge.yaml")
	if err := os.WriteFile(file, []byte(defaults), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := call(t, "config", "check", file); code != 0 || !strings.Contains(out, "fine") {
		t.Errorf("%d %s %s", code, out, stderr)
	}
	if code, out, _ := call(t, "version"); code != 0 || !strings.HasPrefix(out, "segedge ") {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := call(t, "schema"); code != 0 || !json.Valid([]byte(out)) {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := call(t, "--help"); code != 0 || !strings.Contains(out, "doctor") {
		t.Errorf("%d %s", code, out)
	}
}
