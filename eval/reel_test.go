package eval

import (
	"bytes"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
	"github.com/segedge/segedge/video"
)

// press is an encoder that notes what it is given.
type press struct {
	format video.Format
	forced []bool
	pics   [][]byte
	closed int
	fail   error
}

func (p *press) Encode(pic *video.Picture, keyframe bool) ([]byte, bool, error) {
	p.forced, p.pics = append(p.forced, keyframe), append(p.pics, bytes.Clone(pic.Pix))
	if keyframe {
		return []byte{0, 0, 1, 0x67, 66, 192, 31, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65, 1}, true, p.fail
	}
	return []byte{0, 0, 1, 0x61, 1}, false, p.fail
}

func (p *press) Close() error { p.closed++; return nil }

func result(sequence string, i int) FrameResult {
	f, l := scene(i, mover{image.Rect(20, 30, 60, 70), 1, 0, red})
	return FrameResult{Sequence: sequence, Index: i, Frame: f, Got: []*seg.Mask{l.Mask(1)}, Truth: []*seg.Mask{l.Mask(1)}}
}

func TestReelMakesAVideoOfEachSequence(t *testing.T) {
	testkit.Long(t)
	var made []*press
	dir := filepath.Join(t.TempDir(), "reel")
	r, err := NewReel(dir, 24, func(f video.Format) (video.Encoder, error) {
		made = append(made, &press{format: f})
		return made[len(made)-1], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if err := r.Frame(result([]string{"a", "a", "a", "b", "b"}[i], []int{0, 1, 2, 0, 1}[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if len(made) != 2 || made[0].format != (video.Format{Width: sceneW, Height: sceneH, FPS: 24, Bitrate: 115200}) || made[0].closed != 1 || made[1].closed != 1 {
		t.Fatalf("%+v", made)
	}
	for i, name := range []string{"a.mp4", "b.mp4"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Contains(data, []byte("moov")) || bytes.Count(data, []byte{0x65, 1}) != 1 {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
		if n := len(made[i].forced); n != 3-i || !made[i].forced[0] || made[i].forced[1] {
			t.Errorf("%s: keyframes %v", name, made[i].forced)
		}
	}
	if bytes.Equal(made[0].pics[0], made[0].pics[2]) {
		t.Error("the object does not move")
	}
}

func TestReelSaysWhatFails(t *testing.T) {
	full, refused := &press{fail: errors.New("disk full")}, errors.New("no such size")
	open := func(e *press) func(video.Format) (video.Encoder, error) {
		return func(video.Format) (video.Encoder, error) { return e, nil }
	}
	for want, c := range map[string]struct {
		open   func(video.Format) (video.Encoder, error)
		dir    string
		frames []FrameResult
	}{
		"frame 0 of a: disk full":    {open(full), t.TempDir(), []FrameResult{result("a", 0)}},
		"frame 0 of a: no such size": {func(video.Format) (video.Encoder, error) { return nil, refused }, t.TempDir(), []FrameResult{result("a", 0)}},
		"frame 1 of a: 80x60 pixels": {open(&press{}), t.TempDir(), []FrameResult{result("a", 0), {Sequence: "a", Index: 1, Frame: frame.New(80, 60)}}},
		"not a directory":            {open(&press{}), "reel_test.go", []FrameResult{result("a", 0)}},
	} {
		r, err := NewReel(c.dir, 24, c.open)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.frames {
			err = r.Frame(f)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		_ = r.Close() // without a picture it says so; what matters is that it lets go
		if r.file != nil {
			t.Errorf("%s: the file stays open", want)
		}
	}
	if _, err := NewReel("", 24, nil); err == nil {
		t.Error("a reel without an encoder")
	}
	if _, err := NewReel("", 0, open(full)); err == nil {
		t.Error("a reel without a rate")
	}
}

// TestFramesAreDatedAtTheirRate holds that offline and by the clock a follower learns the same time of a frame.
func TestFramesAreDatedAtTheirRate(t *testing.T) {
	videos := sequence(t, 3, mover{image.Rect(10, 20, 42, 52), 1, 0, red})
	for _, c := range []struct{ fps, realtime, want float64 }{{0, 0, 24}, {30, 0, 30}, {0, 1000, 1000}, {50, 1000, 50}} {
		var pts float64
		s := &script{next: func(f *frame.Frame) (*seg.Mask, error) { pts = f.PTS.Seconds(); return nil, nil }}
		r, err := Video(t.Context(), VideoOptions{
			Videos: videos, Prompt: PromptMask, New: func() (Follower, error) { return s, nil }, FPS: c.fps, Realtime: c.realtime,
		})
		if err != nil || r.FPS != c.want || pts < 1.99/c.want && c.realtime == 0 || pts > 2.01/c.want {
			t.Errorf("%+v: rate %v, the last frame at %v s, %v", c, r, pts, err)
		}
	}
	var none dataset.Video
	if _, err := Video(t.Context(), VideoOptions{Videos: []dataset.Video{none}, Prompt: PromptMask, New: Still(nil), FPS: -1}); err == nil {
		t.Error("a rate below zero")
	}
}
