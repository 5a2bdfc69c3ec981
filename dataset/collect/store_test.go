package collect

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/dataset"
)

var noon = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)

func newStore(t *testing.T, l Limits) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "data"), l)
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return noon }
	return s
}

func doc(camera string, at time.Time) *dataset.SA1B {
	return &dataset.SA1B{Image: dataset.SA1BImage{Width: 8, Height: 6, Camera: camera, Captured: at}, Annotations: []dataset.SA1BAnnotation{}}
}

// put adds a picture of 1,000 bytes, captured so long before noon.
func put(t *testing.T, s *Store, camera string, before time.Duration) string {
	t.Helper()
	name, err := s.Put(make([]byte, 1000), doc(camera, noon.Add(-before)))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func names(t *testing.T, s *Store) (out []string) {
	t.Helper()
	all, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		out = append(out, e.Name)
	}
	return out
}

func TestPicturesAreListedByTime(t *testing.T) {
	s := newStore(t, Limits{})
	late, early := put(t, s, "yard", 0), put(t, s, "front_door.2", time.Hour)
	same := put(t, s, "yard", 0)
	if got := names(t, s); !slices.Equal(got, []string{early, late, same}) {
		t.Fatalf("%q, want %q", got, []string{early, late, same})
	}
	all, _ := s.List()
	if e := all[0]; e.Camera != "front_door.2" || !e.Captured.Equal(noon.Add(-time.Hour)) || e.Bytes < 1000 {
		t.Errorf("%+v", e)
	}
	r, err := s.Read(late)
	if err != nil || r.Image.File != late+".jpg" || r.Image.Camera != "yard" {
		t.Errorf("%+v, %v", r, err)
	}
	if st, err := os.Stat(filepath.Join(s.Dir(), late+".jpg")); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v: pictures are for their owner's eyes", st.Mode(), err)
	}
}

func TestStoreIsBounded(t *testing.T) {
	ages := []time.Duration{50 * time.Hour, 30 * time.Hour, 3 * time.Hour, 2 * time.Hour, time.Hour}
	for _, c := range []struct {
		name   string
		limits Limits
		kept   int
	}{
		{"by nothing", Limits{}, 5},
		{"by age", Limits{Age: 40 * time.Hour}, 4},
		{"by size", Limits{Bytes: 3600}, 3},
		{"by both", Limits{Bytes: 100_000, Age: 150 * time.Minute}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t, c.limits)
			var all []string
			for _, age := range ages {
				all = append(all, put(t, s, "cam", age))
			}
			if err := s.Sweep(); err != nil {
				t.Fatal(err)
			}
			if got := names(t, s); !slices.Equal(got, all[len(all)-c.kept:]) {
				t.Errorf("%q are left of %q, want the last %d", got, all, c.kept)
			}
		})
	}
	s := newStore(t, Limits{Bytes: 500})
	if _, err := s.Put(make([]byte, 1000), doc("cam", noon)); !errors.Is(err, ErrRoom) || len(names(t, s)) > 0 {
		t.Errorf("%v, %q", err, names(t, s))
	}
}

func TestDayHasItsBudget(t *testing.T) {
	s := newStore(t, Limits{Daily: 2})
	put(t, s, "cam", 13*time.Hour) // yesterday
	put(t, s, "cam", time.Hour)
	put(t, s, "cam", time.Minute)
	if _, err := s.Put([]byte("x"), doc("cam", noon)); !errors.Is(err, ErrDaily) {
		t.Fatalf("%v, want %v", err, ErrDaily)
	}
	s.now = func() time.Time { return noon.Add(24 * time.Hour) }
	if _, err := s.Put([]byte("x"), doc("cam", noon.Add(24*time.Hour))); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

// What a kill leaves is a picture without annotations, or a file that was being written: neither is listed, and Sweep removes it once
// nobody can be at it any more.
func TestWhatAKillLeavesGoes(t *testing.T) {
	s := newStore(t, Limits{})
	whole := put(t, s, "cam", time.Hour)
	torn := noon.Add(-time.Minute).Format(stampForm) + "_cam"
	for _, name := range []string{torn + ".jpg", torn + ".jpg.new", torn + ".json.new", "notes.txt", "holiday.jpg"} {
		if err := os.WriteFile(filepath.Join(s.Dir(), name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	left := func() (out []string) {
		files, _ := os.ReadDir(s.Dir())
		for _, f := range files {
			out = append(out, f.Name())
		}
		return out
	}
	s.now = time.Now
	if err := s.Sweep(); err != nil || len(left()) != 7 {
		t.Fatalf("%v: %q: what is new may be being written", err, left())
	}
	if got := names(t, s); !slices.Equal(got, []string{whole}) {
		t.Errorf("%q is listed", got)
	}
	s.now = func() time.Time { return time.Now().Add(time.Hour) }
	if err := s.Sweep(); err != nil {
		t.Fatal(err)
	}
	if got, want := left(), []string{whole + ".jpg", whole + ".json", "holiday.jpg", "notes.txt"}; !slices.Equal(got, want) {
		t.Errorf("%q are left, want %q: what is not the store's stays", got, want)
	}
}

func TestEraseByTime(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to time.Time
		camera   string
		left     string // indices of what stays
	}{
		{"all", time.Time{}, time.Time{}, "", ""},
		{"before", time.Time{}, noon.Add(-150 * time.Minute), "", "123"},
		{"between", noon.Add(-150 * time.Minute), noon.Add(-time.Hour), "", "03"},
		{"of a camera", time.Time{}, time.Time{}, "b", "03"},
		{"of a camera since", noon.Add(-90 * time.Minute), time.Time{}, "a", "012"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t, Limits{})
			var all, want []string
			for i, camera := range []string{"a", "b", "b", "a"} {
				all = append(all, put(t, s, camera, time.Duration(3-i)*time.Hour))
			}
			for i := range all {
				if strings.ContainsRune(c.left, rune('0'+i)) {
					want = append(want, all[i])
				}
			}
			n, err := s.Erase(c.from, c.to, c.camera)
			if got := names(t, s); err != nil || n != 4-len(want) || !slices.Equal(got, want) {
				t.Errorf("%d erased, %v: %q are left, want %q", n, err, got, want)
			}
			files, _ := os.ReadDir(s.Dir())
			if len(files) != 2*len(want) {
				t.Errorf("%d files are left", len(files))
			}
		})
	}
}

func TestWhatIsErasedStaysErased(t *testing.T) {
	s := newStore(t, Limits{})
	name := put(t, s, "cam", 0)
	if err := s.Update(name, doc("cam", noon)); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(name, doc("cam", noon)); !errors.Is(err, ErrName) {
		t.Errorf("%v, want %v", err, ErrName)
	}
	for _, bad := range []string{"", "..", "../" + name, name + "/..", "20260305T120000.000000Z_../../x"} {
		if _, err := s.Read(bad); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v, want %v", bad, err, ErrName)
		}
	}
}
