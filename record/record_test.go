package record

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/video"
)

// shown counts what the picture's own sink gets.
type shown int

func (s *shown) Show(*frame.Frame, []seg.Object) { *s++ }

// ran runs a recorder over what is queued, then closes it.
func ran(t *testing.T, r *Recorder) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what waits is written all the same
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return r.Close()
}

func square() *seg.Mask {
	m := seg.NewMask(4, 4, image.Rect(1, 1, 3, 3))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

// unit is a keyframe with parameter sets, so small that no decoder would take it.
func unit(seq uint64) video.Unit {
	data := []byte{0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0, 0, 0, 1, 0x68, 0xce, 0, 0, 0, 1, 0x65, 0x88, 0x51, 0x52, 0x53, 0x54}
	return video.Unit{Data: data, Keyframe: true, Seq: seq, Width: 64, Height: 32, Captured: time.Unix(int64(seq), 0), Duration: time.Second}
}

// A recording is complete after Run has ended, and a line holds one frame's objects, their masks on the full frame.
func TestMasksAreWrittenByLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "masks.jsonl")
	r, err := New(Options{Masks: file})
	if err != nil {
		t.Fatal(err)
	}
	var next shown
	sink := r.Beside(&next)
	for n := range uint64(3) {
		f := frame.New(8, 8)
		f.Seq, f.Captured = n+1, time.Unix(0, 0)
		sink.Show(f, []seg.Object{{ID: 1, State: seg.Tracking, Mask: square()}, {ID: 2, State: seg.Lost, Mask: square()}})
	}
	if err := ran(t, r); err != nil || next != 3 {
		t.Fatalf("%v; the picture's sink got %d frames of 3", err, next)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	lines := 0
	for ; ; lines++ {
		var l struct {
			Frame   seg.FrameRef
			Objects []struct {
				State string
				RLE   *seg.RLE
			}
		}
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if l.Frame.Seq != uint64(lines+1) || len(l.Objects) != 2 || l.Objects[0].RLE == nil || l.Objects[1].RLE != nil || l.Objects[0].RLE.Size != [2]int{8, 8} {
			t.Errorf("line %d: %+v", lines, l)
		}
	}
	if lines != 3 {
		t.Errorf("%d lines of 3", lines)
	}
}

func TestTheMovieBeginsWithAKeyframe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.mp4")
	r, err := New(Options{Video: file})
	if err != nil {
		t.Fatal(err)
	}
	later := unit(1)
	later.Keyframe = false
	for _, u := range []video.Unit{later, unit(2), unit(3)} {
		r.Unit(u)
	}
	if err := ran(t, r); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(data, []byte("ftyp")) || !bytes.Contains(data, []byte("moov")) {
		t.Errorf("no MP4 of %d bytes, %v", len(data), err)
	}
	if n := bytes.Count(data, unit(2).Data[18:]); n < 2 {
		t.Errorf("%d of the two keyframes are in it", n)
	}
}

// A disk that does not keep up costs frames, which are counted, and no time.
func TestWhatTheDiskCannotFollowIsToldAtTheEnd(t *testing.T) {
	dir := t.TempDir()
	r, err := New(Options{Video: filepath.Join(dir, "a.mp4"), Masks: filepath.Join(dir, "b.jsonl")})
	if err != nil {
		t.Fatal(err)
	}
	sink, f := r.Beside(new(shown)), frame.New(8, 8)
	for range queue + 2 {
		sink.Show(f, nil)
		r.Unit(unit(1))
	}
	if err := ran(t, r); err == nil || !strings.Contains(err.Error(), "4 frames are missing") {
		t.Errorf("%v", err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("a second close: %v", err)
	}
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none", "x")
	for _, o := range []Options{{Video: none}, {Masks: none}} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "cannot write") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("SKIPPED: no /dev/full")
	}
	r, err := New(Options{Masks: "/dev/full"})
	if err != nil {
		t.Fatal(err)
	}
	r.Beside(new(shown)).Show(frame.New(8, 8), nil)
	if err := ran(t, r); err == nil || !strings.Contains(err.Error(), "--masks") {
		t.Errorf("a full disk: %v", err)
	}
}

func TestNothingIsRecordedUnlessAsked(t *testing.T) {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var next shown
	r.Beside(&next).Show(frame.New(8, 8), nil)
	r.Unit(unit(1))
	if err := ran(t, r); err != nil || next != 1 || len(r.units)+len(r.lines) != 0 {
		t.Errorf("%v, %d", err, next)
	}
}

// A line says where in the movie its frame is, and objects are called there as on every door.
func TestLinesAreKeyedToTheMovie(t *testing.T) {
	dir := t.TempDir()
	r, err := New(Options{Camera: "door", Video: filepath.Join(dir, "a.mp4"), Masks: filepath.Join(dir, "b.jsonl")})
	if err != nil {
		t.Fatal(err)
	}
	sink := r.Beside(new(shown))
	for seq := uint64(1); seq <= 6; seq++ {
		f := frame.New(8, 8)
		f.Seq, f.Captured, f.PTS = seq, time.Unix(int64(seq), 0), time.Duration(seq)*time.Second
		sink.Show(f, []seg.Object{{ID: 3, State: seg.Tracking, Mask: square()}})
		if seq == 2 || seq == 3 || seq == 5 {
			r.Unit(unit(seq))
		}
	}
	if err := ran(t, r); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "b.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{-1, 0, 1, -1, 3, -1}
	for i, text := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var l struct {
			Camera  string
			Frame   seg.FrameRef
			PTS     float64
			Time    *float64
			Objects []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		at := -1.
		if l.Time != nil {
			at = *l.Time
		}
		if l.Frame.Seq != uint64(i+1) || l.PTS != float64(i+1) || at != want[i] || l.Camera != "door" || l.Objects[0].ID != "door-3" {
			t.Errorf("line %d: %s, want time %g", i, text, want[i])
		}
	}
}

// What a killed process has been given is on the disk: nothing waits in a buffer.
func TestLinesSurviveAKill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "masks.jsonl")
	r, err := New(Options{Camera: "door", Masks: file})
	if err != nil {
		t.Fatal(err)
	}
	lines := &lineWriter{w: bufio.NewWriter(r.masks), camera: "door"}
	lines.write(line{w: 8, h: 8})
	data, err := os.ReadFile(file)
	if err != nil || !bytes.HasSuffix(data, []byte("}\n")) {
		t.Errorf("%q, %v", data, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
