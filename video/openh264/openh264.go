// Package openh264 is the default H.264 encoder of package video: Cisco's openh264 in its real-time camera mode, constrained
// baseline (profile 42c0), which every browser decodes. It is linked in, from the static libraries that mediadevices
// carries; nothing has to be installed. It calls the library itself, since mediadevices' own encoder can neither keep
// it from writing to standard error nor say how the colours are meant. include/ is openh264's interface (BSD licence).
package openh264

// #cgo CXXFLAGS: -I${SRCDIR}/include -std=c++11
// #include "bridge.h"
import "C"

import (
	"errors"
	"fmt"
	"time"

	_ "github.com/pion/mediadevices/pkg/codec/openh264" // links the library

	"github.com/segedge/segedge/video"
)

// Options of an encoder.
type Options struct {
	// KeyframeInterval is the number of frames between keyframes that nobody asked for; 0 is 120. They let a file be searched, and
	// heal a viewer whose request got lost.
	KeyframeInterval int
}

// New makes encoders for video.Options.NewEncoder.
func New(opts Options) func(video.Format) (video.Encoder, error) {
	if opts.KeyframeInterval <= 0 {
		opts.KeyframeInterval = 120
	}
	return func(f video.Format) (video.Encoder, error) {
		e, err := open(f, opts)
		if err != nil {
			return nil, err // not a nil *encoder in a non-nil interface
		}
		return e, nil
	}
}

type encoder struct {
	format video.Format
	handle *C.h264_encoder // nil once closed
	start  time.Time
}

func open(f video.Format, opts Options) (*encoder, error) {
	if f.Width < 16 || f.Height < 16 || f.Width%2 != 0 || f.Height%2 != 0 || f.FPS <= 0 || f.Bitrate <= 0 {
		return nil, fmt.Errorf("openh264: cannot encode %dx%d at %g frames and %d bits a second", f.Width, f.Height, f.FPS, f.Bitrate)
	}
	e := &encoder{format: f, start: time.Now()}
	if code := C.h264_open(
		C.int(f.Width),
		C.int(f.Height),
		C.float(f.FPS),
		C.int(f.Bitrate),
		C.uint(opts.KeyframeInterval),
		&e.handle,
	); code != 0 {
		return nil, fmt.Errorf(
			"openh264: the encoder refused %dx%d at %g frames and %d bits a second: %w",
			f.Width,
			f.Height,
			f.FPS,
			f.Bitrate,
			codeError(code),
		)
	}
	return e, nil
}

// Encode compresses one picture.
func (e *encoder) Encode(pic *video.Picture, keyframe bool) ([]byte, bool, error) {
	if e.handle == nil {
		return nil, false, errClosed
	}
	if pic.Width != e.format.Width || pic.Height != e.format.Height || len(pic.Pix) != pic.Width*pic.Height*3/2 {
		return nil, false, fmt.Errorf(
			"openh264: picture of %dx%d for an encoder of %dx%d",
			pic.Width,
			pic.Height,
			e.format.Width,
			e.format.Height,
		)
	}
	var force, size C.int
	if keyframe {
		force = 1
	}
	if code := C.h264_encode(e.handle, (*C.uint8_t)(&pic.Pix[0]), C.int64_t(time.Since(e.start).Milliseconds()), force, &size); code != 0 {
		return nil, false, fmt.Errorf("openh264: encode: %w", codeError(code))
	}
	if size == 0 {
		return nil, false, nil
	}
	data := make([]byte, size)
	C.h264_take(e.handle, (*C.uint8_t)(&data[0]))
	return data, video.IsKeyframe(data), nil
}

// SetBitrate changes the target, in bits a second.
func (e *encoder) SetBitrate(bits int) error {
	if e.handle == nil {
		return errClosed
	}
	if code := C.h264_bitrate(e.handle, C.int(bits)); code != 0 {
		return fmt.Errorf("openh264: bitrate %d: %w", bits, codeError(code))
	}
	return nil
}

// Close frees the encoder; a second time does nothing.
func (e *encoder) Close() error {
	if e.handle != nil {
		C.h264_close(e.handle)
		e.handle = nil
	}
	return nil
}

var errClosed = errors.New("openh264: the encoder is closed")

// codeError is an error of the library (codec_def.h, CM_RETURN).
type codeError C.int

func (c codeError) Error() string {
	names := [...]string{"success", "wrong parameters", "unknown reason", "out of memory", "not initialised", "unsupported data"}
	if c >= 0 && int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("error %d", int(c))
}
