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
		spec   capture.Spec
		api    int
		target string
	}{
		"device": {capture.Spec{Kind: capture.KindDevice, Address: "/dev/video2"}, 200, "/dev/video2"},
		"gst":    {capture.Spec{Kind: capture.KindGStreamer, Address: "a ! videoconvert ! video/x-raw,format=BGR ! appsink"}, 1800, "a ! videoconvert ! video/x-raw,format=BGR ! appsink"},
		"csi": {capture.Spec{Kind: capture.KindCSI, Sensor: 1}, 1800, "nvarguscamerasrc sensor-id=1 ! video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1 ! " +
			"nvvidconv ! video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! appsink drop=1 max-buffers=1 sync=false"},
	}
	for name, c := range cases {
		p, err := newPlan(c.spec)
		if err != nil || p.api != c.api || p.target != c.target || p.check == "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := newPlan(capture.Spec{Kind: capture.KindFile}); !errors.Is(err, capture.ErrPermanent) {
		t.Errorf("file: %v", err)
	}
}

// Off a Jetson its camera never comes, which is said with what to take; where only its daemon is away it may.
func TestACameraOfAJetson(t *testing.T) {
	csi := capture.Spec{Kind: capture.KindCSI}
	p, err := newPlan(csi)
	if err != nil {
		t.Fatal(err)
	}
	for said, permanent := range map[string]bool{`no element "nvarguscamerasrc"`: true, "nvargus-daemon does not answer": false} {
		err := pipelineFault(csi, p.check, errors.New(said))
		if errors.Is(err, capture.ErrPermanent) != permanent || !strings.Contains(err.Error(), "needs a Jetson") || !strings.Contains(err.Error(), said) {
			t.Errorf("%s: %v", said, err)
		}
	}
	if err := pipelineFault(capture.Spec{Kind: capture.KindGStreamer}, "", errors.New(`no element "x"`)); errors.Is(err, capture.ErrPermanent) {
		t.Error(err)
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
