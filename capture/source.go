// Package capture brings frames in: the contract of a source, the reading of source addresses, and the supervision of
// one camera — pacing, stalls, reopening, dropping — between a source and the slot its consumer takes the newest frame
// from. It decodes nothing itself but folders of images; the sources for cameras, streams and video files are in
// capture/opencv, the built-in scene is in capture/synthetic.
package capture

import (
	"context"
	"errors"
	"time"

	"github.com/segedge/segedge/frame"
)

// Source gives frames. One goroutine opens it, reads it and closes it. The context that it was opened with lasts until it
// is closed: when that ends, whatever is under way ends soon, where the source can do so.
type Source interface {
	// Read fills dst: its size, its pixels and, where the source has a clock of its own, its PTS. It waits for the
	// next frame at most as long as the source's own limits say; a source that can, returns when ctx ends. It answers
	// io.EOF, and nothing else from then on, at the end. After any other error the source is closed and opened anew.
	Read(ctx context.Context, dst *frame.Frame) error
	Close() error
}

// Opener opens a source. It is called again for every reopening. An error that reopening cannot mend wraps
// ErrPermanent.
type Opener func(ctx context.Context) (Source, error)

// ErrPermanent marks an error that trying again cannot mend: a missing file, a folder without images.
var ErrPermanent = errors.New("will not change by trying again")

// ErrAbsent marks an address that says what it wants, a file or a folder, where nothing that can be read is there now.
var ErrAbsent = errors.New("is not there")

// Info is what is known of an open source.
type Info struct {
	Width, Height int     // pixels; 0 until the first frame where the source cannot say
	FPS           float64 // frames a second as the source announces them; 0 where it cannot say
	// has no end but by failing, and comes at its own pace: waiting would only make it late. Others are paced by their PTS
	Live  bool
	Mixed bool // its pictures have sizes of their own: another is nothing to tell
	Paced bool // paced by its PTS although it is live: it comes in bursts of some seconds
}

// Describer is implemented by sources that know something about themselves. A source that does not is live.
type Describer interface{ Info() Info }

// Listener is implemented by sources that can tell silence from a picture that is still on its way, or waits for a
// keyframe. It is asked from another goroutine.
type Listener interface {
	Active() time.Time // when bytes last came
}
