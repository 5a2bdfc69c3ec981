package collect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/segedge/segedge/atomicfile"
	"github.com/segedge/segedge/dataset"
)

// Limits bound a store. Zero values bound nothing.
type Limits struct {
	Bytes int64         // of all pictures and annotations
	Age   time.Duration // since a picture was captured
	Daily int           // pictures of a day (UTC)
}

// Store is a folder of pictures with an SA-1B file each. What it has is what is in the folder: several programs may read it, change
// annotations and erase while one adds, and after a kill there is nothing to mend. One goroutine uses a Store at a time.
type Store struct {
	dir    string
	limits Limits
	now    func() time.Time
}

// Entry is a picture with its annotations, as their names tell it.
type Entry struct {
	Name     string // of both files, without their endings; sorts by time
	Camera   string
	Captured time.Time
	Bytes    int64 // of both
}

// Errors of a store.
var (
	ErrDaily = errors.New("the day's pictures are taken")
	ErrRoom  = errors.New("the picture alone is larger than the folder may be")
	ErrName  = errors.New("no such picture")
)

const (
	stampForm = "20060102T150405.000000Z" // the beginning of a name
	writing   = 10 * time.Minute          // what is unfinished and older will stay so
)

// Open takes a folder, which it makes where there is none.
func Open(dir string, l Limits) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	return &Store{dir: dir, limits: l, now: time.Now}, nil
}

// Dir is the folder.
func (s *Store) Dir() string { return s.dir }

// List are the pictures, oldest first.
func (s *Store) List() ([]Entry, error) {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	var out []Entry
	for _, f := range files {
		e, ok := entryOf(strings.TrimSuffix(f.Name(), ".json"))
		if !ok || !strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		for _, ending := range []string{".json", ".jpg"} {
			if st, err := os.Stat(filepath.Join(s.dir, e.Name+ending)); err == nil {
				e.Bytes += st.Size()
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// entryOf reads a name; false for what is none.
func entryOf(name string) (Entry, bool) {
	stamp, camera, ok := strings.Cut(name, "_")
	at, err := time.Parse(stampForm, stamp)
	return Entry{Name: name, Camera: camera, Captured: at}, ok && err == nil && camera != ""
}

// Put adds a picture (JPEG) with its annotations, whose image is named by it, and makes room: what is too old goes, then the oldest. The
// annotations come last, and each file as a whole: what Put has not finished is not there.
func (s *Store) Put(jpeg []byte, r *dataset.SA1B) (name string, err error) {
	all, err := s.List()
	if err != nil {
		return "", err
	}
	if s.limits.Daily > 0 && s.today(all) >= s.limits.Daily {
		return "", ErrDaily
	}
	name = s.free(r.Image.Captured, r.Image.Camera)
	r.Image.File = name + ".jpg"
	doc, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("collect: %w", err)
	}
	if err := s.makeRoom(all, int64(len(doc)+len(jpeg))); err != nil {
		return "", err
	}
	if err := atomicfile.Write(s.path(name, ".jpg"), jpeg); err != nil {
		return "", fmt.Errorf("collect: %w", err)
	}
	if err := atomicfile.Write(s.path(name, ".json"), doc); err != nil {
		return "", errors.Join(fmt.Errorf("collect: %w", err), os.Remove(s.path(name, ".jpg")))
	}
	return name, nil
}

// free is a name that nothing has.
func (s *Store) free(at time.Time, camera string) string {
	for ; ; at = at.Add(time.Microsecond) {
		name := at.UTC().Format(stampForm) + "_" + camera
		if _, err := os.Lstat(s.path(name, ".jpg")); errors.Is(err, fs.ErrNotExist) {
			return name
		}
	}
}

// today counts the pictures of this day.
func (s *Store) today(all []Entry) (n int) {
	day := s.now().UTC().Format(time.DateOnly)
	for _, e := range all {
		if e.Captured.Format(time.DateOnly) == day {
			n++
		}
	}
	return n
}

// makeRoom removes what is too old, then the oldest until so many bytes fit.
func (s *Store) makeRoom(all []Entry, bytes int64) error {
	if s.limits.Bytes > 0 && bytes > s.limits.Bytes {
		return ErrRoom
	}
	sum := bytes
	for _, e := range all {
		sum += e.Bytes
	}
	for _, e := range all {
		if !s.tooOld(e) && (s.limits.Bytes <= 0 || sum <= s.limits.Bytes) {
			continue
		}
		if err := s.Remove(e.Name); err != nil {
			return err
		}
		sum -= e.Bytes
	}
	return nil
}

func (s *Store) tooOld(e Entry) bool {
	return s.limits.Age > 0 && s.now().Sub(e.Captured) > s.limits.Age
}

// Sweep removes what is too old or too much, and what was never finished.
func (s *Store) Sweep() error {
	all, err := s.List()
	if err != nil {
		return err
	}
	if err := s.makeRoom(all, 0); err != nil {
		return err
	}
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || !s.unfinished(f.Name()) || s.now().Sub(info.ModTime()) < writing {
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("collect: %w", err)
		}
	}
	return nil
}

// unfinished says whether a file is one of the store's that Put or Update has not finished.
func (s *Store) unfinished(file string) bool {
	whole, half := strings.CutSuffix(file, ".new")
	ending := filepath.Ext(whole)
	name := strings.TrimSuffix(whole, ending)
	if _, ours := entryOf(name); !ours || ending != ".jpg" && ending != ".json" {
		return false
	}
	_, err := os.Lstat(s.path(name, ".json"))
	return half || ending == ".jpg" && errors.Is(err, fs.ErrNotExist)
}

// Read is a picture's annotations.
func (s *Store) Read(name string) (*dataset.SA1B, error) {
	data, err := s.file(name, ".json")
	if err != nil {
		return nil, err
	}
	r, err := dataset.ReadSA1B(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("collect: %s: %w", name, err)
	}
	return r, nil
}

// JPEG is a picture.
func (s *Store) JPEG(name string) ([]byte, error) { return s.file(name, ".jpg") }

func (s *Store) file(name, ending string) ([]byte, error) {
	if _, ok := entryOf(name); !ok || !filepath.IsLocal(name) || strings.ContainsRune(name, filepath.Separator) {
		return nil, fmt.Errorf("%w: %q", ErrName, name)
	}
	data, err := os.ReadFile(s.path(name, ending))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %q", ErrName, name)
	}
	return data, err
}

// Update replaces a picture's annotations.
func (s *Store) Update(name string, r *dataset.SA1B) error {
	if _, err := s.file(name, ".json"); err != nil { // erased meanwhile: it does not come back
		return err
	}
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("collect: %w", err)
	}
	return atomicfile.Write(s.path(name, ".json"), doc)
}

// Remove erases a picture and its annotations; the picture first, so that a kill in between leaves no picture of which List knows nothing.
func (s *Store) Remove(name string) error {
	for _, ending := range []string{".jpg", ".json"} {
		if err := os.Remove(s.path(name, ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("collect: %w", err)
		}
	}
	return nil
}

// Erase removes what was captured within from..to, both included, on a camera, or on all where none is named, and answers how many
// pictures that were. A zero time bounds nothing.
func (s *Store) Erase(from, to time.Time, camera string) (n int, err error) {
	all, err := s.List()
	if err != nil {
		return 0, err
	}
	all = slices.DeleteFunc(all, func(e Entry) bool {
		return camera != "" && e.Camera != camera || !from.IsZero() && e.Captured.Before(from) || !to.IsZero() && e.Captured.After(to)
	})
	for _, e := range all {
		if err := s.Remove(e.Name); err != nil {
			return n, err
		}
		n++
	}
	if n == 0 {
		return 0, nil
	}
	dir, err := os.Open(s.dir)
	if err != nil {
		return n, fmt.Errorf("collect: %w", err)
	}
	return n, errors.Join(dir.Sync(), dir.Close()) // a power cut does not bring them back
}

func (s *Store) path(name, ending string) string { return filepath.Join(s.dir, name+ending) }
