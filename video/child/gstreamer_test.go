package child

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/video"
)

// withX264 puts an encoder that works anywhere in the place of Jetson's.
func withX264(t *testing.T) {
	t.Helper()
	if exec.Command("gst-inspect-1.0", "x264enc").Run() != nil || exec.Command("gst-inspect-1.0", "flvmux").Run() != nil {
		t.Skip("SKIPPED: no GStreamer with x264enc and flvmux on this machine")
	}
	before := gstreamers
	gstreamers = append(slices.Clone(before), gstreamer{
		"x264enc", "x264enc tune=zerolatency speed-preset=superfast bitrate=KBITS key-int-max=FRAMES option-string=scenecut=0 ! video/x-h264,profile=constrained-baseline",
	})
	t.Cleanup(func() { gstreamers = before })
}

// Through GStreamer too a unit comes for each picture, at once, and a keyframe each second, which can be decoded by itself.
func TestEncodesThroughGStreamer(t *testing.T) {
	withX264(t)
	e := open(t, Options{Encoder: "x264enc"})
	var stream bytes.Buffer
	for n := range 64 {
		unit, key, err := e.Encode(picture(n), n == 5)
		if err != nil {
			t.Fatal(err)
		}
		if want := n%30 == 0; key != want || key != video.IsKeyframe(unit) || key && !decodable(unit) {
			t.Errorf("picture %d: keyframe %t, want %t", n, key, want)
		}
		stream.Write(unit)
	}
	near(t, &stream, 64)
	if err := Probe(t.Context(), Options{Encoder: "x264enc"}); err != nil {
		t.Error(err)
	}
}

// Where Jetson's elements are not, Probe says which is missing.
func TestProbeNamesAMissingElement(t *testing.T) {
	if exec.Command("gst-inspect-1.0", "--version").Run() != nil {
		t.Skip("SKIPPED: no gst-launch-1.0 on this machine")
	}
	if exec.Command("gst-inspect-1.0", "nvv4l2h264enc").Run() == nil {
		t.Skip("SKIPPED: this machine is a Jetson")
	}
	if err := Probe(t.Context(), Options{Encoder: "nvv4l2h264enc"}); err == nil || !strings.Contains(err.Error(), `no element "nvvidconv"`) {
		t.Error(err)
	}
}

// What the command line says of Jetson's encoder, which no machine of the tests has.
func TestGStreamerCommand(t *testing.T) {
	o := Options{Encoder: "nvv4l2h264enc"}
	got := strings.Join(o.command(video.Format{Width: 1280, Height: 720, FPS: 29.97, Bitrate: 2_500_000}), " ")
	for _, want := range []string{"gst-launch-1.0 -q fdsrc fd=0", "framerate=29970/1000", "bitrate=2500000", "idrinterval=30", "fdsink fd=1"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
	if strings.ContainsAny(got, "\n\"'") || strings.Contains(got, "FRAMES") || strings.Contains(got, "BITS") {
		t.Error(got)
	}
}
