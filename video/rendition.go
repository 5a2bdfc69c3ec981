package video

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/frame"
)

// Rendition is one of the sizes that a picture is encoded in, each only while somebody wants it.
type Rendition int

// The renditions.
const (
	// the camera's own size, or the largest that the encoder takes: for files, and for viewers that promise to decode it.
	Full   Rendition = iota
	Common           // within level 3.1, which every browser promises to decode: 1280×720 at 30 frames a second
	Low              // within level 3 and a quarter of Common: for a path that carries little
	VP8              // the size of Common in VP8 (RFC 6386), for viewers that take no H.264
	VP8Low           // and that of Low
	// The same five of the camera's picture as it is, without the overlay.
	CleanFull
	CleanCommon
	CleanLow
	CleanVP8
	CleanVP8Low
	renditions
)

// Clean reports a rendition without the overlay.
func (r Rendition) Clean() bool { return r >= CleanFull }

// With is the rendition of the same size, without the overlay if clean.
func (r Rendition) With(clean bool) Rendition {
	r %= CleanFull
	if clean {
		r += CleanFull
	}
	return r
}

// bounds are what each rendition may be.
var bounds = [renditions]struct {
	level  Level
	blocks int // macroblocks of a frame, at most
}{
	Full: {52, 36_864}, Common: {31, 3600}, Low: {30, 920}, VP8: {31, 3600}, VP8Low: {30, 920},
	CleanFull: {52, 36_864}, CleanCommon: {31, 3600}, CleanLow: {30, 920}, CleanVP8: {31, 3600}, CleanVP8Low: {30, 920},
}

// faster is how much the measured rate may grow before an encoder is built again for it.
const faster = 1.2

// channel encodes one rendition. What is not atomic is owned by the sink's goroutine.
type channel struct {
	rendition Rendition
	wantKey   atomic.Bool
	spared    atomic.Int64 // thousandths of the bitrate that are not used
	fault     atomic.Pointer[error]

	encoder Encoder
	from    [2]int  // the picture's size
	fps     float64 // that the encoder was built for
	format  Format
	told    int // the bitrate that the encoder was last told
	shrink  frame.Shrinker
	reduced *frame.Frame
	pic     Picture
	level   Level
	retryAt time.Time
	lastKey time.Time // capture time of the newest keyframe
	lastOut time.Time // capture time of the newest unit
}

// keyframeDue reports whether this frame answers the requests for a keyframe, and takes them, or whether the last one is long ago.
func (c *channel) keyframeDue(captured time.Time) bool {
	since := captured.Sub(c.lastKey)
	if !c.lastKey.IsZero() && since >= 0 && since < KeyframeSpacing {
		return false
	}
	return c.wantKey.Swap(false) || !c.lastKey.IsZero() && since >= KeyframeAtLeast
}

// prepare has an encoder for the picture's size, at the bitrate that is asked for.
func (c *channel) prepare(o *Options, w, h int, fps float64) error {
	if c.encoder != nil && (c.from != [2]int{w, h} || fps > faster*c.fps) {
		c.close(o)
	}
	if c.encoder == nil {
		if err := c.build(o, w, h, fps); err != nil {
			return fmt.Errorf("video: encoder for %dx%d: %w", w, h, err)
		}
	}
	bits := c.format.Bitrate - int(int64(c.format.Bitrate)*c.spared.Load()/1000)
	if set, ok := c.encoder.(BitrateSetter); ok && bits != c.told {
		c.told = bits
		return set.SetBitrate(bits)
	}
	return nil
}

func (c *channel) build(o *Options, w, h int, fps float64) (err error) {
	b := bounds[c.rendition]
	f := Format{FPS: fps, VP8: c.rendition.With(false) >= VP8}
	f.Width, f.Height = fit(w, h, fps, b.level, b.blocks)
	f.Bitrate = o.bitrate(f.Width, f.Height, fps, c.rendition)
	f = f.within(b.level)
	if c.encoder, err = o.NewEncoder(f); err != nil {
		c.encoder = nil
		return err
	}
	if (f.Width != w&^1 || f.Height != h&^1) && (c.format.Width != f.Width || c.format.Height != f.Height) {
		o.Logger.Info("the picture is reduced for the encoder", "from", fmt.Sprintf("%dx%d", w, h), "to", fmt.Sprintf("%dx%d", f.Width, f.Height))
	}
	c.from, c.fps, c.format, c.told, c.lastKey = [2]int{w, h}, fps, f, f.Bitrate, time.Time{}
	c.pic.Resize(f.Width, f.Height)
	c.wantKey.Store(true)
	return nil
}

// convert puts a picture into the encoder's, reduced where that is smaller.
func (c *channel) convert(o *Options, src *frame.Frame) error {
	if c.format.Width == src.Width && c.format.Height == src.Height {
		return o.Convert(&c.pic, src.Pix)
	}
	if c.reduced == nil {
		c.reduced = frame.New(c.format.Width, c.format.Height)
	}
	if c.format.Width == src.Width&^1 && c.format.Height == src.Height&^1 {
		crop(c.reduced, src, c.format.Width, c.format.Height)
	} else {
		c.shrink.Shrink(c.reduced, src, c.format.Width, c.format.Height)
	}
	return o.Convert(&c.pic, c.reduced.Pix)
}

// crop copies the top left w×h pixels.
func crop(dst, src *frame.Frame, w, h int) {
	dst.Resize(w, h)
	for y := range h {
		copy(dst.Pix[y*dst.Stride():][:dst.Stride()], src.Pix[y*src.Stride():])
	}
}

// encode makes the unit of the picture; an empty one where rate control skipped it.
func (c *channel) encode(f *frame.Frame) (u Unit, err error) {
	force := c.keyframeDue(f.Captured)
	if u.Data, u.Keyframe, err = c.encoder.Encode(&c.pic, force); err != nil {
		return u, fmt.Errorf("video: encode frame %d: %w", f.Seq, err)
	}
	if len(u.Data) == 0 { // the request stands
		if force {
			c.wantKey.Store(true)
		}
		return u, nil
	}
	u.Rendition, u.Width, u.Height = c.rendition, c.format.Width, c.format.Height
	u.Seq, u.Captured, u.PTS, u.Duration = f.Seq, f.Captured, f.PTS, time.Duration(float64(time.Second)/c.fps)
	if d := f.Captured.Sub(c.lastOut); !c.lastOut.IsZero() && d > 0 {
		u.Duration = d
	}
	c.lastOut = f.Captured
	if force && !u.Keyframe { // an encoder may answer with a later picture
		c.wantKey.Store(true)
	}
	if u.Keyframe {
		c.lastKey = f.Captured
		if !c.format.VP8 {
			c.level = levelOf(u.Data)
		}
		c.wantKey.Store(false)
	}
	u.Level = c.level
	return u, nil
}

func (c *channel) close(o *Options) {
	if c.encoder == nil {
		return
	}
	if err := c.encoder.Close(); err != nil {
		o.Logger.Warn("encoder did not close cleanly", "error", err)
	}
	c.encoder = nil
}
