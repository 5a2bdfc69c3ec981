// Package store keeps published models on disk: what there is, where it comes from, whether it is whole. It downloads
// and checks files; it neither recognises nor runs them.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// File is one file of a model.
type File struct {
	Name   string `json:"name"` // under the model's folder
	URL    string `json:"url"`
	Size   int64  `json:"size,omitempty"`   // bytes; 0 where the publisher does not say
	SHA256 string `json:"sha256,omitempty"` // empty where the publisher does not say
}

// Model is one entry of the manifest.
type Model struct {
	Name    string `json:"name"`
	Family  string `json:"family"`
	About   string `json:"about"`
	License string `json:"license"`
	Speed   string `json:"speed"` // "cpu", "gpu" or "big gpu": what it takes to be pleasant
	Files   []File `json:"files"`
}

// Status is a model with what the disk has of it.
type Status struct {
	Model
	Have bool  `json:"have"`          // all files are there
	Own  bool  `json:"own,omitempty"` // not of the manifest: somebody put it there
	Disk int64 `json:"disk"`          // bytes, partial files included
}

// Store is a folder of models, one folder each.
type Store struct {
	Dir    string
	Models []Model // the manifest
	// Mirror replaces the scheme, host and folder of every address: its base, with the model's and the file's name behind.
	Mirror string
	Client *http.Client // nil is one that gives up on a server that is silent for a minute
	// Inspect, if not nil, says whether a downloaded file can be what it is meant to be: not every publisher gives a hash, and a login page
	// comes with 200 too.
	Inspect func(path string) error
	// Progress, if not nil, is called with the bytes there and all of them, 0 where nobody knows.
	Progress func(f File, done, total int64)
}

// Errors of the store.
var (
	ErrUnknown = errors.New("no such model in the manifest")
	ErrMissing = errors.New("not downloaded")
	ErrHash    = errors.New("the file is not the published one")
	ErrNoLink  = errors.New("its publisher gives no direct address")
)

// List is every model of the manifest and what the disk has of it.
func (s *Store) List() []Status {
	out := make([]Status, len(s.Models))
	for i, m := range s.Models {
		out[i] = Status{Model: m, Have: true}
		for _, f := range m.Files {
			if st, err := os.Stat(s.path(m, f)); err == nil {
				out[i].Disk += st.Size()
				continue
			}
			out[i].Have = false
			if st, err := os.Stat(s.path(m, f) + partial); err == nil {
				out[i].Disk += st.Size()
			}
		}
	}
	return out
}

// Find is the model of the manifest with this name.
func (s *Store) Find(name string) (Model, error) {
	i := slices.IndexFunc(s.Models, func(m Model) bool { return m.Name == name })
	if i < 0 {
		var names []string
		for _, m := range s.Models {
			names = append(names, m.Name)
		}
		return Model{}, fmt.Errorf("model %q: %w: there are %s", name, ErrUnknown, strings.Join(names, ", "))
	}
	return s.Models[i], nil
}

// Paths are the files of a model that is there.
func (s *Store) Paths(name string) ([]string, error) {
	m, err := s.Find(name)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range m.Files {
		p := s.path(m, f)
		if _, err := os.Stat(p); err != nil {
			return nil, fmt.Errorf("model %s: %w: run `segedge models pull %s`", name, ErrMissing, name)
		}
		out = append(out, p)
	}
	return out, nil
}

// Pull downloads what is missing of a model, going on where an earlier download was cut off. A file appears under its
// name only once it is whole and has the published hash.
func (s *Store) Pull(ctx context.Context, name string) error {
	m, err := s.Find(name)
	if err != nil {
		return err
	}
	for _, f := range m.Files {
		if _, err := os.Stat(s.path(m, f)); err == nil {
			s.report(f, f.Size, f.Size)
			continue
		}
		if err := s.pull(ctx, m, f); err != nil {
			return fmt.Errorf("pull model %s: %s: %w", name, f.Name, err)
		}
	}
	return nil
}

// partial is what a file's name ends with while it is not whole.
const partial = ".part"

func (s *Store) path(m Model, f File) string { return filepath.Join(s.Dir, m.Name, f.Name) }

// address is where to fetch the file.
func (s *Store) address(m Model, f File) (string, error) {
	if s.Mirror != "" {
		return url.JoinPath(s.Mirror, m.Name, f.Name)
	}
	if f.URL == "" {
		return "", fmt.Errorf("%w: fetch it by hand into %s", ErrNoLink, filepath.Join(s.Dir, m.Name))
	}
	return f.URL, nil
}

func (s *Store) pull(ctx context.Context, m Model, f File) error {
	address, err := s.address(m, f)
	if err != nil {
		return err
	}
	path := s.path(m, f)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := s.fetch(ctx, address, path+partial, f); err != nil {
		return err
	}
	err = verify(path+partial, f)
	if err == nil && s.Inspect != nil {
		err = s.Inspect(path + partial)
	}
	if err != nil {
		// Whatever this is, going on from it would fail again.
		return errors.Join(fmt.Errorf("from %s: %w", address, err), os.Remove(path+partial))
	}
	return os.Rename(path+partial, path)
}

// verify compares a file with what is known of it.
func verify(path string, f File) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h := sha256.New()
	n, err := io.Copy(h, file)
	if err != nil {
		return err
	}
	if f.Size > 0 && n != f.Size {
		return fmt.Errorf("%w: %d bytes, published are %d", ErrHash, n, f.Size)
	}
	if got := hex.EncodeToString(h.Sum(nil)); f.SHA256 != "" && got != f.SHA256 {
		return fmt.Errorf("%w: SHA-256 %s, published is %s", ErrHash, got, f.SHA256)
	}
	return nil
}

func (s *Store) report(f File, done, total int64) {
	if s.Progress != nil {
		s.Progress(f, done, total)
	}
}

func (s *Store) client() *http.Client {
	if s.Client != nil {
		return s.Client
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = time.Minute
	return &http.Client{Transport: t}
}
