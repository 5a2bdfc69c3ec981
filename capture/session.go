package capture

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/frame"
)

// What a session is doing, for messages.
type activity int32

const (
	opening activity = iota
	beginning
	reading
)

func (a activity) String() string {
	return [...]string{"opening", "first read", "read"}[a]
}

// session is one opening of the source: a goroutine that opens, reads and closes it.
type session struct {
	c      *Capture
	cancel context.CancelFunc
	begun  time.Time
	done   chan struct{}
	err    error // set before done is closed
	blame  error // why it was told to end although it could not be left behind; of the goroutine that watches

	since  atomic.Int64 // when the call that is under way began, after begun; -1 for none
	what   atomic.Int32
	frames atomic.Uint64
	first  atomic.Int64 // when the first frame came, after begun
	newest atomic.Int64 // and the newest
	source atomic.Pointer[Listener]
	taped  atomic.Bool // what it reads is a recording, which opened again would begin again

	spares *frame.Pool  // of one, made when first needed
	spare  *frame.Frame // to read into when there is no other
	spared bool         // the last read went there
	info   Info
	pace   pacer
}

// start begins a session, its first frame due at begin or as soon as possible after.
func (c *Capture) start(ctx context.Context, begin time.Time) *session {
	ctx, cancel := context.WithCancel(ctx)
	s := &session{c: c, cancel: cancel, begun: time.Now(), done: make(chan struct{}), pace: pacer{begin: begin}}
	s.enter(opening)
	c.mu.Lock()
	c.current = s
	c.mu.Unlock()
	go func() {
		defer close(s.done)
		defer cancel()
		s.err = s.run(ctx)
	}()
	return s
}

func (s *session) enter(a activity) {
	s.what.Store(int32(a))
	s.since.Store(int64(time.Since(s.begun)))
}

func (s *session) leave() { s.since.Store(-1) }

// busy is how long the call under way has taken, and for how long of this nothing at all has come; 0 while the session
// waits for a frame's time to come.
func (s *session) busy() (waited, silent time.Duration, what activity) {
	since := s.since.Load()
	if since < 0 {
		return 0, 0, reading
	}
	waited = time.Since(s.begun) - time.Duration(since)
	silent = waited
	if l := s.source.Load(); l != nil {
		silent = min(silent, time.Since((*l).Active()))
	}
	return waited, silent, activity(s.what.Load())
}

// arrived notes a frame's time.
func (s *session) arrived() {
	now := int64(time.Since(s.begun))
	if s.frames.Add(1) == 1 {
		s.first.Store(now)
	}
	s.newest.Store(now)
}

// worked reports whether the source has given pictures for a while: what fails after that may be tried again at once.
func (s *session) worked() bool {
	return s.frames.Load() > 1 && time.Duration(s.newest.Load()-s.first.Load()) >= workedFor
}

// workedFor is how long pictures must have come for an opening to count as a good one.
const workedFor = time.Second

func (s *session) run(ctx context.Context) error {
	src, err := s.c.o.Open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err := src.Close(); err != nil {
			s.c.o.Logger.Warn("closing the source", "error", err)
		}
	}()
	s.info.Live = true
	if d, ok := src.(Describer); ok {
		s.info = d.Info()
	}
	s.taped.Store(!s.info.Live)
	if l, ok := src.(Listener); ok {
		s.source.Store(&l)
	}
	s.pace.init(s.info.FPS)
	defer s.pace.stop()
	defer s.dropSpare()
	for {
		if err := s.step(ctx, src); err != nil {
			return err
		}
	}
}

// step reads one frame and hands it over at its time.
func (s *session) step(ctx context.Context, src Source) error {
	f, what := s.take(), reading
	if s.frames.Load() == 0 {
		what = beginning
	}
	s.enter(what)
	err := s.read(ctx, src, f)
	s.leave()
	if err != nil {
		s.discard(f)
		return err
	}
	if f.Width < 2 || f.Height < 2 {
		s.discard(f)
		return errNoPicture
	}
	s.arrived()
	if d, ok := src.(Describer); ok && s.frames.Load() == 1 {
		s.info = d.Info() // it may know more by now
		s.taped.Store(!s.info.Live)
	}
	if !s.info.Live || s.info.Paced {
		if err := s.pace.wait(ctx, f.PTS); err != nil {
			s.discard(f)
			return err
		}
	}
	if !s.c.deliver(s, f) {
		return io.ErrClosedPipe // abandoned: nobody reads this error
	}
	return nil
}

// read reads a frame. A source that panics has failed, and is opened again like any other that has.
func (s *session) read(ctx context.Context, src Source, f *frame.Frame) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.c.o.Logger.Error("reading the source panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = fmt.Errorf("reading the source panicked: %v", r)
		}
	}()
	return src.Read(ctx, f)
}

// take finds a frame to read into: a free one, else the spare, which is never published, else — in turn with the
// spare, so that the consumer has the time of a frame to take it — the one that waits in the slot. The source is drained
// whatever happens downstream.
func (s *session) take() *frame.Frame {
	spared := s.spared
	s.spared = false
	if f := s.c.o.Pool.Get(); f != nil {
		return f
	}
	if spared {
		if f := s.c.o.Out.Reclaim(); f != nil {
			s.c.stats.reclaimed.Add(1)
			f.Meta = frame.Meta{}
			return f
		}
	}
	s.spared = true
	if s.spare == nil {
		s.spares = frame.NewPool(1)
		s.spare = s.spares.Get()
	}
	return s.spare
}

// dropSpare unpins the spare, which C does not see any more.
func (s *session) dropSpare() {
	if s.spare == nil {
		return
	}
	s.spare.Release()
	if err := s.spares.Close(); err != nil {
		s.c.o.Logger.Error("the spare frame", "error", err)
	}
}

// discard gives a frame back that is not published.
func (s *session) discard(f *frame.Frame) {
	if f != s.spare {
		f.Release()
	}
}
