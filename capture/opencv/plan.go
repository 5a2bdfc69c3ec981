package opencv

import (
	"fmt"
	"os"
	"strings"

	"github.com/segedge/segedge/capture"
)

// plan is what OpenCV is to be told.
type plan struct {
	api      int    // of cv::VideoCaptureAPIs
	target   string // path, address or pipeline
	settings []setting
	check    string // what to look at when it does not open
}

// setting is a property to set after opening.
type setting struct {
	property int
	value    float64
}

// From cv::VideoCaptureAPIs and cv::VideoCaptureProperties (OpenCV 4, videoio.hpp).
const (
	apiV4L2      = 200
	apiGStreamer = 1800

	propWidth      = 3
	propHeight     = 4
	propFPS        = 5
	propFourCC     = 6
	propBufferSize = 38
)

// newPlan decides how to open a source.
func newPlan(s capture.Spec) (plan, error) {
	switch s.Kind {
	case capture.KindDevice:
		return plan{api: apiV4L2, target: s.Address, settings: deviceSettings(s), check: deviceCheck(s.Address)}, nil
	case capture.KindGStreamer:
		return plan{
			api: apiGStreamer, target: s.GStreamer(),
			check: "the pipeline does not start; try it with gst-launch-1.0",
		}, nil
	case capture.KindCSI:
		return plan{
			api: apiGStreamer, target: s.GStreamer(),
			check: "csi: is a camera on a Jetson's own port: it needs a Jetson, its camera connected, and nvargus-daemon running; " +
				"elsewhere take /dev/video0 or rtsp://…",
		}, nil
	default:
		return plan{}, capture.Permanent(fmt.Errorf("open %s: OpenCV does not read sources of kind %q", s, s.Kind))
	}
}

// deviceSettings asks a camera for a size and rate. The pixel format goes first, since the driver's list of sizes hangs
// on it: 720p at full rate does not fit through USB 2 uncompressed. A driver picks the nearest that it has.
func deviceSettings(s capture.Spec) []setting {
	var out []setting
	if s.Width*s.Height >= 1280*720 {
		out = append(out, setting{propFourCC, float64(fourCC("MJPG"))})
	}
	if s.Width > 0 && s.Height > 0 {
		out = append(out, setting{propWidth, float64(s.Width)}, setting{propHeight, float64(s.Height)})
	}
	if s.FPS > 0 {
		out = append(out, setting{propFPS, s.FPS})
	}
	return append(out, setting{propBufferSize, 2}) // one to fill, one to read: no queue of old pictures
}

func fourCC(s string) int {
	return int(s[0]) | int(s[1])<<8 | int(s[2])<<16 | int(s[3])<<24
}

// deviceCheck says why a device may not open.
func deviceCheck(path string) string {
	switch _, err := os.Stat(path); {
	case os.IsNotExist(err):
		return "no such device; is the camera plugged in? (v4l2-ctl --list-devices)"
	case os.IsPermission(err):
		return "no permission; add the user to the group video"
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		if os.IsPermission(err) {
			return "no permission; add the user to the group video"
		}
		return "the device does not open: " + strings.TrimPrefix(err.Error(), "open "+path+": ")
	}
	f.Close()
	return "not a camera, or another program is using it"
}
