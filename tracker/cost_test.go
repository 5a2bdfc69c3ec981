package tracker_test

import (
	"runtime"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// stepper shows the frames of a crowd for ever.
func stepper(t *testing.T, tr *tracker.Tracker, frames []*frame.Frame) func() {
	seq := uint64(1)
	return func() {
		seq++
		f := frames[(seq-1)%4]
		f.Seq = seq
		if err := tr.Step(f); err != nil {
			t.Fatal(err)
		}
		tr.Changes(nil)
	}
}

// A frame allocates nothing but the masks that it hands out, which their readers may keep: two allocations each, of the size of their box.
func TestAFrameAllocatesNothingButMasks(t *testing.T) {
	const n = 50
	tr, frames := followed(t, crowd(n, 384, 216), tracker.Options{History: 16, Points: 200, UpdateEvery: 1e6}, lk.New(lk.Options{}))
	step := stepper(t, tr, frames)
	for range 20 { // the history is full now
		step()
	}
	if got := testing.AllocsPerRun(5, step); got >= 1 {
		t.Errorf("a step with %d objects allocates %.0f times", n, got)
	}
	objects := make([]seg.Object, 0, n)
	both := testing.AllocsPerRun(5, func() {
		step()
		objects = tr.Objects(objects[:0])
	})
	if len(objects) != n || both > 2*n {
		t.Errorf("%d masks cost %.0f allocations", len(objects), both)
	}
	for _, o := range objects {
		if o.Mask == nil || cap(o.Mask.Bits) > 2*len(o.Mask.Bits) {
			t.Fatalf("object %d: mask %+v", o.ID, o.Mask)
		}
	}
}

// What an object costs in memory is bounded and does not grow with time: docs/tracking.md states it.
func TestMemoryOfAnObjectIsBounded(t *testing.T) {
	const n, most = 50, 128 << 10 // discs of some 16 working pixels across; colours are most of it
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var kept []*tracker.Tracker
	cost := func(objects int) (step func(), bytes int64) {
		before := heap()
		tr, frames := followed(t, crowd(objects, 384, 216), tracker.Options{History: 16, Points: 200}, lk.New(lk.Options{}))
		kept = append(kept, tr)
		step = stepper(t, tr, frames)
		for range 20 {
			step()
		}
		return step, heap() - before
	}
	_, scene := cost(0)
	step, all := cost(n)
	t.Logf("%d kB a scene, %d kB an object", scene>>10, (all-scene)/n>>10)
	if each := (all - scene) / n; each > most {
		t.Errorf("an object keeps %d kB", each>>10)
	}
	before := heap()
	for range 20 {
		step()
	}
	if grown := heap() - before; grown > n*most/16 {
		t.Errorf("20 frames more keep %d kB more", grown>>10)
	}
	runtime.KeepAlive(kept)
}
