// Package openh264 is the default H.264 encoder of package video: Cisco's openh264 in its real-time camera mode, constrained
// baseline (profile 42c0), which every browser decodes. It is linked in; nothing has to be installed.
package openh264

import (
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/pion/mediadevices/pkg/codec"
	codech264 "github.com/pion/mediadevices/pkg/codec/openh264"
	"github.com/pion/mediadevices/pkg/prop"

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
	img    image.YCbCr // a view of the picture being encoded
	codec  codec.ReadCloser
	keys   codec.KeyFrameController
	rate   codec.BitRateController
}

func open(f video.Format, opts Options) (*encoder, error) {
	if f.Width < 16 || f.Height < 16 || f.Width%2 != 0 || f.Height%2 != 0 || f.FPS <= 0 || f.Bitrate <= 0 {
		return nil, fmt.Errorf("openh264: cannot encode %dx%d at %g frames and %d bits a second", f.Width, f.Height, f.FPS, f.Bitrate)
	}
	p, err := codech264.NewParams()
	if err != nil {
		return nil, fmt.Errorf("openh264: %w", err)
	}
	p.BitRate = f.Bitrate
	p.IntraPeriod = uint(opts.KeyframeInterval)
	p.EnableFrameSkip = false // a viewer's clock and the frame counts stay true; the quality gives way instead
	p.MultipleThreadIdc = 1   // one core of a small box; the tracker and the model have the others
	p.SliceMode, p.SliceNum, p.SliceSizeConstraint = codech264.SMSingleSlice, 1, 0
	e := &encoder{format: f}
	e.codec, err = p.BuildVideoEncoder(e, prop.Media{Video: prop.Video{Width: f.Width, Height: f.Height, FrameRate: float32(f.FPS)}})
	if err != nil {
		return nil, fmt.Errorf("openh264: %w", err)
	}
	var hasKeys, hasRate bool
	e.keys, hasKeys = e.codec.Controller().(codec.KeyFrameController)
	e.rate, hasRate = e.codec.Controller().(codec.BitRateController)
	if !hasKeys || !hasRate {
		return nil, errors.Join(errors.New("openh264: no control over keyframes and bitrate"), e.codec.Close())
	}
	return e, nil
}

// Read gives the codec the picture at hand: it pulls its input.
func (e *encoder) Read() (image.Image, func(), error) {
	if e.img.Y == nil {
		return nil, nil, io.ErrNoProgress
	}
	return &e.img, func() {}, nil
}

// Encode compresses one picture.
func (e *encoder) Encode(pic *video.Picture, keyframe bool) ([]byte, bool, error) {
	if pic.Width != e.format.Width || pic.Height != e.format.Height {
		return nil, false, fmt.Errorf("openh264: picture of %dx%d for an encoder of %dx%d", pic.Width, pic.Height, e.format.Width, e.format.Height)
	}
	pic.View(&e.img)
	defer func() { e.img = image.YCbCr{} }()
	if keyframe {
		if err := e.keys.ForceKeyFrame(); err != nil {
			return nil, false, fmt.Errorf("openh264: keyframe: %w", err)
		}
	}
	data, release, err := e.codec.Read()
	if err != nil {
		return nil, false, fmt.Errorf("openh264: %w", err)
	}
	release() // the data is a copy already
	if !video.IsKeyframe(data) {
		return data, false, nil
	}
	return video.WithColor(data), true, nil
}

// SetBitrate changes the target, in bits a second.
func (e *encoder) SetBitrate(bits int) error { return e.rate.SetBitRate(bits) }

// Close frees the encoder.
func (e *encoder) Close() error { return e.codec.Close() }
