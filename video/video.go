// Package video turns frames with objects into encoded video: the sink at the end of a camera's pipeline. It takes the
// newest frame, paints the objects on a copy, converts it to I420 once and hands it to an Encoder, all in one
// goroutine, and only while somebody watches. It knows no transport: what is encoded goes out through a function. The
// encoders are in child packages.
package video

import (
	"errors"
	"log/slog"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/seg"
)

// Unit is one encoded picture: an H.264 access unit in Annex B form, parameter sets included where it is a keyframe.
type Unit struct {
	Data          []byte // never written again; may be kept and shared
	Keyframe      bool
	Rendition     Rendition
	Width, Height int
	Level         Level         // that its parameter sets promise
	Seq           uint64        // the frame's sequence
	Captured      time.Time     // when the frame reached the process
	PTS           time.Duration // the source's own time; 0 where it has none
	Duration      time.Duration // since the previous unit; the nominal frame time for the first
}

// Encoder compresses pictures of one size. Used from one goroutine.
type Encoder interface {
	// Encode returns the access unit of a picture, which is read only during the call. An empty one means that the encoder
	// chose to skip the picture. With keyframe the unit is an IDR with its parameter sets. The data is the caller's.
	Encode(pic *Picture, keyframe bool) (data []byte, isKeyframe bool, err error)
	Close() error
}

// BitrateSetter is an Encoder that can change its target while it runs, in bits a second.
type BitrateSetter interface{ SetBitrate(bits int) error }

// Format is what an encoder has to know in advance.
type Format struct {
	Width, Height int     // pixels, even
	FPS           float64 // nominal
	Bitrate       int     // target, bits a second
	VP8           bool    // units are frames of VP8 (RFC 6386) instead of H.264
}

// The stages that Options.Stage hears of.
const (
	StagePaint   = "overlay"
	StageConvert = "convert"
	StageEncode  = "encode"
)

// KeyframeSpacing is the least time between two keyframes that somebody asked for: viewers that lose packets all ask at
// once, and keyframes are what loses packets.
const KeyframeSpacing = 500 * time.Millisecond

// KeyframeAtLeast is the most time between two keyframes, whatever the rate: encoders count frames, and a loaded machine has few of them.
// Clips begin at one, and files are searched by them.
const KeyframeAtLeast = 4 * time.Second

// Options configure a sink. NewEncoder and Out are required.
type Options struct {
	NewEncoder func(Format) (Encoder, error)
	// Out takes each unit and the objects of its frame, on the sink's goroutine: it must not block, and the objects are valid during
	// the call only; their masks, which nobody changes, may be kept.
	Out func(u Unit, objects []seg.Object)
	// Wanted reports whether anybody watches a rendition; nothing is done while nobody does. Nil is Full, always. Called for every
	// frame on the camera's path: it must be cheap and must not block.
	Wanted func(Rendition) bool
	// Convert fills pic, which has its size already, from packed BGR. Nil is FromBGR.
	Convert func(pic *Picture, bgr []byte) error
	// Stage hears how long each stage of each frame took. Nil is nobody.
	Stage func(frame.Stage)
	// Encoded hears the time from a frame's capture to its unit. Nil is nobody.
	Encoded func(latency time.Duration)
	Overlay overlay.Options
	FPS     float64 // for the encoder's rate control; 0 is measured, 30 until then
	Bitrate int     // bits a second; 0 is by size, about 0.08 bits a pixel
	Logger  *slog.Logger
}

func (o *Options) check() error {
	if o.NewEncoder == nil || o.Out == nil {
		return errors.New("video: NewEncoder and Out are required")
	}
	o.FPS = max(0, o.FPS)
	if o.Wanted == nil {
		o.Wanted = func(r Rendition) bool { return r == Full }
	}
	if o.Convert == nil {
		o.Convert = FromBGR
	}
	if o.Stage == nil {
		o.Stage = func(frame.Stage) {}
	}
	if o.Encoded == nil {
		o.Encoded = func(time.Duration) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// bitrate is the target for a size: enough for a moving picture with hard contours, 2.2 Mbit/s at 720p30.
func (o *Options) bitrate(w, h int, fps float64, r Rendition) int {
	bySize := max(300_000, int(0.08*float64(w*h)*fps))
	switch {
	case o.Bitrate <= 0:
		return bySize
	case r.With(false) == Low:
		return min(o.Bitrate, bySize)
	}
	return o.Bitrate
}
