package video

import (
	"context"
	"fmt"
	"sync"
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
	opts        Options
	slot        slot
	rate        rate
	painter     *overlay.Painter
	snaps       chan request
	compressing chan struct{}    // holds one token while a snapshot is encoded
	shrink      frame.Shrinker   // of who holds the token
	reduced     *frame.Frame     // likewise
	copies      sync.Pool        // of *frame.Frame, for snapshots
	now         func() time.Time // time.Now but in tests

	channels [renditions]channel
	shape    atomic.Uint64 // width and height of the newest frame
	snapping atomic.Int32  // snapshots waiting
	sparing  atomic.Bool   // every second picture is left out
	turn     atomic.Bool   // the next is one of those
	units    atomic.Uint64
	failures atomic.Uint64

	painted frame.Frame // owned by Run
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
	s := &Sink{
		opts: opts, painter: painter, now: time.Now, snaps: make(chan request, 8), compressing: make(chan struct{}, 1),
		reduced: frame.New(2, 2), copies: sync.Pool{New: func() any { return frame.New(2, 2) }},
	}
	for r := range s.channels {
		s.channels[r].rendition = Rendition(r)
	}
	s.slot.filled = make(chan struct{}, 1)
	s.slot.closed = true
	return s, nil
}

// Show offers a frame and the objects that belong to it. It never blocks: the frame is retained, the objects are
// copied, and a frame that is still waiting is replaced. Nothing is kept while nobody watches or Run is not running.
func (s *Sink) Show(f *frame.Frame, objects []seg.Object) {
	s.rate.seen(f.Captured)
	s.shape.Store(uint64(f.Width)<<32 | uint64(f.Height))
	spared := s.sparing.Load() && s.turn.CompareAndSwap(true, false)
	if !spared {
		s.turn.Store(true)
	}
	if s.snapping.Load() > 0 || !spared && s.wanted(0, renditions) {
		s.slot.put(f, objects)
	}
}

// wanted reports whether anybody watches one of the renditions from first to before end.
func (s *Sink) wanted(first, end Rendition) bool {
	for r := first; r < end; r++ {
		if s.opts.Wanted(r) {
			return true
		}
	}
	return false
}

// RequestKeyframe asks for a keyframe as soon as the last one is KeyframeSpacing old. Requests that come meanwhile are one.
func (s *Sink) RequestKeyframe(r Rendition) {
	if r >= 0 && r < renditions {
		s.channels[r].wantKey.Store(true)
	}
}

// Throttle makes the encoder use only a share of its bitrate, 0..1, if it can: for a path that carries no more.
func (s *Sink) Throttle(r Rendition, share float64) {
	if r >= 0 && r < renditions {
		s.channels[r].spared.Store(int64(1000 * (1 - min(max(share, 0.05), 1))))
	}
}

// Spare leaves every second picture out, for a machine that has to stand back.
func (s *Sink) Spare(on bool) { s.sparing.Store(on) }

// Level is the least H.264 level that holds the full rendition; 0 before the first frame.
func (s *Sink) Level() Level {
	w, h := int(s.shape.Load()>>32), int(uint32(s.shape.Load()))
	if w == 0 {
		return 0
	}
	for _, l := range levels {
		if fw, fh := fit(w, h, s.fps(), l.level, l.frame); fw == w && fh == h {
			return l.level
		}
	}
	return bounds[Full].level
}

// Fault is why there is no encoded picture though somebody wants one; nil where there is one.
func (s *Sink) Fault() error {
	for r := range s.channels {
		if err := s.channels[r].fault.Load(); err != nil && s.opts.Wanted(Rendition(r)) {
			return *err
		}
	}
	return nil
}

// Stats is safe at any time.
func (s *Sink) Stats() Stats {
	return Stats{Units: s.units.Load(), Dropped: s.slot.dropped.Load(), Failures: s.failures.Load()}
}

// Step paints and encodes a frame in the caller, for work without a clock; not beside Run, and Close ends it. Every frame is encoded, and
// what goes wrong with one is an error.
func (s *Sink) Step(f *frame.Frame, objects []seg.Object) error {
	s.rate.seen(f.Captured)
	if err := s.process(&shown{frame: f, objects: objects}); err != nil {
		return err
	}
	return s.Fault()
}

// Close ends the encoders of a sink that was stepped.
func (s *Sink) Close() {
	for r := range s.channels {
		s.channels[r].close(&s.opts)
	}
}

// Run paints and encodes until ctx ends; then it closes the encoder and lets go of its frames. A failing encoder is
// logged and built again: video may fail, the pipeline must not.
func (s *Sink) Run(ctx context.Context) error {
	s.slot.open()
	var now shown
	defer func() {
		s.slot.close()
		s.Close()
		s.refuseSnapshots()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.slot.filled:
		}
		for s.slot.take(&now) {
			if err := s.process(&now); err != nil { // no frame can be painted: a fault of ours
				s.failures.Add(1)
				s.opts.Logger.Error("the picture could not be painted", "error", err)
			}
			now.release()
		}
	}
}

// process takes one frame through paint, convert and encode.
func (s *Sink) process(now *shown) error {
	if err := s.paint(now); err != nil {
		return err
	}
	s.answerSnapshots(now.frame)
	for r := range s.channels {
		c := &s.channels[r]
		if !s.opts.Wanted(c.rendition) {
			c.close(&s.opts) // it would go on from a picture that is long past
			continue
		}
		if s.now().Before(c.retryAt) {
			continue
		}
		if err := s.encode(c, now); err != nil {
			s.fail(c, err)
		} else if c.fault.Load() != nil {
			c.fault.Store(nil)
		}
	}
	return nil
}

// paint makes the picture with the overlay, where somebody is to see it.
func (s *Sink) paint(now *shown) error {
	if s.snapping.Load() == 0 && !s.wanted(Full, CleanFull) {
		return nil
	}
	return s.timed(StagePaint, now.frame, func() (err error) {
		s.painted.Pix, err = s.painter.Over(s.painted.Pix, now.frame, now.objects)
		s.painted.Meta = now.frame.Meta
		return err
	})
}

func (s *Sink) encode(c *channel, now *shown) error {
	if err := c.prepare(&s.opts, now.frame.Width, now.frame.Height, s.fps()); err != nil {
		return err
	}
	src := &s.painted
	if c.rendition.Clean() {
		src = now.frame
	}
	if err := s.timed(StageConvert, now.frame, func() error { return c.convert(&s.opts, src) }); err != nil {
		return err
	}
	var u Unit
	err := s.timed(StageEncode, now.frame, func() (err error) {
		u, err = c.encode(now.frame)
		return err
	})
	if err != nil || len(u.Data) == 0 {
		return err
	}
	s.units.Add(1)
	s.opts.Encoded(time.Since(u.Captured))
	s.opts.Out(u, now.objects)
	return nil
}

// fps is the rate to encode for.
func (s *Sink) fps() float64 {
	if s.opts.FPS > 0 {
		return s.opts.FPS
	}
	return s.rate.fps(30)
}

func (s *Sink) fail(c *channel, err error) {
	s.failures.Add(1)
	c.close(&s.opts)
	c.retryAt = s.now().Add(retryEncoder)
	if was := c.fault.Swap(&err); was == nil || (*was).Error() != err.Error() {
		s.opts.Logger.Error("video failed; trying again", "error", err, "every", retryEncoder)
	}
}

func (s *Sink) timed(stage string, f *frame.Frame, do func() error) error {
	start := time.Now()
	err := do()
	s.opts.Stage(frame.Stage{Name: stage, Seq: f.Seq, Began: start, Took: time.Since(start)})
	return err
}
