package malloc_test

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/malloc"
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
	malloc.Limit()
	const blocks, size = 3000, 40 << 10 // each too small for a mapping of its own
	mats := make([]gocv.Mat, blocks)
	for i := range mats {
		mats[i] = gocv.NewMatWithSize(1, size, gocv.MatTypeCV8U)
		mats[i].SetTo(gocv.NewScalar(1, 0, 0, 0))
	}
	for _, m := range mats[:blocks-1] {
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	defer mats[blocks-1].Close()
	before := resident(t)
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
