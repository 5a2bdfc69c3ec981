// Package opencv reads cameras, streams, video files and GStreamer pipelines through OpenCV, straight into the pinned
// buffers of frames. It is the only part of capture that calls C. It does not supervise: it opens with limits, answers
// errors, and leaves stalls and reopening to capture.
package opencv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

// Source is an open OpenCV capture. One goroutine uses it.
type Source struct {
	vc     *gocv.VideoCapture
	spec   capture.Spec
	plan   plan
	info   capture.Info
	w, h   int // what the next picture will probably measure
	frames int
	zero   time.Duration // the source's time at the first frame
	last   time.Duration // the newest frame's PTS
}

var (
	_ capture.Source    = (*Source)(nil)
	_ capture.Describer = (*Source)(nil)
)

// Opener opens spec anew on each call.
func Opener(spec capture.Spec) capture.Opener {
	return func(ctx context.Context) (capture.Source, error) { return Open(ctx, spec) }
}

// optionsEnv carries FFmpeg's options to OpenCV (cap_ffmpeg_impl.hpp): "name;value|name;value".
const optionsEnv = "OPENCV_FFMPEG_CAPTURE_OPTIONS"

// turn is held while FFmpeg opens a source: its options travel in an environment variable, which belongs to the whole
// process. An opening is bounded by those very options.
var turn = make(chan struct{}, 1)

// Open opens a source of any kind but the built-in scene. Folders of images are read without OpenCV. Its errors name
// the source without secrets and say what to look at; those of files wrap capture.ErrPermanent.
func Open(ctx context.Context, spec capture.Spec) (capture.Source, error) {
	if spec.Kind == capture.KindImages {
		return capture.OpenImages(spec)
	}
	p, err := newPlan(spec, ffmpegMajor())
	if err != nil {
		return nil, err
	}
	vc, err := open(ctx, p)
	switch {
	case ctx.Err() != nil && vc == nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, p.refuse(spec)
	}
	for _, s := range p.settings {
		vc.Set(gocv.VideoCaptureProperties(s.property), s.value)
	}
	s := &Source{vc: vc, spec: spec, plan: p}
	s.w, s.h = int(vc.Get(gocv.VideoCaptureFrameWidth)), int(vc.Get(gocv.VideoCaptureFrameHeight))
	s.info = capture.Info{Width: s.w, Height: s.h, Live: spec.Live()}
	if fps := vc.Get(gocv.VideoCaptureFPS); !s.info.Live || capture.Rate(fps) == fps {
		s.info.FPS = capture.Rate(fps)
	}
	return s, nil
}

// open is the opening proper, with FFmpeg's options in the environment. Options that the user has put there stay.
func open(ctx context.Context, p plan) (*gocv.VideoCapture, error) {
	if p.api == apiFFmpeg {
		select {
		case turn <- struct{}{}:
			defer func() { <-turn }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if _, set := os.LookupEnv(optionsEnv); !set && p.options != "" {
			if err := os.Setenv(optionsEnv, p.options); err != nil {
				return nil, err
			}
			defer os.Unsetenv(optionsEnv)
		}
	}
	vc, err := gocv.VideoCaptureFileWithAPI(p.target, gocv.VideoCaptureAPI(p.api))
	if err != nil {
		vc.Close()
		return nil, err
	}
	return vc, nil
}

// Info describes the open source.
func (s *Source) Info() capture.Info { return s.info }

// Close closes it.
func (s *Source) Close() error { return s.vc.Close() }

// Read decodes the next picture into dst. It blocks in C for as long as the source's limit; ctx is looked at before.
func (s *Source) Read(ctx context.Context, dst *frame.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	began := time.Now()
	ok, err := s.fill(dst)
	took := time.Since(began)
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", s.spec, err)
	case !ok:
		return s.ended()
	case s.plan.limit > 0 && took >= s.plan.limit*3/4:
		// FFmpeg answers a dead connection once with the picture it had: not a new one.
		return fmt.Errorf("read %s: nothing came for %.1fs, and the connection is dead", s.spec, took.Seconds())
	}
	dst.PTS = s.pts()
	s.frames++
	return nil
}

// ended is what a read without a picture means: the end of a file, a failure of anything live.
func (s *Source) ended() error {
	if s.info.Live {
		return fmt.Errorf("read %s: the source gives no more pictures", s.spec)
	}
	if s.frames == 0 {
		return capture.Permanent(fmt.Errorf("read %s: not a single picture can be decoded", s.spec))
	}
	return io.EOF
}

var errFormat = errors.New("the picture is not 8-bit BGR; put \"videoconvert ! video/x-raw,format=BGR\" before the appsink, or choose another pixel format")

// fill reads into the frame's own buffer where the picture has the size expected, else with one copy.
func (s *Source) fill(dst *frame.Frame) (bool, error) {
	dst.Resize(max(s.w, 2), max(s.h, 2))
	m, err := gocv.NewMatFromBytes(dst.Height, dst.Width, gocv.MatTypeCV8UC3, dst.Pix)
	if err != nil {
		return false, err
	}
	defer m.Close()
	if !s.vc.Read(&m) || m.Empty() {
		return false, nil
	}
	if m.Type() != gocv.MatTypeCV8UC3 {
		return false, errFormat
	}
	data, err := m.DataPtrUint8()
	if err != nil {
		return false, err
	}
	if &data[0] != &dst.Pix[0] { // OpenCV has put another buffer in its place
		s.w, s.h = m.Cols(), m.Rows()
		dst.Resize(s.w, s.h)
		copy(dst.Pix, data)
	}
	return true, nil
}

// pts is the time of the picture just read, from the first one on; 0 where the source does not know it. OpenCV gives the
// last pictures of a file, those that FFmpeg's decoder still held at its end, the time 0: they follow at the file's rate.
func (s *Source) pts() time.Duration {
	if s.info.Live && s.spec.Kind != capture.KindRTSP {
		return 0
	}
	t := time.Duration(s.vc.Get(gocv.VideoCapturePosMsec) * float64(time.Millisecond))
	if s.frames == 0 {
		s.zero, s.last = t, 0
		return 0
	}
	if t -= s.zero; t <= s.last {
		t = s.last + time.Duration(float64(time.Second)/capture.Rate(s.info.FPS))
	}
	s.last = t
	return t
}
