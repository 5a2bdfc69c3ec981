package libav

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/video"
	"github.com/segedge/segedge/video/opencv"
	"github.com/segedge/segedge/video/openh264"
)

// The time in the built-in scene's pictures can still be read when they have been encoded as viewers get them, and decoded.
func TestTimeInThePictureSurvivesH264(t *testing.T) {
	for _, c := range []struct{ w, h, bitrate int }{{1280, 720, 2_500_000}, {640, 360, 400_000}} {
		t.Run(fmt.Sprintf("%dx%d at %d", c.w, c.h, c.bitrate), func(t *testing.T) {
			const n = 45
			start := time.UnixMilli(1_800_000_000_000)
			at := func(i int) time.Time { return start.Add(time.Duration(i) * 33_300 * time.Microsecond) }
			path := filepath.Join(t.TempDir(), "clock.h264")
			if err := os.WriteFile(path, encodeClock(t, c.w, c.h, c.bitrate, n, at), 0o600); err != nil {
				t.Fatal(err)
			}
			src, err := Open(t.Context(), capture.Spec{Kind: capture.KindFile, Address: path})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = src.Close() }()
			f := frame.New(c.w, c.h)
			for i := range n {
				if err := src.Read(t.Context(), f); err != nil {
					t.Fatalf("picture %d: %v", i, err)
				}
				if got, ok := synthetic.ReadTime(f, start); !ok || !got.Equal(at(i)) {
					t.Errorf("picture %d says %v (%v), not %v", i, got, ok, at(i))
				}
			}
		})
	}
}

// encodeClock is n pictures of the scene with times in them, as H.264 in Annex B's form.
func encodeClock(t *testing.T, w, h, bitrate, n int, at func(int) time.Time) []byte {
	t.Helper()
	scene, err := synthetic.New(synthetic.Options{Width: w, Height: h})
	if err != nil {
		t.Fatal(err)
	}
	enc, err := openh264.New(openh264.Options{})(video.Format{Width: w, Height: h, FPS: 30, Bitrate: bitrate})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = enc.Close() }()
	f, out := frame.New(w, h), []byte(nil)
	var p video.Picture
	p.Resize(w, h)
	for i := range n {
		scene.Render(uint64(i), f)
		synthetic.DrawTime(f, at(i))
		if err := opencv.FromBGR(&p, f.Pix); err != nil {
			t.Fatal(err)
		}
		data, _, err := enc.Encode(&p, false)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data...)
	}
	return out
}
