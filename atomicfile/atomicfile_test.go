package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, want := range []string{"one", "", "a longer one"} {
		if err := Write(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		info, _ := os.Stat(path)
		if err != nil || string(got) != want || info.Mode().Perm() != 0o600 {
			t.Errorf("%v: %q, %v", err, got, info.Mode())
		}
	}
}

func TestWriteThatFailsLeavesTheOldOne(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".new", 0o700); err != nil { // in the way of the new one
		t.Fatal(err)
	}
	if err := Write(path, []byte("new")); err == nil {
		t.Error("no error")
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("got %q", got)
	}
	if err := Write(filepath.Join(dir, "gone", "file"), nil); err == nil {
		t.Error("a folder that does not exist was written to")
	}
}
