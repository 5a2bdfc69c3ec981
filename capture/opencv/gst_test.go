package opencv

import (
	"strings"
	"testing"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

// pipeline opens a GStreamer pipeline as a person writes it.
func pipeline(t *testing.T, text string) (capture.Source, error) {
	t.Helper()
	if err := checkPipeline("videotestsrc ! videoconvert ! appsink"); err != nil {
		t.Skipf("no GStreamer, or without its base plugins (apt install gstreamer1.0-plugins-base): %v", err)
	}
	spec, err := capture.ParseSource(text)
	if err != nil {
		t.Fatal(err)
	}
	return Open(t.Context(), spec)
}

// Pipelines as people paste them give BGR pictures, whatever format theirs end with.
func TestGStreamerPipelines(t *testing.T) {
	const g = "videotestsrc num-buffers=5 ! video/x-raw,width=320,height=240,framerate=15/1"
	for _, text := range []string{
		"gst: " + g, "gst:" + g + " !", "gst: gst-launch-1.0 -v " + g, "gst: " + g + " ! videoconvert ! appsink",
		"gst: " + g + ",format=NV12 ! appsink", "gst: " + g + ",format=BGRx ! appsink drop=1", "gst: " + g + ",format=GRAY16_LE ! appsink",
	} {
		src, err := pipeline(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		f := frame.New(2, 2)
		n := 0
		for ; err == nil; n++ {
			err = src.Read(t.Context(), f)
		}
		if n < 2 || f.Width != 320 || f.Height != 240 || !src.(capture.Describer).Info().Live {
			t.Errorf("%s: %d frames of %dx%d, then %v", text, n, f.Width, f.Height, err)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// What is wrong with a pipeline is what GStreamer says is wrong with it. OpenCV 4.6 hangs on some of these.
func TestPipelinesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"gst: nonsense ! foo":                            `no element "nonsense"`,
		"gst: videotestsrc ! fakesink ! fakesink":        "could not link",
		"gst: videotestsrc colour=green ! videoconvert":  `no property "colour"`,
		"gst: videotestsrc ! video/x-raw,format=NOPE":    "could not link",
		"gst: rtspsrc location=rtsp://u:geheim@h/x ! no": "no element",
	} {
		if src, err := pipeline(t, text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v, %v", text, src, err)
		}
	}
}
