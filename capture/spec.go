package capture

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/segedge/segedge/secret"
)

// SourceKind says what reads a source.
type SourceKind string

// The kinds of sources.
const (
	KindSynthetic SourceKind = "synthetic" // the built-in scene
	KindDevice    SourceKind = "device"    // a V4L2 camera
	KindFile      SourceKind = "file"      // a video file
	KindImages    SourceKind = "images"    // still pictures in order
	KindRTSP      SourceKind = "rtsp"      // rtsp:// or rtsps://
	KindHTTP      SourceKind = "http"      // MJPEG, HLS or a file over HTTP
	KindGStreamer SourceKind = "gst"       // a GStreamer pipeline
	KindCSI       SourceKind = "csi"       // a camera on a Jetson's CSI port
)

// Spec is a source's address, read.
type Spec struct {
	Kind    SourceKind
	Address string   // path, URL, device or pipeline, as the reader of this kind wants it; secrets in clear
	Sensor  int      // of KindCSI
	Preset  string   // of KindSynthetic; "" for the default
	Files   []string // of KindImages, in order

	// What is asked of the source; 0 leaves it its own. A file has its own and is not asked; still pictures are shown
	// at FPS, 30 by default.
	Width, Height int
	FPS           float64
}

// String is the source as it may be logged: without passwords.
func (s Spec) String() string {
	switch s.Kind {
	case KindSynthetic:
		if s.Preset != "" {
			return "synthetic:" + s.Preset
		}
		return "synthetic"
	case KindImages:
		return fmt.Sprintf("%s (%d images)", s.Address, len(s.Files))
	case KindCSI:
		return fmt.Sprintf("csi:%d", s.Sensor)
	case KindGStreamer:
		return "gst: " + Mask(s.Address)
	default:
		return Mask(s.Address)
	}
}

// GStreamer is the pipeline that OpenCV is to run for a CSI camera or a pipeline of the user's; "" for other kinds. A
// pipeline that names no appsink gets one that keeps the newest frame only, since OpenCV takes its frames from there; in
// front of any appsink, the picture is made BGR.
func (s Spec) GStreamer() string {
	const sink = "appsink drop=1 max-buffers=1 sync=false"
	switch s.Kind {
	case KindGStreamer:
		const bgr = "! videoconvert ! video/x-raw,format=BGR "
		if at := appsink.FindStringIndex(s.Address); at == nil {
			return strings.TrimRight(s.Address, " !") + " " + bgr + "! " + sink
		} else if before := s.Address[:at[0]]; !isBGR.MatchString(before) {
			return before + bgr + s.Address[at[0]:]
		}
		return s.Address
	case KindCSI:
		return fmt.Sprintf("nvarguscamerasrc sensor-id=%d ! video/x-raw(memory:NVMM),width=%d,height=%d,framerate=%d/1 ! "+
			"nvvidconv ! video/x-raw,format=BGRx ! videoconvert ! video/x-raw,format=BGR ! "+sink,
			s.Sensor, or(s.Width, 1280), or(s.Height, 720), or(int(s.FPS+0.5), 30))
	default:
		return ""
	}
}

func or(v, def int) int {
	if v > 0 {
		return v
	}
	return def
}

var (
	appsink = regexp.MustCompile(`!\s*appsink\b`)
	isBGR   = regexp.MustCompile(`format=(\(string\))?"?BGR"?\s*$`)
)

// Mask hides what looks like a password, a token or a user's name in URLs and pipelines: text that is to be logged.
func Mask(s string) string { return secret.MaskValue(s) }
