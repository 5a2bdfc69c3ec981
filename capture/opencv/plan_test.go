package opencv

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/capture"
)

// What OpenCV is told for each kind of source. No camera exists where these tests run: they show the arguments.
func TestPlan(t *testing.T) {
	cases := map[string]struct {
		spec    capture.Spec
		ffmpeg  int
		api     int
		target  string
		options string
	}{
		"device":        {capture.Spec{Kind: capture.KindDevice, Address: "/dev/video2"}, 59, 200, "/dev/video2", ""},
		"file":          {capture.Spec{Kind: capture.KindFile, Address: "a.mp4"}, 59, 1900, "a.mp4", ""},
		"rtsp":          {capture.Spec{Kind: capture.KindRTSP, Address: "rtsp://u:p@h/x"}, 59, 1900, "rtsp://u:p@h/x", "rtsp_transport;tcp|timeout;2000000"},
		"rtsp, old":     {capture.Spec{Kind: capture.KindRTSP, Address: "rtsp://h/x"}, 58, 1900, "rtsp://h/x", "rtsp_transport;tcp|stimeout;2000000"},
		"rtsp, unknown": {capture.Spec{Kind: capture.KindRTSP, Address: "rtsp://h/x"}, 0, 1900, "rtsp://h/x", "rtsp_transport;tcp|timeout;2000000"},
		"http":          {capture.Spec{Kind: capture.KindHTTP, Address: "http://h/x"}, 59, 1900, "http://h/x", "rw_timeout;4000000"},
		"gst":           {capture.Spec{Kind: capture.KindGStreamer, Address: "a ! appsink"}, 59, 1800, "a ! appsink", ""},
		"csi": {capture.Spec{Kind: capture.KindCSI, Sensor: 1}, 59, 1800, "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1 ! " +
			"nvvidconv ! video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! appsink drop=1 max-buffers=1 sync=false", ""},
	}
	for name, c := range cases {
		p, err := newPlan(c.spec, c.ffmpeg)
		if err != nil || p.api != c.api || p.target != c.target || p.options != c.options || p.check == "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := newPlan(capture.Spec{Kind: capture.KindSynthetic}, 0); !errors.Is(err, capture.ErrPermanent) {
		t.Errorf("synthetic: %v", err)
	}
}

func TestDeviceSettings(t *testing.T) {
	for name, c := range map[string]struct {
		spec capture.Spec
		want []setting
	}{
		"its own":          {capture.Spec{}, []setting{{propBufferSize, 2}}},
		"small":            {capture.Spec{Width: 640, Height: 480, FPS: 15}, []setting{{propWidth, 640}, {propHeight, 480}, {propFPS, 15}, {propBufferSize, 2}}},
		"large: as JPEG":   {capture.Spec{Width: 1280, Height: 720}, []setting{{propFourCC, 0x47504a4d}, {propWidth, 1280}, {propHeight, 720}, {propBufferSize, 2}}},
		"half a size: not": {capture.Spec{Width: 640}, []setting{{propBufferSize, 2}}},
	} {
		if got := deviceSettings(c.spec); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestDeviceCheckSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	locked := filepath.Join(dir, "video0")
	if err := os.WriteFile(locked, nil, 0); err != nil {
		t.Fatal(err)
	}
	cases := map[string]string{
		filepath.Join(dir, "video9"): "plugged in",
		locked:                       "group video",
		os.DevNull:                   "not a camera",
		dir:                          "is a directory",
	}
	if os.Getuid() == 0 {
		cases[locked] = "not a camera" // root may open it
	}
	for path, want := range cases {
		if got := deviceCheck(path); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestRefusalsOfFilesArePermanent(t *testing.T) {
	p := plan{check: "because"}
	if err := p.refuse(capture.Spec{Kind: capture.KindFile, Address: "a.mp4"}); !errors.Is(err, capture.ErrPermanent) || err.Error() != "open a.mp4: because" {
		t.Errorf("file: %v", err)
	}
	if err := p.refuse(capture.Spec{Kind: capture.KindRTSP, Address: "rtsp://u:p@h/x"}); errors.Is(err, capture.ErrPermanent) || err.Error() != "open rtsp://***@h/x: because" {
		t.Errorf("stream: %v", err)
	}
}

func TestFindFFmpeg(t *testing.T) {
	maps := "7f00-7f01 r-xp 0 08:01 1 /usr/lib/x86_64-linux-gnu/libopencv_core.so.406\n" +
		"7f02-7f03 r-xp 0 08:01 2 /usr/lib/x86_64-linux-gnu/libavformat.so.59.27.100\n"
	if got := findFFmpeg(strings.NewReader(maps)); got != 59 {
		t.Errorf("found %d", got)
	}
	if got := findFFmpeg(strings.NewReader("")); got != 0 {
		t.Errorf("found %d in nothing", got)
	}
	if got := ffmpegMajor(); got != 0 && got < 50 {
		t.Errorf("this process has libavformat %d", got)
	}
}
