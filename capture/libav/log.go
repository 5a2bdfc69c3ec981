package libav

// #include "av.h"
import "C"

import (
	"log/slog"
	"sync/atomic"

	"github.com/segedge/segedge/capture"
)

// lines takes what FFmpeg says; nil throws it away.
var lines atomic.Pointer[capture.Lines]

func init() { C.av_catch_log() } // else FFmpeg would write to the terminal, passwords and all

// LogTo sends FFmpeg's own lines, which belong to the whole process, to a log: with secrets masked, and few of each.
func LogTo(l *slog.Logger) {
	lines.Store(capture.NewLines(l.With("from", "ffmpeg")))
}

// What FFmpeg calls an error (libavutil/log.h: AV_LOG_ERROR); a larger number is less.
const levelError = 16

//export segedgeFFmpegLine
func segedgeFFmpegLine(level C.int, line *C.char) {
	if l := lines.Load(); l != nil {
		l.Say(level <= levelError, C.GoString(line))
	}
}
