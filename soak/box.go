package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// maxDisk is how large a file system may be that a soak fills, in bytes: it takes moments, and nobody else's is that small.
const maxDisk = 512 << 20

// state is the agent's state folder.
func (r *run) state() string {
	if r.o.Disk != "" {
		return filepath.Join(r.o.Disk, "state")
	}
	return filepath.Join(r.o.Dir, "state")
}

// small refuses to fill a file system that others may use.
func (r *run) small() error {
	if r.o.Disk == "" {
		return nil
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(r.o.Disk, &fs); err != nil {
		return fmt.Errorf("%s: %w", r.o.Disk, err)
	}
	if size := fs.Blocks * uint64(fs.Bsize); size > maxDisk {
		return fmt.Errorf("%s is on a file system of %d MiB, which is not filled: make a small one (mount -t tmpfs -o size=16m tmpfs %s)",
			r.o.Disk, size>>20, r.o.Disk)
	}
	return nil
}

// fill takes what is left of the disk.
func (r *run) fill() {
	f, err := os.Create(r.filling())
	if err != nil {
		return // it is full as it is
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; size /= 2 {
		block := make([]byte, size)
		for {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
	}
}

func (r *run) empty() { _ = os.Remove(r.filling()) }

func (r *run) filling() string { return filepath.Join(r.o.Disk, "filling") }

const (
	right = true
	wrong = false
)

// setClock makes the agent's clock right, or as it was when the soak began: in 1970.
func (r *run) setClock(is bool) {
	if !is {
		_ = os.Remove(r.clock())
		return
	}
	if err := os.WriteFile(r.clock(), nil, 0o600); err != nil {
		r.fault("the clock cannot be set: " + err.Error())
	}
}

// clock is the file at which the agent's clock is right.
func (r *run) clock() string { return filepath.Join(r.o.Dir, "right") }
