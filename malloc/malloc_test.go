package malloc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/malloc"
	"github.com/segedge/segedge/testkit"
)

// resident is how much memory the process has, bytes (proc_pid_statm(5)).
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(text)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// What C has freed below a block that is in use goes back to the system.
func TestFreePagesAreGivenBack(t *testing.T) {
	runtime.LockOSThread() // all of one arena: what is free above the last block in use of another than the first stays (glibc, arena.c, heap_trim)
	defer runtime.UnlockOSThread()
	const blocks, size = 3000, 40 << 10 // each too small for a mapping of its own
	mats := make([]gocv.Mat, blocks)
	for i := range mats {
		mats[i] = gocv.NewMatWithSize(1, size, gocv.MatTypeCV8U)
		mats[i].SetTo(gocv.NewScalar(1, 0, 0, 0))
	}
	before := resident(t)
	for _, m := range mats[:blocks-1] {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	defer mats[blocks-1].Close()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := malloc.Trim(ctx); err != nil {
			t.Error(err)
		}
	})
	if freed := before - resident(t); freed < blocks*size/2 {
		t.Errorf("%d MiB were given back, of %d", freed>>20, blocks*size>>20)
	}
}

// What Go's heap has kept of what was needed for a moment goes back too.
func TestGoGivesBackWhatItKeeps(t *testing.T) {
	kept := func() int {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapIdle - m.HeapReleased)
	}
	const moment = 96 << 20
	hold := make([]byte, moment)
	for i := range hold {
		hold[i] = 1
	}
	runtime.KeepAlive(hold)
	runtime.GC()
	if kept() < moment/2 {
		t.Skip("SKIPPED: Go has given it back by itself")
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := malloc.Trim(ctx); err != nil {
			t.Error(err)
		}
	})
	if n := kept(); n > 16<<20 {
		t.Errorf("%d MiB are kept", n>>20)
	}
}

// However many threads allocate, and however much, they share two arenas: the first, and one more.
func TestHeapsAreFew(t *testing.T) {
	testkit.Long(t) // the race detector has heaps of its own
	const threads, blocks = 24, 100
	var ready, done sync.WaitGroup
	ready.Add(threads)
	for range threads {
		done.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			var mats [blocks]gocv.Mat
			for i := range mats {
				mats[i] = gocv.NewMatWithSize(1, 40<<10, gocv.MatTypeCV8U)
			}
			ready.Done()
			ready.Wait()
			for i := range mats {
				_ = mats[i].Close()
			}
		})
	}
	done.Wait()
	if n := arenas(t); n > 1 {
		t.Errorf("%d arenas beside the first", n)
	}
}

// arenas counts those beside the first. Each begins with a heap of its own, a mapping at a multiple of 64 MiB, readable up to somewhere within
// that size and reserved from there to its end, whose first word points at the arena right behind it; the further heaps of an arena point
// elsewhere (glibc, malloc/arena.c, heap_info), and Go's heap, which may look the same, at nothing.
func arenas(t *testing.T) (n int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	defer memory.Close()
	const size = 64 << 20
	var begin, end uint64
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if mode == "---p" && begin%size == 0 && from == end && to == begin+size {
			var owner [8]byte
			if _, err := memory.ReadAt(owner[:], int64(begin)); err != nil {
				continue // given back since: no arena gives its first heap back
			}
			if at := binary.NativeEndian.Uint64(owner[:]); at > begin && at < begin+4096 {
				n++
			}
		}
		if begin, end = 1, 0; mode == "rw-p" {
			begin, end = from, to
		}
	}
	return n
}
