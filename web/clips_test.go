package web

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/segedge/segedge/api"
)

// shelf is clips in a folder.
type shelf struct {
	dir string
	err error
}

func (s *shelf) List(camera string) ([]api.Clip, error) {
	files, err := os.ReadDir(s.dir)
	var out []api.Clip
	for _, f := range files {
		out = append(out, api.Clip{Camera: camera, Name: f.Name(), From: time.Unix(1000, 0), Until: time.Unix(1002, 0), Event: "zone.entered", Bytes: 7})
	}
	return out, errors.Join(err, s.err)
}

func (s *shelf) Open(_, name string) (*os.File, error) {
	if s.err != nil {
		return nil, s.err
	}
	if strings.ContainsAny(name, "/") {
		return nil, fs.ErrNotExist
	}
	return os.Open(filepath.Join(s.dir, name))
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.dir, "a.mp4"), []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestClipsAreListedAndRead(t *testing.T) {
	shelf := newShelf(t)
	door, err := New(Options{Service: newFakeAgent("cam"), Clips: shelf, Tokens: []Token{{Name: "wall", Role: api.RoleView, Token: "0123456789abcdef"}}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, bytes, token string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if bytes != "" {
			r.Header.Set("Range", bytes)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		return w.Result()
	}
	const token = "0123456789abcdef"
	for _, c := range []struct {
		path, bytes, token string
		status             int
		says               string
	}{
		{"/api/v1/cameras/cam/clips", "", token, 200, `"name":"a.mp4"`},
		{"/api/v1/cameras/cam/clips", "", "", 401, "token"},
		{"/api/v1/cameras/attic/clips", "", token, 404, "unknown_camera"},
		{"/api/v1/cameras/cam/clips/a.mp4", "", token, 200, "0123456789"},
		{"/api/v1/cameras/cam/clips/a.mp4", "bytes=2-4", token, 206, "234"},
		{"/api/v1/cameras/cam/clips/a.mp4?download=1", "", token, 200, "0123456789"},
		{"/api/v1/cameras/cam/clips/a.mp4", "", "", 401, "token"},
		{"/api/v1/cameras/attic/clips/a.mp4", "", token, 404, "unknown_camera"},
		{"/api/v1/cameras/cam/clips/b.mp4", "", token, 404, "no such clip"},
		{"/api/v1/cameras/cam/clips/..%2f..%2fetc%2fpasswd", "", token, 404, "no such clip"},
	} {
		r := ask(c.path, c.bytes, c.token)
		body, _ := io.ReadAll(r.Body)
		if r.StatusCode != c.status || !strings.Contains(string(body), c.says) {
			t.Errorf("%s %s: %d %s", c.path, c.bytes, r.StatusCode, body)
		}
		if r.StatusCode == 200 && strings.Contains(c.path, "a.mp4") && r.Header.Get("Content-Type") != "video/mp4" {
			t.Errorf("%s: %q", c.path, r.Header.Get("Content-Type"))
		}
		if got := r.Header.Get("Content-Disposition"); (got == `attachment; filename="cam-a.mp4"`) != strings.Contains(c.path, "download") {
			t.Errorf("%s: %q", c.path, got)
		}
	}
	shelf.err = errors.New("the disk is gone")
	for _, path := range []string{"/api/v1/cameras/cam/clips", "/api/v1/cameras/cam/clips/a.mp4"} {
		if r := ask(path, "", token); r.StatusCode != 500 {
			t.Errorf("%s on a broken disk: %d", path, r.StatusCode)
		}
	}
	shelf.err = nil
	for range mostReaders {
		door.readers <- struct{}{}
	}
	if r := ask("/api/v1/cameras/cam/clips/a.mp4", "", token); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("with all readers taken: %d", r.StatusCode)
	}
}

// A person records, finds the clip in the list, and plays it.
func TestPageRecordsAndPlays(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("SKIPPED: no ffmpeg on this machine")
	}
	shelf := &shelf{dir: t.TempDir()}
	b := prepareWith(t, Options{Clips: shelf})
	b.open()
	b.Live()
	b.Until("nothing is recorded", `!document.getElementById("clips-empty").hidden && document.querySelectorAll(".clip").length === 0`)
	b.Do(chromedp.KeyEvent("v"))
	if c := b.command(1); c.Verb != "record" || c.Body.(*api.Record).Action != api.RecordStart {
		t.Fatalf("asked for %+v", c)
	}
	b.Until("it says that it records", `document.getElementById("record").getAttribute("aria-pressed") === "true"`)
	b.shot("recording")
	file := filepath.Join(shelf.dir, "20260301T120000.000Z.mp4")
	cmd := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x36:rate=10:duration=2",
		"-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "frag_keyframe+empty_moov", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b.Do(chromedp.Click(chromedp.ID("record")))
	if c := b.command(2); c.Body.(*api.Record).Action != api.RecordStop {
		t.Fatalf("asked for %+v", c)
	}
	b.Until("it is listed", `document.querySelectorAll(".clip").length === 1 && document.getElementById("record").getAttribute("aria-pressed") === "false"`)
	b.Do(chromedp.Click(chromedp.CSS(".clip .play")))
	b.Until("it plays", `document.getElementById("clip").open && document.getElementById("clip-video").currentTime > 0.3`)
	b.shot("clip")
	b.Do(chromedp.Click(chromedp.CSS("#clip .primary")))
	b.Until("it is closed", `!document.getElementById("clip").open && !document.getElementById("clip-video").src`)
	b.agent.set(func(f *fakeAgent) {
		f.refuse = &api.Error{Code: api.Forbidden, Message: "the role view may not record"}
	})
	b.Do(chromedp.KeyEvent("v"))
	b.Until("a refusal is told", `/may not record/.test(document.getElementById("toasts").innerText)`)
	b.Clean()
}
