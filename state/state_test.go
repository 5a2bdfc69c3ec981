package state

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type value struct {
	Name  string
	Cells []float32
}

func file(t *testing.T, version int) (*File, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	return &File{Path: filepath.Join(t.TempDir(), "folder", "known.state"), Version: version, Logger: slog.New(slog.NewTextHandler(&log, nil))}, &log
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	f, log := file(t, 1)
	var got value
	if found, err := f.Load(&got); found || err != nil {
		t.Errorf("before the first save: %v, %v", found, err)
	}
	for _, name := range []string{"first", "second"} {
		if err := f.Save(value{name, make([]float32, 4096)}); err != nil {
			t.Fatal(err)
		}
	}
	if found, err := f.Load(&got); !found || err != nil || got.Name != "second" || len(got.Cells) != 4096 {
		t.Errorf("%v, %v, %+v", found, err, got.Name)
	}
	if st, err := os.Stat(f.Path); err != nil || st.Mode().Perm() != 0o600 || st.Size() > 1000 {
		t.Errorf("%v, %v", st, err)
	}
	was := time.Unix(1, 0)
	if err := os.Chtimes(f.Path, was, was); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(value{"second", make([]float32, 4096)}); err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(f.Path); !st.ModTime().Equal(was) {
		t.Error("the same is written again")
	}
	if left, _ := filepath.Glob(f.Path + ".*"); len(left) != 0 || log.Len() != 0 {
		t.Errorf("left over: %v, said: %s", left, log)
	}
}

// An agent saves once a second for months: what is made anew each time is garbage by the megabyte.
func TestSavingAgainKeepsItsPacker(t *testing.T) {
	f, _ := file(t, 1)
	save := func(n int) {
		if err := f.Save(value{Name: strings.Repeat("x", n)}); err != nil {
			t.Fatal(err)
		}
	}
	save(1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range 8 {
		save(2 + n)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > 1<<20 {
		t.Errorf("8 small saves allocated %d bytes", made)
	}
}

// Whatever has happened to the file, the agent begins, the file is kept aside, and it is said why.
func TestADamagedFileIsSetAside(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func([]byte) []byte
		says  string
	}{
		"empty":              {func([]byte) []byte { return nil }, "no state"},
		"zeros":              {func(b []byte) []byte { return make([]byte, len(b)) }, "no state"},
		"cut off":            {func(b []byte) []byte { return b[:len(b)-1] }, "checksum"},
		"one bit":            {func(b []byte) []byte { b[len(b)-9] ^= 4; return b }, "checksum"},
		"something else":     {func([]byte) []byte { return []byte("{\"kind\":\"shopping list\"}\nmilk") }, "no state"},
		"of a newer program": {func(b []byte) []byte { return bytes.Replace(b, []byte(`"version":1`), []byte(`"version":7`), 1) }, "version 7"},
	} {
		f, log := file(t, 1)
		if err := f.Save(value{Name: "known"}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Path, c.spoil(data), 0o600); err != nil {
			t.Fatal(err)
		}
		var got value
		if found, err := f.Load(&got); found || err != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
		aside, _ := filepath.Glob(f.Path + ".aside-*")
		if len(aside) != 1 || !strings.Contains(log.String(), c.says) {
			t.Errorf("%s: set aside %v, said %s", name, aside, log)
		}
		if err := f.Save(value{Name: "anew"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that cannot be read is kept too: the next value would replace it.
func TestAFileThatCannotBeReadIsSetAside(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"another's": func(path string) error { return os.Chmod(path, 0) },
		"a folder":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		f, log := file(t, 1)
		if err := f.Save(value{Name: "known"}); err != nil {
			t.Fatal(err)
		}
		if err := spoil(f.Path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.ReadFile(f.Path); err == nil {
			continue // this user may read everything
		}
		var got value
		if found, err := f.Load(&got); found || err != nil {
			t.Errorf("%s: %v, %v", name, found, err)
		}
		if aside, _ := filepath.Glob(f.Path + ".aside-*"); len(aside) != 1 || !strings.Contains(log.String(), "set aside") {
			t.Errorf("%s: set aside %v, said %s", name, aside, log)
		}
		if err := f.Save(value{Name: "anew"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A kill while the next file is written leaves the old one, whatever there is of the new.
func TestAHalfWrittenFileChangesNothing(t *testing.T) {
	f, _ := file(t, 1)
	if err := f.Save(value{Name: "whole"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	var got value
	if found, err := f.Load(&got); !found || err != nil || got.Name != "whole" {
		t.Errorf("%v, %v, %+v", found, err, got)
	}
	if err := f.Save(value{Name: "next"}); err != nil {
		t.Error(err)
	}
}

func TestAnOlderVersionIsMigrated(t *testing.T) {
	f, _ := file(t, 1)
	type old struct{ Title string }
	if err := f.Save(old{"cup"}); err != nil {
		t.Fatal(err)
	}
	f.Version = 2
	f.Migrate = func(version int, payload []byte, into any) error {
		var o old
		if version != 1 {
			return errors.New("unknown")
		}
		err := Decode(payload, &o)
		into.(*value).Name = o.Title
		return err
	}
	var got value
	if found, err := f.Load(&got); !found || err != nil || got.Name != "cup" {
		t.Errorf("%v, %v, %+v", found, err, got)
	}
}

// The keeper writes once in a second however often the value changes, now and then without, at the end, and says of a disk that refuses once.
func TestTheKeeperWritesWhatChanges(t *testing.T) {
	f, log := file(t, 1)
	synctest.Test(t, func(t *testing.T) {
		var revision atomic.Uint64
		var collected, told atomic.Int64
		broken := errors.New("no")
		var failing atomic.Bool
		k := Keeper{File: f, Revision: revision.Load, Collect: func(context.Context) (any, error) {
			collected.Add(1)
			if failing.Load() {
				return nil, broken
			}
			return value{Name: "v"}, nil
		}}
		k.Kept = func(v any) {
			if v.(value).Name == "v" {
				told.Add(1)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		expect := func(what string, after time.Duration, n int64) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := collected.Load(); got != n {
				t.Errorf("%s: written %d times, want %d", what, got, n)
			}
		}
		expect("nothing has changed", 10*time.Second, 0)
		revision.Add(1)
		expect("a change after a while is written at once", 50*time.Millisecond, 1)
		for range 100 {
			revision.Add(1)
		}
		expect("a hundred more wait", 900*time.Millisecond, 1)
		expect("for a second", 100*time.Millisecond, 2)
		expect("nothing since", 20*time.Second, 2)
		expect("a refresh", 15*time.Second, 3)
		failing.Store(true)
		revision.Add(1)
		expect("a disk that refuses is tried again each second", 3*time.Second, 6)
		failing.Store(false)
		expect("and when it does not", time.Second, 7)
		cancel()
		if err := <-done; err != nil || collected.Load() != 8 || told.Load() != 5 {
			t.Errorf("at the end: %v, written %d times, told %d times", err, collected.Load(), told.Load())
		}
	})
	if n := strings.Count(log.String(), "cannot be written down"); n != 1 || !strings.Contains(log.String(), "written down again") {
		t.Errorf("said %s", log)
	}
}

func TestAFolderThatCannotBeWrittenIsAnError(t *testing.T) {
	f, _ := file(t, 1)
	if err := os.WriteFile(filepath.Dir(f.Path), []byte("a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Save(value{}); err == nil {
		t.Error("saved into a file")
	}
}
