package libav

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/testkit"
)

// clip encodes a short video with ffmpeg.
func clip(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg to encode a clip (apt install ffmpeg)")
	}
	path := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("ffmpeg", append(append([]string{"-hide_banner", "-loglevel", "error"}, args...), path)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return path
}

func openFile(t *testing.T, path string) *Source {
	t.Helper()
	spec, err := capture.ParseSource(path)
	if err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	})
	return src
}

// all reads a source to its end and returns the times of its frames.
func all(t *testing.T, src capture.Source, f *frame.Frame) []time.Duration {
	t.Helper()
	var times []time.Duration
	for {
		err := src.Read(t.Context(), f)
		if errors.Is(err, io.EOF) {
			return times
		}
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, f.PTS)
	}
}

func TestFileIsReadIntoTheFrameItself(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "12", "-c:v", "ffv1")
	src := openFile(t, path)
	if i := src.Info(); i != (capture.Info{FPS: 20}) {
		t.Errorf("info %+v", i)
	}
	pool := frame.NewPool(1)
	f := pool.Get()
	f.Resize(320, 240)
	buffer := &f.Pix[0]
	times := all(t, src, f)
	if len(times) != 12 || times[0] != 0 || math.Abs(times[11].Seconds()-0.55) > 1e-3 {
		t.Errorf("times %v", times)
	}
	if &f.Pix[0] != buffer {
		t.Error("the picture was not read into the frame's buffer")
	}
	if err := src.Read(t.Context(), f); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	if want := reference(t, path, 11); !near(f.Pix, want, 2) {
		t.Error("the last picture is not what ffmpeg decodes")
	}
	f.Release()
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}

// In its steady state a read allocates nothing in Go.
func TestReadAllocatesNothing(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "60", "-c:v", "mjpeg")
	src, f := openFile(t, path), frame.New(320, 240)
	got := testing.AllocsPerRun(40, func() {
		if err := src.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	})
	if got >= 1 {
		t.Errorf("%v allocations a read", got)
	}
}

// reference is picture n as ffmpeg shows it, upright, in BGR.
func reference(t *testing.T, path string, n int) []byte {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", path, "-vf", fmt.Sprintf("select=eq(n\\,%d)", n), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// near reports whether two pictures differ by no more than this.
func near(a, b []byte, most int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if d := int(a[i]) - int(b[i]); d > most || d < -most {
			return false
		}
	}
	return true
}

func TestVariableRateKeepsItsTimes(t *testing.T) {
	path := clip(t, "v.mkv", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10",
		"-vf", "select='lt(n,5)+not(mod(n,5))'", "-vsync", "vfr", "-frames:v", "8", "-c:v", "ffv1")
	times := all(t, openFile(t, path), frame.New(64, 64))
	want := []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0, 1.5}
	if len(times) != len(want) {
		t.Fatalf("times %v", times)
	}
	for i, w := range want {
		if math.Abs(times[i].Seconds()-w) > 2e-3 {
			t.Errorf("frame %d at %v, want %.1fs", i, times[i], w)
		}
	}
}

// A picture of odd size is read whole.
func TestOddSize(t *testing.T) {
	odd := clip(t, "odd.avi", "-f", "lavfi", "-i", "testsrc=size=63x41:rate=10", "-frames:v", "2", "-c:v", "ffv1", "-pix_fmt", "bgr0")
	f := frame.New(2, 2)
	if all(t, openFile(t, odd), f); f.Width != 63 || f.Height != 41 || !near(f.Pix, reference(t, odd, 1), 2) {
		t.Errorf("odd: %dx%d", f.Width, f.Height)
	}
}

func TestFilesThatAreNoVideos(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.mp4")
	if err := os.WriteFile(path, []byte("not a video at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), capture.Spec{Kind: capture.KindFile, Address: path})
	if !errors.Is(err, capture.ErrPermanent) || !strings.Contains(err.Error(), "notes.mp4: not a video") {
		t.Errorf("text: %v", err)
	}
	for _, spec := range []capture.Spec{{Kind: capture.KindDevice, Address: "/dev/video99"}, {Kind: capture.KindGStreamer, Address: "a ! appsink"}} {
		if _, err := Open(t.Context(), spec); !errors.Is(err, capture.ErrPermanent) {
			t.Errorf("%v: %v", spec, err)
		}
	}
}

func TestTruncatedFileEnds(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "20", "-c:v", "mjpeg")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if n := len(all(t, openFile(t, path), frame.New(2, 2))); n < 5 || n > 15 {
		t.Errorf("%d frames in half a file of 20", n)
	}
}

// The clips that people will try, where they are at hand.
func TestSharedClips(t *testing.T) {
	dir := testkit.Shared(t, "data", "clips")
	for name, want := range map[string]struct {
		info   capture.Info
		frames int
	}{
		"01_dog.mp4": {}, "02_cups.mp4": {}, "bag.avi": {frames: 196},
	} {
		src := openFile(t, filepath.Join(dir, name))
		info := src.Info()
		f := frame.New(2, 2)
		times := all(t, src, f)
		t.Logf("%s: %+v, %d frames, %v", name, info, len(times), times[len(times)-1])
		if want.frames > 0 && len(times) != want.frames || len(times) < 50 || info.FPS < 10 || info.Live {
			t.Errorf("%s: %+v, %d frames", name, info, len(times))
		}
		expected := float64(len(times)-1) / info.FPS
		if got := times[len(times)-1].Seconds(); math.Abs(got-expected) > 0.1 || !slices.IsSorted(times) {
			t.Errorf("%s: the last frame is at %.2fs, its rate says %.2fs", name, got, expected)
		}
	}
}
