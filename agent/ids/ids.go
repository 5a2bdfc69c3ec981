// Package ids numbers objects so that no number means two things, over restarts and power cuts too. Numbers are reserved on
// disk in blocks, ahead of need: giving one away never waits for a disk, and a kill costs the rest of a block, not a
// number's meaning. It knows no objects; who asks gets a number.
package ids

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/segedge/segedge/atomicfile"
	"github.com/segedge/segedge/seg"
)

const (
	block  = 64        // numbers reserved at once
	ahead  = block / 2 // how few may be left before the next block is reserved
	most   = 1 << 60   // more than any camera gives
	prefix = "ids: "
)

// Ledger gives numbers to the objects of all cameras. Safe for concurrent use.
type Ledger struct {
	path string
	log  *slog.Logger

	disk     sync.Mutex // held from reading the numbers until they are written: one writer, and the newest last
	mu       sync.Mutex
	next     map[string]uint64 // the number that the camera's next object gets
	reserved map[string]uint64 // numbers below are on disk as given
	busy     bool              // a block is being reserved
	closed   bool
	quiet    bool

	writing sync.WaitGroup
}

// Open reads the ledger of a file that need not exist, unless an earlier run has left something else beside it. One that is gone,
// damaged or cannot be read is an error for the log, and numbers then begin where no earlier run can have been.
func Open(path string, earlier bool, log *slog.Logger) *Ledger {
	l := &Ledger{path: path, log: log, next: map[string]uint64{}, reserved: map[string]uint64{}}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !earlier {
		return l
	}
	if err == nil {
		l.next, err = parse(data)
	}
	if err != nil {
		log.Error(prefix+"the numbers given so far cannot be read; objects are numbered by the clock from now on", "file", path, "error", err)
		l.next = map[string]uint64{everyone: uint64(time.Now().Unix())}
	}
	return l
}

// parse reads the numbers of a file.
func parse(data []byte) (map[string]uint64, error) {
	var next map[string]uint64
	if err := json.Unmarshal(data, &next); err != nil {
		return nil, err
	}
	if next == nil {
		return nil, errors.New("the file holds no numbers")
	}
	for camera, n := range next {
		if n > most {
			return nil, fmt.Errorf("%d is no number that camera %q can have come to", n, camera)
		}
	}
	if sum, ok := next[check]; ok && sum != sumOf(next) {
		return nil, errors.New("its numbers do not match their checksum")
	}
	delete(next, check)
	return next, nil
}

// check is the name under which the file has its checksum: no camera's, and a number like the others, so that a program before it reads
// the file too. What such a program wrote has none.
const check = "*sum"

// sumOf is the checksum of numbers, but for the one that they may have already.
func sumOf(numbers map[string]uint64) uint64 {
	h := crc32.NewIEEE()
	for _, camera := range slices.Sorted(maps.Keys(numbers)) {
		if camera != check {
			fmt.Fprintf(h, "%q %d\n", camera, numbers[camera])
		}
	}
	return uint64(h.Sum32())
}

// everyone is the name under which a ledger that lost its numbers keeps the least one for all cameras. No camera has it.
const everyone = "*"

// For is what gives numbers to one camera's objects. The first block is reserved before it returns.
func (l *Ledger) For(camera string) func() seg.ID {
	l.mu.Lock()
	l.next[camera] = max(l.next[camera], l.next[everyone], 1)
	l.mu.Unlock()
	l.reserve()
	return func() seg.ID { return l.give(camera) }
}

func (l *Ledger) give(camera string) seg.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.next[camera]
	l.next[camera] = n + 1
	if l.reserved[camera] < n+ahead && !l.busy && !l.closed {
		l.busy = true
		l.writing.Go(l.keepAhead)
	}
	return seg.ID(n)
}

// keepAhead reserves until enough is, or the disk refuses.
func (l *Ledger) keepAhead() {
	for {
		l.reserve()
		l.mu.Lock()
		enough := true
		for camera, n := range l.next {
			enough = enough && (camera == everyone || l.reserved[camera] >= n+ahead)
		}
		if enough || l.quiet || l.closed {
			l.busy = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
	}
}

// reserve writes numbers as given that are still to come.
func (l *Ledger) reserve() {
	l.disk.Lock()
	defer l.disk.Unlock()
	l.mu.Lock()
	want := maps.Clone(l.next)
	l.mu.Unlock()
	for camera := range want {
		if camera != everyone {
			want[camera] += block
		}
	}
	l.write(want)
}

// write makes numbers durable. Where the disk refuses, numbers go on, and the log says what that means.
func (l *Ledger) write(numbers map[string]uint64) {
	file := maps.Clone(numbers)
	file[check] = sumOf(numbers)
	data, err := json.Marshal(file)
	if err == nil {
		err = atomicfile.Write(l.path, append(data, '\n'))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.reserved, l.quiet = numbers, false
		return
	}
	if !l.quiet {
		l.log.Error(prefix+"the numbers of objects are not durable: after a restart they may be given again", "error", err)
	}
	l.quiet = true
}

// Close writes down the numbers that were given, and no more: a clean end wastes none.
func (l *Ledger) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.writing.Wait()
	l.disk.Lock()
	defer l.disk.Unlock()
	l.mu.Lock()
	given := maps.Clone(l.next)
	l.mu.Unlock()
	l.write(given)
}
