package video

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"runtime"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

func TestSnapshot(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.wanted.Store(false)
	type result struct {
		jpeg []byte
		err  error
	}
	got := make(chan result, 1)
	go func() {
		b, _, err := r.sink.Snapshot(t.Context(), Shot{Width: 32})
		got <- result{b, err}
	}()
	for i := 0; ; i++ {
		r.show(64, 32, time.Duration(i)*time.Millisecond)
		select {
		case g := <-got:
			if g.err != nil {
				t.Fatal(g.err)
			}
			img, err := jpeg.Decode(bytes.NewReader(g.jpeg))
			if err != nil || img.Bounds().Dx() != 32 || img.Bounds().Dy() != 16 {
				t.Fatalf("%v, %v", img, err)
			}
			if len(r.encoders) != 0 {
				t.Error("a snapshot needs no encoder")
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// Snapshots in a row, of a grid of cameras, use the memory of those before.
func TestSnapshotsShareTheirMemory(t *testing.T) {
	testkit.Long(t) // the race detector has sync.Pool forget what it holds
	r := newRig(t)
	defer r.stop()
	const n, width, height = 20, 1280, 720
	r.wanted.Store(false)
	r.snapshot(width, height, Shot{Width: 480})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		r.snapshot(width, height, Shot{Width: 480})
	}
	runtime.ReadMemStats(&after)
	per := (after.TotalAlloc - before.TotalAlloc) / n
	t.Logf("%d KiB a snapshot", per>>10)
	if per > 3*width*height { // the picture's own size
		t.Errorf("a snapshot of 480 pixels takes %d KiB of new memory", per>>10)
	}
}

// snapshot shows frames until a snapshot has come.
func (r *rig) snapshot(w, h int, shot Shot) {
	r.t.Helper()
	got := make(chan error, 1)
	go func() {
		_, _, err := r.sink.Snapshot(r.t.Context(), shot)
		got <- err
	}()
	for i := 0; ; i++ {
		select {
		case err := <-got:
			if err != nil {
				r.t.Fatal(err)
			}
			return
		case <-time.After(time.Millisecond):
			for len(r.read) > 0 { // else the sink waits for somebody to hear that it has read the clock
				<-r.read
			}
			for len(r.stages) > 0 {
				<-r.stages
			}
			if r.sink.snapping.Load() > 0 {
				r.show(w, h, time.Duration(i)*time.Millisecond)
			}
		}
	}
}

// A snapshot shows what is painted, or the camera's picture alone.
func TestSnapshotWithAndWithoutOverlay(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.wanted.Store(false)
	object := seg.Object{ID: 1, State: seg.Tracking, Mask: whole()}
	for clean, dark := range map[bool]bool{true: true, false: false} {
		got := make(chan []byte, 1)
		go func() {
			b, seq, err := r.sink.Snapshot(t.Context(), Shot{Clean: clean})
			if err != nil {
				t.Error(err)
			}
			if seq == 0 {
				t.Errorf("of frame %d", seq)
			}
			got <- b
		}()
		for done := false; !done; {
			r.show(64, 32, time.Second, object)
			select {
			case b := <-got:
				img, err := jpeg.Decode(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				red, green, blue, _ := img.At(32, 16).RGBA()
				if (red+green+blue < 3*0x1000) != dark {
					t.Errorf("clean %v: %d %d %d", clean, red, green, blue)
				}
				done = true
			case <-time.After(time.Millisecond):
			}
		}
	}
}

// whole is a mask of everything.
func whole() *seg.Mask {
	m := seg.NewMask(64, 32, image.Rect(0, 0, 64, 32))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

func TestSnapshotGivesUp(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range cap(r.sink.snaps) {
		if _, _, err := r.sink.Snapshot(ctx, Shot{}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if _, _, err := r.sink.Snapshot(ctx, Shot{}); !errors.Is(err, ErrBusy) {
		t.Errorf("%v, want %v", err, ErrBusy)
	}
	if _, err := JPEG(nil, 2, 2); err == nil {
		t.Error("an empty picture became a JPEG")
	}
}
