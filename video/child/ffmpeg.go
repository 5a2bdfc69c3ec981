package child

import (
	"fmt"
	"os"
	"strings"

	"github.com/segedge/segedge/video"
)

// ffmpeg is an encoder of the program ffmpeg: its name, and what is added to the command line for it.
type ffmpeg struct {
	name          string
	before, after []string // the input
	device        string   // without which it cannot work
}

// ffmpegs are those of H.264: constrained baseline without reordering, a picture out for each in.
var ffmpegs = []ffmpeg{
	{name: "h264_nvenc", after: strings.Fields("-preset p1 -tune ull -zerolatency 1 -delay 0 -rc cbr -profile:v baseline -forced-idr 1")},
	{name: "h264_qsv", after: strings.Fields("-vf format=nv12 -preset veryfast -async_depth 1 -profile:v baseline -forced_idr 1")},
	{
		name: "h264_vaapi", before: strings.Fields("-vaapi_device /dev/dri/renderD128"),
		after:  strings.Fields("-vf format=nv12,hwupload -profile:v constrained_baseline"),
		device: "/dev/dri/renderD128",
	},
	{name: "h264_v4l2m2m", after: strings.Fields("-bsf:v extract_extradata")},
	{
		name:  "libx264",
		after: strings.Fields("-preset superfast -tune zerolatency -profile:v baseline -refs 1 -sc_threshold 0 -forced-idr 1 -threads 2"),
	},
}

// VP8 is the name of the encoder of VP8: one frame out for each picture, none that is not shown.
const VP8 = "libvpx"

var libvpx = ffmpeg{
	name:  VP8,
	after: strings.Fields("-deadline realtime -cpu-used 8 -error-resilient 1 -lag-in-frames 0 -auto-alt-ref 0 -threads 2"),
}

// Encoders are the names of those of H.264, hardware first.
func Encoders() []string {
	var out []string
	for _, e := range gstreamers {
		out = append(out, e.name)
	}
	for _, e := range ffmpegs {
		out = append(out, e.name)
	}
	return out
}

func ffmpegOf(name string) (ffmpeg, bool) {
	for _, e := range append([]ffmpeg{libvpx}, ffmpegs...) {
		if e.name == name {
			return e, true
		}
	}
	return ffmpeg{}, false
}

func (e *ffmpeg) command(o *Options, f video.Format) []string {
	// Without -fflags nobuffer, by which ffmpeg holds one packet back for good.
	out := append([]string{o.FFmpeg}, strings.Fields("-hide_banner -loglevel error -nostdin -probesize 32 -analyzeduration 0 -threads 1")...)
	out = append(out, e.before...)
	out = append(out, strings.Fields("-f matroska -i pipe:0 -an -vsync passthrough -enc_time_base 1:1000 -bf 0")...)
	out = append(out, "-c:v", e.name, "-g", fmt.Sprint(o.KeyframeInterval), "-b:v", fmt.Sprint(f.Bitrate), "-maxrate", fmt.Sprint(f.Bitrate),
		"-bufsize", fmt.Sprint(f.Bitrate/2), "-force_key_frames", "expr:"+wanted)
	out = append(out, e.after...)
	return append(out, strings.Fields("-color_range tv -colorspace smpte170m -flush_packets 1 "+o.form().muxer+" pipe:1")...)
}

// there says whether the encoder's device is: a child would say so too, in many words.
func (e *ffmpeg) there() bool {
	if e.device == "" {
		return true
	}
	_, err := os.Stat(e.device)
	return err == nil
}
