package outbox

import (
	"fmt"
	"os"
)

// The lock file has two lines: up to where the journal is synced, and up to where it is delivered. Neither is synced itself, since an older
// one is true as well; so a kill finds them as they are, and a power cut as they were some seconds ago.
const (
	markFormat  = "%016x %016x\n"
	markSize    = 34
	deliveredAt = markSize // where the second line begins
)

// mark notes how far the journal is synced.
func (d *disk) mark() {
	if d.lock != nil {
		_, _ = d.lock.WriteAt(fmt.Appendf(nil, markFormat, d.num, d.size), 0)
	}
}

// shortened reports whether the newest segment ends before the mark: somebody took sent events away, be it a person or
// a file system.
func (d *disk) shortened(newest uint64, end int64) bool {
	num, size, ok := d.readMark(0)
	return ok && (num > newest || num == newest && size > uint64(end))
}

// readMark reads a line of the lock file: a segment, and a number.
func (d *disk) readMark(at int64) (num, value uint64, ok bool) {
	buf := make([]byte, markSize)
	if _, err := d.lock.ReadAt(buf, at); err != nil {
		return 0, 0, false
	}
	_, err := fmt.Sscanf(string(buf), markFormat, &num, &value)
	return num, value, err == nil
}

// delivered is the index below which every event was delivered, as the mark of the newest segment has it; 0 where that says nothing.
func (d *disk) delivered() uint64 {
	num, index, ok := d.readMark(deliveredAt)
	if !ok || num != d.num {
		return 0
	}
	return index
}

// marker notes up to where the events were delivered, beside the journal, whose writer may be waiting for a sync.
type marker struct {
	file    *os.File
	segment uint64 // the newest: of another one, or another journal, the mark says nothing
}

func (m marker) write(below uint64) error {
	if m.file == nil {
		return nil
	}
	if _, err := m.file.WriteAt(fmt.Appendf(nil, markFormat, m.segment, below), deliveredAt); err != nil {
		return fmt.Errorf("note what was delivered: %w", err)
	}
	return nil
}
