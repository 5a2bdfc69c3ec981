package libav

// #include "av.h"
import "C"

import (
	"context"
	"fmt"
	"strings"

	"github.com/segedge/segedge/capture"
)

// avError is an error of FFmpeg's.
type avError C.int

// failure makes an error of a negative result.
func failure(result C.int) error {
	if result >= 0 {
		return nil
	}
	return avError(result)
}

// reasons say what is wrong, and what to look at, as far as FFmpeg can tell it apart.
var reasons = map[C.int]string{
	C.AV_WHY_UNAUTHORIZED:    "the user's name or the password is wrong, or missing (401)",
	C.AV_WHY_FORBIDDEN:       "it is forbidden to this user (403)",
	C.AV_WHY_NOT_FOUND:       "there is nothing under this path (404)",
	C.AV_WHY_REFUSED_REQUEST: "the server does not take the request (4xx)",
	C.AV_WHY_SERVER:          "the server has failed (5xx)",
	C.AV_WHY_REFUSED:         "connection refused: nothing listens on that port",
	C.AV_WHY_TIMEOUT:         "no answer: timed out",
	C.AV_WHY_UNREACHABLE:     "the host cannot be reached from here",
	C.AV_WHY_RESET:           "the other side has closed the connection",
	C.AV_WHY_TRANSPORT:       "it takes neither TCP nor UDP for the video (461)",
	C.AV_WHY_NOT_VIDEO:       "not a video that FFmpeg can read",
	C.AV_WHY_ENDLESS:         "64 MiB came in which no picture ended",
	C.AV_WHY_NO_STREAM:       "there is no video in it",
	C.AV_WHY_NO_DECODER:      "this FFmpeg has no decoder for its codec",
	C.AV_WHY_ENDED:           "it ended at once",
	C.AV_WHY_MISSING:         "no such file",
	C.AV_WHY_PERMISSION:      "no permission to read it",
	C.AV_WHY_PROTOCOL:        "this FFmpeg does not know the protocol, or may not use it here",
}

func (e avError) Error() string {
	if text, ok := reasons[C.av_why(C.int(e))]; ok {
		return text
	}
	var buf [128]C.char
	C.av_text(C.int(e), &buf[0], C.int(len(buf)))
	return strings.ToLower(C.GoString(&buf[0]))
}

// openError is the error of an opening that failed. A file stays as it is; anything else may come back.
func openError(ctx context.Context, s capture.Spec, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err = fmt.Errorf("open %s: %w", s, err)
	if s.Kind == capture.KindFile {
		return capture.Permanent(err)
	}
	return err
}

func readError(s capture.Spec, err error) error { return fmt.Errorf("read %s: %w", s, err) }
