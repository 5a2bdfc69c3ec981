// Package libav reads video files and network streams through FFmpeg's libraries, the same that OpenCV is linked to: it
// sees every picture's own size, shape and turn, what the stream says of itself, and why something failed, none of which
// OpenCV passes on. It is a leaf that calls C. It does not supervise: it ends when its context does, tells when bytes
// last came, and leaves limits and reopening to capture.
package libav

// #cgo pkg-config: libavformat libavcodec libswscale libavutil
// #cgo LDFLAGS: -lm
// #cgo CFLAGS: -std=gnu11 -Wall -Wno-deprecated-declarations
// #include <stdlib.h>
// #include "av.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"
	"unsafe"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

// Source is an open file or stream. One goroutine opens, reads and closes it; Active may be called from any.
type Source struct {
	spec capture.Spec
	info capture.Info

	mu  sync.Mutex // held while c is stopped from outside, or freed
	c   *C.av_source
	end func() bool // forgets the context

	turned *frame.Frame // a picture that is to be turned
	frames int
	zero   time.Duration // the source's time at the first frame
	last   time.Duration // the newest frame's PTS
}

var (
	_ capture.Source    = (*Source)(nil)
	_ capture.Describer = (*Source)(nil)
	_ capture.Listener  = (*Source)(nil)
)

// Opener opens spec anew on each call.
func Opener(spec capture.Spec) capture.Opener {
	return func(ctx context.Context) (capture.Source, error) {
		s, err := Open(ctx, spec)
		if err != nil {
			return nil, err // a nil *Source would not be a nil Source
		}
		return s, nil
	}
}

// Open opens a file or a stream, which ends with ctx. Its errors name the source without secrets and say what is wrong;
// those of files wrap capture.ErrPermanent.
func Open(ctx context.Context, spec capture.Spec) (*Source, error) {
	p, err := newPlan(spec)
	if err != nil {
		return nil, err
	}
	if err := resolve(ctx, spec); err != nil {
		return nil, err
	}
	s := &Source{spec: spec, c: C.av_source_new(), turned: frame.New(2, 2)}
	if s.c == nil {
		return nil, errors.New("out of memory")
	}
	s.end = context.AfterFunc(ctx, s.stop)
	if err := s.open(p); err != nil {
		return nil, errors.Join(openError(ctx, spec, err), s.Close())
	}
	s.describe()
	return s, nil
}

// describe asks what is known of the stream.
func (s *Source) describe() {
	facts := C.av_source_facts(s.c)
	s.info = capture.Info{Live: s.spec.Kind == capture.KindRTSP || facts.recorded == 0, Paced: facts.bursts != 0}
	if fps := float64(facts.fps); !s.info.Live || capture.Rate(fps) == fps {
		s.info.FPS = capture.Rate(fps)
	}
}

func (s *Source) open(p plan) error {
	target, options, protocols := C.CString(p.target), C.CString(p.options), C.CString(p.protocols)
	defer C.free(unsafe.Pointer(target))
	defer C.free(unsafe.Pointer(options))
	defer C.free(unsafe.Pointer(protocols))
	described := C.int(0)
	if p.described {
		described = 1
	}
	return failure(C.av_source_open(s.c, target, options, protocols, described))
}

// stop ends what is under way, from any goroutine.
func (s *Source) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c != nil {
		C.av_source_stop(s.c)
	}
}

// Info describes the open source, all that is to be known once the first picture has come.
func (s *Source) Info() capture.Info { return s.info }

// Active is when bytes last came, of whatever kind.
func (s *Source) Active() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(C.av_source_idle(s.c)) * time.Microsecond)
}

// Close closes it. What a server is told in parting takes a third of a second at most.
func (s *Source) Close() error {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c != nil {
		C.av_source_free(s.c)
		s.c = nil
	}
	return nil
}

// Read decodes the next picture into dst: upright and with square pixels, whatever its size now is. A picture that
// cannot be decoded is passed over.
func (s *Source) Read(ctx context.Context, dst *frame.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	got := C.av_source_read(s.c)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case got < 0:
		return readError(s.spec, failure(got))
	case got == 0:
		return s.ended()
	}
	if err := s.picture(dst); err != nil {
		return readError(s.spec, err)
	}
	if s.frames++; s.frames == 1 && s.info.FPS == 0 {
		s.describe()
	}
	return nil
}

// picture fetches the picture that was decoded.
func (s *Source) picture(dst *frame.Frame) error {
	shape := C.av_source_shape(s.c)
	w, h := int(shape.width), int(shape.height)
	if w*h > maxPixels {
		return fmt.Errorf("a picture of %d×%d is larger than the %d megapixels that are taken", w, h, maxPixels>>20)
	}
	into := dst
	if shape.turn != 1 {
		into = s.turned
	}
	into.Resize(w, h)
	if err := failure(C.av_source_pixels(s.c, (*C.uint8_t)(&into.Pix[0]), shape.width, shape.height)); err != nil {
		return err
	}
	if shape.turn != 1 {
		frame.Orient(dst, into, frame.Orientation(shape.turn))
	}
	dst.PTS = s.pts(float64(shape.seconds))
	return nil
}

// maxPixels bounds one picture: 8192 × 8192.
const maxPixels = 64 << 20

// ended is what the end means: that of a recording, or a failure of anything live.
func (s *Source) ended() error {
	switch {
	case s.info.Live:
		return fmt.Errorf("read %s: the stream has ended", s.spec)
	case s.frames == 0:
		return capture.Permanent(fmt.Errorf("read %s: not a single picture can be decoded", s.spec))
	}
	return io.EOF
}

// pts is the time of a picture from the first one on; one without a time follows at the source's rate. A live source has
// none: cameras step their clocks and stamp single pictures hours off, and what counts is when a picture came.
func (s *Source) pts(seconds float64) time.Duration {
	if s.info.Live && !s.info.Paced {
		return 0
	}
	t := s.last + time.Duration(float64(time.Second)/capture.Rate(s.info.FPS))
	if !math.IsNaN(seconds) {
		own := time.Duration(seconds * float64(time.Second))
		if s.frames == 0 {
			s.zero = own
		}
		if own -= s.zero; own > s.last || s.frames == 0 {
			t = own
		}
	} else if s.frames == 0 {
		t = 0
	}
	s.last = t
	return t
}
