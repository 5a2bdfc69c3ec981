package outbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const (
	prefix = "journal-"
	suffix = ".log"
)

// disk is the folder of segments. One goroutine writes; readers open their own handles.
type disk struct {
	dir   string
	lock  *os.File
	fault func(op string) error // a test's way to make the file system refuse

	active *os.File
	num    uint64 // the active segment, or the last one
	size   int64
	sizes  map[uint64]int64
}

func openDisk(dir string, fault func(string) error) (*disk, error) {
	if fault == nil {
		fault = func(string) error { return nil }
	}
	d := &disk{dir: dir, fault: fault, sizes: map[uint64]int64{}}
	if err := fault("mkdir"); err != nil {
		return d, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return d, fmt.Errorf("make the outbox's folder: %w", err)
	}
	return d, nil
}

// errLocked: two agents on one journal would give the same numbers twice.
var errLocked = errors.New("the outbox belongs to another agent that is running: give each agent its own state folder")

func (d *disk) acquire() error {
	f, err := os.OpenFile(filepath.Join(d.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the outbox's lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("%w (%s)", errLocked, d.dir)
		}
		return fmt.Errorf("lock the outbox: %w", err)
	}
	d.lock = f
	return nil
}

func segmentPath(dir string, n uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%s%016x%s", prefix, n, suffix))
}

// segments lists the segments, oldest first, and remembers their sizes.
func (d *disk) segments() ([]uint64, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, fmt.Errorf("list the outbox: %w", err)
	}
	var out []uint64
	for _, e := range entries {
		var n uint64
		name := e.Name()
		if !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, suffix) {
			continue
		}
		if _, err := fmt.Sscanf(name, prefix+"%016x"+suffix, &n); err != nil || n == 0 {
			continue
		}
		if info, err := e.Info(); err == nil {
			d.sizes[n] = info.Size()
		}
		out = append(out, n)
		d.num = max(d.num, n)
	}
	slices.Sort(out)
	return out, nil
}

func (d *disk) read(n uint64) ([]byte, error) {
	if err := d.fault("read"); err != nil {
		return nil, err
	}
	return os.ReadFile(segmentPath(d.dir, n))
}

// begin starts a new segment with data and makes it durable, the name included.
func (d *disk) begin(data []byte) error {
	d.end()
	n := d.num + 1
	err := d.fault("create")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(segmentPath(d.dir, n), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("begin a segment of the outbox: %w", err)
	}
	d.active, d.num, d.size = f, n, 0
	if err := d.write(data); err != nil {
		d.drop(n)
		return err
	}
	if err := d.syncDir(); err != nil {
		d.drop(n)
		return err
	}
	return nil
}

// write appends whole records and makes them durable. After an error the segment ends where it was good, and the
// caller begins another one: what the kernel kept of a failed sync is unknown.
func (d *disk) write(data []byte) error {
	err := d.fault("write")
	if err == nil {
		_, err = d.active.Write(data)
	}
	if err == nil {
		if err = d.fault("sync"); err == nil {
			err = d.active.Sync()
		}
	}
	if err != nil {
		_ = d.active.Truncate(d.size)
		d.end()
		return fmt.Errorf("write to the outbox: %w", err)
	}
	d.size += int64(len(data))
	d.sizes[d.num] = d.size
	d.mark()
	return nil
}

// note appends a record that may be lost: what was delivered would be sent once more.
func (d *disk) note(data []byte) error {
	if err := d.fault("write"); err != nil {
		return err
	}
	n, err := d.active.Write(data)
	if err != nil {
		_ = d.active.Truncate(d.size)
		d.end()
		return fmt.Errorf("write to the outbox: %w", err)
	}
	d.size += int64(n)
	d.sizes[d.num] = d.size
	return nil
}

func (d *disk) end() {
	if d.active != nil {
		_ = d.active.Close()
		d.active = nil
	}
}

func (d *disk) syncDir() error {
	f, err := os.Open(d.dir)
	if err != nil {
		return fmt.Errorf("sync the outbox's folder: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := d.fault("sync"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync the outbox's folder: %w", err)
	}
	return nil
}

// drop removes a segment.
func (d *disk) drop(n uint64) {
	if n == d.num {
		d.end()
	}
	_ = os.Remove(segmentPath(d.dir, n))
	delete(d.sizes, n)
}

// hasBefore reports whether dropBefore would remove any.
func (d *disk) hasBefore(n uint64) bool {
	for have := range d.sizes {
		if have < n && (have != d.num || d.active == nil) {
			return true
		}
	}
	return false
}

// dropBefore removes the segments older than n, the active one never.
func (d *disk) dropBefore(n uint64) {
	for have := range d.sizes {
		if have < n && (have != d.num || d.active == nil) {
			d.drop(have)
		}
	}
}

// used is the size of all segments in bytes.
func (d *disk) used() int64 {
	var sum int64
	for _, n := range d.sizes {
		sum += n
	}
	return sum
}

func (d *disk) close() {
	d.end()
	if d.lock != nil {
		_ = d.lock.Close()
		d.lock = nil
	}
}
