package video

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/seg"
)

// retryEncoder is how long a sink waits before it builds an encoder again that failed.
const retryEncoder = time.Second

// Sink is one camera's video. Show and the requests are safe from any goroutine.
type Sink struct {
	opts    Options
	slot    slot
	rate    rate
	painter *overlay.Painter
	snaps   chan chan snapshot
	now     func() time.Time // time.Now but in tests

	wantKey  atomic.Bool
	snapping atomic.Int32 // snapshots waiting
	units    atomic.Uint64
	failures atomic.Uint64

	// Owned by Run.
	painted []byte
	pic     Picture
	encoder Encoder
	size    [2]int
	spared  atomic.Int64 // thousandths of the bitrate that are not used
	usual   int          // the bitrate for the size and rate
	told    int          // what the encoder was last told
	retryAt time.Time
	lastKey time.Time // capture time of the newest keyframe
	lastOut time.Time // capture time of the newest unit
}

// Stats counts a sink's work since it was made.
type Stats struct {
	Units    uint64 // encoded
	Dropped  uint64 // replaced by a newer frame before they were painted
	Failures uint64 // of the encoder or the converter
}

// New makes a sink.
func New(opts Options) (*Sink, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	painter, err := overlay.New(opts.Overlay)
	if err != nil {
		return nil, fmt.Errorf("video: %w", err)
	}
	s := &Sink{opts: opts, painter: painter, now: time.Now, snaps: make(chan chan snapshot, 8)}
	s.slot.filled = make(chan struct{}, 1)
	s.slot.closed = true
	return s, nil
}

// Show offers a frame and the objects that belong to it. It never blocks: the frame is retained, the objects are
// copied, and a frame that is still waiting is replaced. Nothing is kept while nobody watches or Run is not running.
func (s *Sink) Show(f *frame.Frame, objects []seg.Object) {
	s.rate.seen(f.Captured)
	if s.snapping.Load() > 0 || s.opts.Wanted() {
		s.slot.put(f, objects)
	}
}

// RequestKeyframe asks for a keyframe as soon as the last one is KeyframeSpacing old. Requests that come meanwhile are one.
func (s *Sink) RequestKeyframe() { s.wantKey.Store(true) }

// Throttle makes the encoder use only a share of its bitrate, 0..1, if it can: for a path that carries no more.
func (s *Sink) Throttle(share float64) {
	s.spared.Store(int64(1000 * (1 - min(max(share, 0.05), 1))))
}

// Stats is safe at any time.
func (s *Sink) Stats() Stats {
	return Stats{Units: s.units.Load(), Dropped: s.slot.dropped.Load(), Failures: s.failures.Load()}
}

// Run paints and encodes until ctx ends; then it closes the encoder and lets go of its frames. A failing encoder is
// logged and built again: video may fail, the pipeline must not.
func (s *Sink) Run(ctx context.Context) error {
	s.slot.open()
	var now shown
	defer func() {
		s.slot.close()
		s.closeEncoder()
		s.refuseSnapshots()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.slot.filled:
		}
		for s.slot.take(&now) {
			if err := s.process(&now); err != nil {
				s.fail(err)
			}
			now.release()
		}
	}
}

// process takes one frame through paint, convert and encode.
func (s *Sink) process(now *shown) error {
	f := now.frame
	err := s.timed(StagePaint, func() (err error) {
		s.painted, err = s.painter.Over(s.painted, f, now.objects)
		return err
	})
	if err != nil {
		return err
	}
	s.answerSnapshots(f.Width, f.Height)
	if !s.opts.Wanted() || s.now().Before(s.retryAt) {
		return nil
	}
	if err := s.prepare(f.Width, f.Height); err != nil {
		return err
	}
	if err := s.timed(StageConvert, func() error { return s.opts.Convert(&s.pic, s.painted) }); err != nil {
		return err
	}
	return s.encode(f)
}

func (s *Sink) encode(f *frame.Frame) error {
	force := s.keyframeDue(f.Captured)
	var u Unit
	err := s.timed(StageEncode, func() (err error) {
		u.Data, u.Keyframe, err = s.encoder.Encode(&s.pic, force)
		return err
	})
	if err != nil {
		return fmt.Errorf("video: encode frame %d: %w", f.Seq, err)
	}
	if len(u.Data) == 0 { // skipped by rate control; the request stands
		if force {
			s.wantKey.Store(true)
		}
		return nil
	}
	u.Seq, u.Captured, u.PTS, u.Duration = f.Seq, f.Captured, f.PTS, time.Duration(float64(time.Second)/s.fps())
	if d := f.Captured.Sub(s.lastOut); !s.lastOut.IsZero() && d > 0 {
		u.Duration = d
	}
	s.lastOut = f.Captured
	if u.Keyframe {
		s.lastKey = f.Captured
		s.wantKey.Store(false)
	}
	s.units.Add(1)
	s.opts.Encoded(time.Since(f.Captured))
	s.opts.Out(u)
	return nil
}

// keyframeDue reports whether this frame answers the requests for a keyframe, and takes them.
func (s *Sink) keyframeDue(captured time.Time) bool {
	if !s.lastKey.IsZero() {
		if since := captured.Sub(s.lastKey); since >= 0 && since < KeyframeSpacing {
			return false
		}
	}
	return s.wantKey.Swap(false)
}

// fps is the rate to encode for.
func (s *Sink) fps() float64 {
	if s.opts.FPS > 0 {
		return s.opts.FPS
	}
	return s.rate.fps(30)
}

// prepare has an encoder for the size, at the bitrate that is asked for.
func (s *Sink) prepare(w, h int) error {
	if s.encoder != nil && s.size != [2]int{w, h} {
		s.closeEncoder()
	}
	if s.encoder == nil {
		if err := s.build(w, h); err != nil {
			return fmt.Errorf("video: encoder for %dx%d: %w", w, h, err)
		}
	}
	bits := s.usual - int(int64(s.usual)*s.spared.Load()/1000)
	if set, ok := s.encoder.(BitrateSetter); ok && bits != s.told {
		s.told = bits
		return set.SetBitrate(bits)
	}
	return nil
}

func (s *Sink) build(w, h int) (err error) {
	fps := s.fps()
	s.usual = s.opts.bitrate(w, h, fps)
	if s.encoder, err = s.opts.NewEncoder(Format{Width: w, Height: h, FPS: fps, Bitrate: s.usual}); err != nil {
		s.encoder = nil
		return err
	}
	s.size, s.told, s.lastKey = [2]int{w, h}, s.usual, time.Time{}
	s.pic.Resize(w, h)
	s.wantKey.Store(true)
	return nil
}

func (s *Sink) fail(err error) {
	s.failures.Add(1)
	s.closeEncoder()
	s.retryAt = s.now().Add(retryEncoder)
	s.opts.Logger.Error("video failed; trying again", "error", err, "in", retryEncoder)
}

func (s *Sink) closeEncoder() {
	if s.encoder == nil {
		return
	}
	if err := s.encoder.Close(); err != nil {
		s.opts.Logger.Warn("encoder did not close cleanly", "error", err)
	}
	s.encoder = nil
}

func (s *Sink) timed(stage string, do func() error) error {
	start := time.Now()
	err := do()
	s.opts.Stage(stage, time.Since(start))
	return err
}
