package soak

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A soak fills a disk to its last byte and gives all of it back; it fills none that others may use.
func TestADiskIsFilledAndEmptied(t *testing.T) {
	disk := t.TempDir()
	r := &run{o: Options{Disk: disk}}
	if err := r.small(); err == nil || !strings.Contains(err.Error(), "make a small one") {
		t.Errorf("the disk of this machine would be filled: %v", err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("SKIPPED: no file system can be mounted (%v): none was filled", err)
	}
	defer syscall.Unmount(disk, 0) //nolint:errcheck // it goes with the machine
	if err := r.small(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(r.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(r.state(), "x")
	r.fill()
	if err := os.WriteFile(file, []byte("x"), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
	r.empty()
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Errorf("on a disk that was emptied: %v", err)
	}
}

func TestAFolderThatIsMissingIsNoDisk(t *testing.T) {
	r := &run{o: Options{Disk: filepath.Join(t.TempDir(), "missing")}}
	if err := r.small(); err == nil {
		t.Error("a missing folder is taken for a disk")
	}
}

// The agent's clock is right while a file is there.
func TestTheClockIsRightWhileItsFileIsThere(t *testing.T) {
	r := &run{o: Options{Dir: t.TempDir(), Clock: true}}
	for _, is := range []bool{right, wrong, wrong, right, right} {
		r.setClock(is)
		if _, err := os.Stat(r.clock()); is != (err == nil) {
			t.Errorf("right %t: %v", is, err)
		}
	}
}
