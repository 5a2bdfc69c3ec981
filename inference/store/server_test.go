package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPullFromServersThatMisbehave gives each server one pull with half of the file there already, and looks at the sentence, at what is left,
// and at whether a better server's answer then completes the file.
func TestPullFromServersThatMisbehave(t *testing.T) {
	half := len(content) / 2
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
		left    int // bytes of the part that stay for the next pull
	}{
		"not found": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusNotFound) }, "answers 404 Not Found", half},
		"broken":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "answers 502 Bad Gateway", half},
		"a range from elsewhere": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 7-%d/%d", len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
		}, "answers 206 Partial Content", half},
		"a range that says nothing": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) }, "answers 206", half},
		"less than is here": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestedRangeNotSatisfiable) },
			"less than was fetched before: try again from the start", 0},
		"another file": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.ToUpper(content)) }, "not the published one", -1},
		"too short":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content[:100]) }, "cut off after 100 of 65536 bytes, pull again", 100},
	} {
		good := false
		s, path := newStore(t, func(w http.ResponseWriter, r *http.Request) {
			if good {
				serve(w, r)
				return
			}
			c.handler(w, r)
		})
		part := path + partial
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(part, content[:half], 0o644)); err != nil {
			t.Fatal(err)
		}
		err := s.Pull(t.Context(), "tiny")
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "pull model tiny: model.onnx") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the file appeared under its name: %v", name, err)
		}
		switch st, err := os.Stat(part); {
		case c.left < 0 && !errors.Is(err, fs.ErrNotExist):
			t.Errorf("%s: what cannot be gone on from is still there: %v", name, err)
		case c.left >= 0 && (err != nil || st.Size() != int64(c.left)):
			t.Errorf("%s: %v, %v left, want %d", name, err, st, c.left)
		}
		good = true
		if err := s.Pull(t.Context(), "tiny"); err != nil {
			t.Errorf("%s: and then: %v", name, err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, content) {
			t.Errorf("%s: and then %d bytes", name, len(got))
		}
	}
}

// TestPullWhereNothingCanBeWritten has a file in place of the folder.
func TestPullWhereNothingCanBeWritten(t *testing.T) {
	s, path := newStore(t, serve)
	if err := os.WriteFile(filepath.Dir(path), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Pull(t.Context(), "tiny"); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("%v", err)
	}
}
