package child

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/segedge/segedge/video"
)

// gstreamer is an encoder that only GStreamer reaches: its element's name, and the elements in its place. In these, BITS and KBITS stand
// for the bitrate, and FRAMES for the frames between two keyframes.
type gstreamer struct {
	name     string
	elements string
}

// gstreamers are Jetson's encoder. A command line has no way to ask it for a keyframe: it gives one each second. The settings are those of
// NVIDIA's guide to accelerated GStreamer: constant bitrate, baseline, no B-frames, parameter sets before each keyframe.
var gstreamers = []gstreamer{{
	"nvv4l2h264enc",
	"nvvidconv ! video/x-raw(memory:NVMM),format=NV12 ! nvv4l2h264enc control-rate=1 bitrate=BITS preset-level=1 maxperf-enable=true" +
		" profile=0 num-B-Frames=0 idrinterval=FRAMES iframeinterval=FRAMES insert-sps-pps=true",
}}

func gstreamerOf(name string) (gstreamer, bool) {
	i := slices.IndexFunc(gstreamers, func(e gstreamer) bool { return e.name == name })
	if i < 0 {
		return gstreamer{}, false
	}
	return gstreamers[i], true
}

// command is a pipeline from standard input to standard output. The demuxer does not know the rate, which rate control needs.
func (e *gstreamer) command(f video.Format) []string {
	second := max(1, int(math.Round(f.FPS)))
	values := strings.NewReplacer("KBITS", fmt.Sprint(f.Bitrate/1000), "BITS", fmt.Sprint(f.Bitrate), "FRAMES", fmt.Sprint(second))
	rate := fmt.Sprintf("capssetter caps=video/x-raw,framerate=%d/1000", int(math.Round(f.FPS*1000)))
	return strings.Fields("gst-launch-1.0 -q fdsrc fd=0 blocksize=1048576 ! matroskademux ! " + rate + " ! " + values.Replace(e.elements) +
		" ! h264parse ! video/x-h264,stream-format=avc,alignment=au ! flvmux streamable=true ! fdsink fd=1")
}
