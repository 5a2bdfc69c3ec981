package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var content = bytes.Repeat([]byte("0123456789abcdef"), 4096)

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// newStore is a store with one model of one file behind a handler.
func newStore(t *testing.T, h http.HandlerFunc) (*Store, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	f := File{Name: "model.onnx", URL: srv.URL + "/published/model.onnx", Size: int64(len(content)), SHA256: sumOf(content)}
	return &Store{Dir: dir, Models: []Model{{Name: "tiny", Family: "sam", Files: []File{f}}}}, filepath.Join(dir, "tiny", "model.onnx")
}

func serve(w http.ResponseWriter, r *http.Request) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func TestPullListVerify(t *testing.T) {
	var asked atomic.Int32
	s, path := newStore(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); serve(w, r) })
	if l := s.List(); l[0].Have || l[0].Disk != 0 {
		t.Errorf("before: %+v", l)
	}
	if _, err := s.Paths("tiny"); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "segedge models pull tiny") {
		t.Errorf("paths before: %v", err)
	}
	var last, total int64
	s.Progress = func(_ File, d, n int64) { last, total = d, n }
	for range 2 { // the second has nothing to do
		if err := s.Pull(t.Context(), "tiny"); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 1 || last != int64(len(content)) || total != last {
		t.Errorf("asked %d times, progress %d of %d", asked.Load(), last, total)
	}
	if l := s.List(); !l[0].Have || l[0].Disk != int64(len(content)) {
		t.Errorf("after: %+v", l)
	}
	if p, err := s.Paths("tiny"); err != nil || p[0] != path {
		t.Errorf("%v, %v", p, err)
	}
	if err := s.Pull(t.Context(), "huge"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "there are tiny") {
		t.Errorf("unknown: %v", err)
	}
}

func TestPullGoesOnAfterACutOff(t *testing.T) {
	var ranges []string
	s, path := newStore(t, func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges) == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content[:20000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		serve(w, r)
	})
	err := s.Pull(t.Context(), "tiny")
	if err == nil || !strings.Contains(err.Error(), "cut off after 20000 of 65536 bytes, pull again to go on") {
		t.Fatalf("cut off: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("half a file must not have the model's name")
	}
	if l := s.List(); l[0].Have || l[0].Disk != 20000 {
		t.Errorf("%+v", l)
	}
	if err := s.Pull(t.Context(), "tiny"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) || ranges[1] != "bytes=20000-" {
		t.Errorf("%d bytes, asked for %q", len(got), ranges)
	}
}

func TestPullFromAServerThatDoesNotResume(t *testing.T) {
	s, path := newStore(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) })
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path+partial, []byte("left over"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if err := s.Pull(t.Context(), "tiny"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
		t.Errorf("%d bytes", len(got))
	}
}

func TestPullRefusesAnotherFile(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"hash": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.ToUpper(content)) },
		"size": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(append([]byte("x"), content...)) },
	} {
		s, path := newStore(t, h)
		if err := s.Pull(t.Context(), "tiny"); !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), "model.onnx") {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := filepath.Glob(path + "*"); len(left) != 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
	s, _ := newStore(t, http.NotFound)
	if err := s.Pull(t.Context(), "tiny"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("404: %v", err)
	}
	s.Models[0].Files[0].URL = ""
	if err := s.Pull(t.Context(), "tiny"); !errors.Is(err, ErrNoLink) || !strings.Contains(err.Error(), s.Dir) {
		t.Errorf("no address: %v", err)
	}
}

func TestPullOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("SKIPPED: there is no /dev/full here")
	}
	s, path := newStore(t, serve)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", path+partial); err != nil {
		t.Fatal(err)
	}
	err := s.Pull(t.Context(), "tiny")
	if err == nil || !strings.Contains(err.Error(), "the disk is full after") {
		t.Errorf("full disk: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file that could not be written has the model's name")
	}
}

func TestPullFromAMirrorAndStop(t *testing.T) {
	var asked string
	s, _ := newStore(t, func(w http.ResponseWriter, r *http.Request) { asked = r.URL.Path; serve(w, r) })
	s.Mirror = strings.TrimSuffix(s.Models[0].Files[0].URL, "published/model.onnx") + "mirror"
	if err := s.Pull(t.Context(), "tiny"); err != nil || asked != "/mirror/tiny/model.onnx" {
		t.Errorf("asked for %s: %v", asked, err)
	}
	started := make(chan struct{})
	s, _ = newStore(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(content[:100])
		w.(http.Flusher).Flush()
		close(started)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if err := s.Pull(ctx, "tiny"); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

func TestManifestIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Published() {
		if seen[m.Name] || m.Family == "" || m.License == "" || m.About == "" || m.Speed == "" || len(m.Files) == 0 || len(m.Files) > 2 {
			t.Errorf("entry %+v", m)
		}
		seen[m.Name] = true
		for _, f := range m.Files {
			if !strings.HasSuffix(f.Name, ".onnx") || f.URL != "" && !strings.HasPrefix(f.URL, "https://") || f.SHA256 != "" && len(f.SHA256) != 64 {
				t.Errorf("%s: file %+v", m.Name, f)
			}
		}
	}
}
