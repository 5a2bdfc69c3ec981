// Package opencv reads cameras and GStreamer pipelines through OpenCV, straight into the pinned buffers of frames. It is a
// leaf that calls C. It reads no files and no network streams, of whose pictures OpenCV hides too much: those are for
// capture/libav. It does not supervise: it answers errors, and leaves stalls and reopening to capture.
package opencv

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

// Source is an open OpenCV capture. One goroutine uses it.
type Source struct {
	vc   *gocv.VideoCapture
	spec capture.Spec
	info capture.Info
	w, h int // what the next picture will probably measure
}

var (
	_ capture.Source    = (*Source)(nil)
	_ capture.Describer = (*Source)(nil)
)

// Opener opens spec anew on each call.
func Opener(spec capture.Spec) capture.Opener {
	return func(ctx context.Context) (capture.Source, error) { return Open(ctx, spec) }
}

// Open opens a camera or a GStreamer pipeline. Its errors name the source without secrets and say what to look at.
// OpenCV may hang in it, and in Read, whatever ctx says: of GStreamer's pipelines so often that they are read in a
// process of their own (capture/worker).
func Open(ctx context.Context, spec capture.Spec) (capture.Source, error) {
	p, err := newPlan(spec)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.api == apiGStreamer {
		if err := checkPipeline(p.target); err != nil {
			return nil, pipelineFault(spec, p.check, err)
		}
	}
	vc, err := gocv.VideoCaptureFileWithAPI(p.target, gocv.VideoCaptureAPI(p.api))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %s", spec, p.check), vc.Close())
	}
	for _, s := range p.settings {
		vc.Set(gocv.VideoCaptureProperties(s.property), s.value)
	}
	s := &Source{vc: vc, spec: spec}
	s.w, s.h = int(vc.Get(gocv.VideoCaptureFrameWidth)), int(vc.Get(gocv.VideoCaptureFrameHeight))
	s.info = capture.Info{Width: s.w, Height: s.h, Live: true}
	if fps := vc.Get(gocv.VideoCaptureFPS); capture.Rate(fps) == fps {
		s.info.FPS = fps
	}
	return s, nil
}

// pipelineFault is what GStreamer says of a pipeline that it does not take. Where a Jetson's camera element is missing nothing will come by
// trying again.
func pipelineFault(spec capture.Spec, check string, err error) error {
	if spec.Kind != capture.KindCSI {
		return fmt.Errorf("open %s: %w", spec, err)
	}
	err = fmt.Errorf("open %s: %s (%w)", spec, check, err)
	if strings.Contains(err.Error(), `no element "nvarguscamerasrc"`) {
		return capture.Permanent(err)
	}
	return err
}

// Info describes the open source.
func (s *Source) Info() capture.Info { return s.info }

// Close closes it.
func (s *Source) Close() error { return s.vc.Close() }

// Read fetches the next picture into dst. It blocks in C for as long as OpenCV likes; ctx is looked at before.
func (s *Source) Read(ctx context.Context, dst *frame.Frame) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ok, err := s.fill(dst)
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", s.spec, err)
	case !ok:
		return fmt.Errorf("read %s: the source gives no more pictures", s.spec)
	}
	return nil
}

var errFormat = errors.New(
	"the picture is not 8-bit BGR; put \"videoconvert ! video/x-raw,format=BGR\" before the appsink, or choose another pixel format",
)

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
