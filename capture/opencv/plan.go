package opencv

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/segedge/segedge/capture"
)

// plan is what OpenCV is to be told: the twin, without OpenCV, of an opening.
type plan struct {
	api      int    // of cv::VideoCaptureAPIs
	target   string // path, address or pipeline
	settings []setting
	options  string        // for OPENCV_FFMPEG_CAPTURE_OPTIONS
	limit    time.Duration // a read that waited nearly so long has met a dead connection; 0 where that cannot be told
	check    string        // what to look at when it does not open
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
	apiFFmpeg    = 1900

	propWidth      = 3
	propHeight     = 4
	propFPS        = 5
	propFourCC     = 6
	propBufferSize = 38
)

// networkLimit is how long a socket may be silent: less than the age at which a source counts as stalled plus what
// reopening takes, and more than the gap that a camera's slow key frame leaves.
const networkLimit = 2 * time.Second

// httpLimit is the same for HTTP, where segments come in bursts.
const httpLimit = 4 * time.Second

// newPlan decides how to open a source with the FFmpeg of a major version (that of libavformat; 0 if unknown).
func newPlan(s capture.Spec, libavformat int) (plan, error) {
	switch s.Kind {
	case capture.KindDevice:
		return plan{api: apiV4L2, target: s.Address, settings: deviceSettings(s), check: deviceCheck(s.Address)}, nil
	case capture.KindFile:
		return plan{api: apiFFmpeg, target: s.Address, check: "not a video that FFmpeg can read"}, nil
	case capture.KindRTSP:
		return plan{api: apiFFmpeg, target: s.Address, limit: networkLimit, options: rtspOptions(libavformat),
			check: "nothing answers there, the path or the password is wrong, or the stream has no video"}, nil
	case capture.KindHTTP:
		return plan{api: apiFFmpeg, target: s.Address, options: option("rw_timeout", httpLimit),
			check: "nothing answers there, or what it answers is no video"}, nil
	case capture.KindGStreamer:
		return plan{api: apiGStreamer, target: s.GStreamer(),
			check: "the pipeline does not start; try it with gst-launch-1.0"}, nil
	case capture.KindCSI:
		return plan{api: apiGStreamer, target: s.GStreamer(),
			check: "nvarguscamerasrc does not start: this needs a Jetson, its camera connected, and nvargus-daemon running"}, nil
	}
	return plan{}, capture.Permanent(fmt.Errorf("open %s: OpenCV does not read sources of kind %q", s, s.Kind))
}

// refuse is the error of an opening that failed. A file stays as it is; anything else may come back.
func (p plan) refuse(s capture.Spec) error {
	err := fmt.Errorf("open %s: %s", s, p.check)
	if s.Kind == capture.KindFile {
		return capture.Permanent(err)
	}
	return err
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

// rtspOptions: TCP, since packets lost on UDP become grey smears, and a limit on the socket's silence. FFmpeg 5
// (libavformat 59) renamed the latter; the new name means "listen for a caller" to the older ones.
func rtspOptions(libavformat int) string {
	name := "timeout"
	if libavformat > 0 && libavformat < 59 {
		name = "stimeout"
	}
	return "rtsp_transport;tcp|" + option(name, networkLimit)
}

// option is a time in microseconds as OPENCV_FFMPEG_CAPTURE_OPTIONS wants it.
func option(name string, d time.Duration) string {
	return name + ";" + strconv.FormatInt(d.Microseconds(), 10)
}

// ffmpegMajor is the major version of the libavformat that this process has loaded, 0 if it cannot be told.
func ffmpegMajor() int {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0
	}
	defer f.Close()
	return findFFmpeg(f)
}

var avformat = regexp.MustCompile(`/libavformat\.so\.(\d+)`)

// findFFmpeg looks through a list of mapped files (proc(5), /proc/pid/maps).
func findFFmpeg(maps io.Reader) int {
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		if m := avformat.FindSubmatch(lines.Bytes()); m != nil {
			n, _ := strconv.Atoi(string(m[1])) // digits, by the expression
			return n
		}
	}
	return 0
}
