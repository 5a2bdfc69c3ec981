package video

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// fakeEncoder writes down what it was asked.
type fakeEncoder struct {
	format Format
	asked  []bool
	rates  []int
	closed int
	fail   error
	skip   bool
	first  byte // the first luma value of the newest picture
	takes  time.Duration
}

func (e *fakeEncoder) Encode(p *Picture, key bool) ([]byte, bool, error) {
	e.asked = append(e.asked, key)
	e.first = p.Pix[0]
	time.Sleep(e.takes)
	if e.fail != nil {
		return nil, false, e.fail
	}
	if e.skip {
		return nil, false, nil
	}
	return []byte{0, 0, 0, 1, 0x65}, key || len(e.asked) == 1, nil
}
func (e *fakeEncoder) SetBitrate(bits int) error { e.rates = append(e.rates, bits); return nil }
func (e *fakeEncoder) Close() error              { e.closed++; return nil }

// rig is a sink whose frames are shown one at a time, each waited for.
type rig struct {
	t        *testing.T
	sink     *Sink
	pool     *frame.Pool
	encoders []*fakeEncoder
	prepare  func(*fakeEncoder)
	units    chan Unit
	stages   chan string
	wanted   atomic.Bool   // Full is
	also     atomic.Int32  // bit n: rendition n is
	clock    atomic.Int64  // of the sink, seconds
	read     chan struct{} // one for each time it was read
	seq      uint64
	start    time.Time
	stop     func()
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, pool: frame.NewPool(4), units: make(chan Unit, 64), read: make(chan struct{}, 256), stages: make(chan string, 256), start: time.Now()}
	r.wanted.Store(true)
	var err error
	r.sink, err = New(Options{
		NewEncoder: func(f Format) (Encoder, error) {
			e := &fakeEncoder{format: f}
			if r.prepare != nil {
				r.prepare(e)
			}
			r.encoders = append(r.encoders, e)
			return e, nil
		},
		Out: func(u Unit, _ []seg.Object) { r.units <- u }, Wanted: func(q Rendition) bool { return q == Full && r.wanted.Load() || q != Full && r.also.Load()&(1<<q) != 0 },
		Stage: func(s frame.Stage) { r.stages <- s.Name },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.sink.now = func() time.Time {
		now := r.clock.Load()
		r.read <- struct{}{}
		return time.Unix(now, 0)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.sink.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := r.pool.Close(); err != nil {
			t.Error(err)
		}
	}
	// Run opens the slot as its first act; a frame shown before is not kept.
	for {
		r.sink.slot.mu.Lock()
		open := !r.sink.slot.closed
		r.sink.slot.mu.Unlock()
		if open {
			return r
		}
	}
}

// show shows one frame of the given age since the start.
func (r *rig) show(w, h int, at time.Duration, objects ...seg.Object) {
	r.t.Helper()
	f := r.pool.Get()
	if f == nil {
		r.t.Fatal("the sink holds too many frames")
	}
	f.Resize(w, h)
	clear(f.Pix)
	r.seq++
	f.Seq, f.Captured, f.PTS = r.seq, r.start.Add(at), at
	r.sink.Show(f, objects)
	f.Release()
}

func (r *rig) unit() Unit {
	r.t.Helper()
	select {
	case u := <-r.units:
		return u
	case <-time.After(10 * time.Second):
		r.t.Fatal("no unit came")
		return Unit{}
	}
}

// idle waits until the sink is done with the frames that it was shown, all renditions of them.
func (r *rig) idle() {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); r.pool.InUse() > 0; runtime.Gosched() {
		if time.Now().After(end) {
			r.t.Fatal("the sink does not finish")
		}
	}
}

func TestUnitsCarryTheirFrame(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.show(32, 16, 0)
	if u := r.unit(); u.Seq != 1 || !u.Keyframe || !u.Captured.Equal(r.start) || u.Duration != time.Second/30 {
		t.Errorf("first unit %+v", u)
	}
	r.show(32, 16, 40*time.Millisecond)
	if u := r.unit(); u.Seq != 2 || u.Keyframe || u.Duration != 40*time.Millisecond || u.PTS != 40*time.Millisecond {
		t.Errorf("second unit %+v", u)
	}
	for _, want := range []string{StagePaint, StageConvert, StageEncode} {
		if got := <-r.stages; got != want {
			t.Errorf("stage %s, want %s", got, want)
		}
	}
	if s := r.sink.Stats(); s.Units != 2 || s.Failures != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestNothingWhileNobodyWatches(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.wanted.Store(false)
	r.show(32, 16, 0)
	if n := r.pool.InUse(); n != 0 {
		t.Errorf("%d frames held while nobody watches", n)
	}
	r.wanted.Store(true)
	r.show(32, 16, time.Second)
	if u := r.unit(); u.Seq != 2 {
		t.Errorf("unit of frame %d, want 2", u.Seq)
	}
}

func TestKeyframeRequestsAreSpaced(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	var keys []uint64
	for i := range 20 {
		at := time.Duration(i) * 100 * time.Millisecond
		if i >= 1 && i <= 9 {
			r.sink.RequestKeyframe(Full) // at every frame, as many viewers would
		}
		r.show(32, 16, at)
		if u := r.unit(); u.Keyframe {
			keys = append(keys, u.Seq)
		}
	}
	// Frame 1 is one by itself; the request at 100 ms waits until 500 ms, those up to 900 ms until 1000 ms.
	if len(keys) != 3 || keys[0] != 1 || keys[1] != 6 || keys[2] != 11 {
		t.Errorf("keyframes at frames %v, want 1, 6, 11", keys)
	}
}

// Where few pictures come a keyframe still comes every four seconds.
func TestKeyframesComeByTheClock(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	for at := range 9 {
		r.show(320, 180, time.Duration(at)*time.Second)
		if u := r.unit(); u.Keyframe != (at%4 == 0) {
			t.Errorf("at %d s: keyframe %v", at, u.Keyframe)
		}
	}
}

func TestASkippedPictureKeepsTheRequest(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.prepare = func(e *fakeEncoder) { e.skip = true }
	r.show(32, 16, 0)
	for range 3 {
		<-r.stages
	}
	r.encoders[0].skip = false // the sink waits for its next frame
	r.show(32, 16, time.Second)
	if u := r.unit(); u.Seq != 2 || !u.Keyframe {
		t.Errorf("unit %+v, want the keyframe that was skipped", u)
	}
}

func TestAnotherSizeRebuildsTheEncoder(t *testing.T) {
	r := newRig(t)
	r.show(32, 16, 0)
	r.unit()
	r.show(64, 32, time.Millisecond)
	if u := r.unit(); !u.Keyframe {
		t.Error("the first unit of a new size must be a keyframe")
	}
	r.sink.Throttle(Full, 0.4)
	r.show(64, 32, 2*time.Millisecond)
	r.unit()
	r.stop()
	if len(r.encoders) != 2 || r.encoders[0].closed != 1 || r.encoders[1].closed != 1 {
		t.Fatalf("%d encoders", len(r.encoders))
	}
	if f := r.encoders[1].format; f != (Format{Width: 64, Height: 32, FPS: 30, Bitrate: 300_000}) {
		t.Errorf("format %+v", f)
	}
	if got := r.encoders[1].rates; len(got) != 1 || got[0] != 120_000 {
		t.Errorf("bitrates %v", got)
	}
}

// TestAPictureOfOddSizeIsEncoded takes one that I420 has no form for: the video lacks its last column and row.
func TestAPictureOfOddSizeIsEncoded(t *testing.T) {
	r := newRig(t)
	r.show(33, 21, 0)
	r.unit()
	r.stop()
	if f := r.encoders[0].format; f.Width != 32 || f.Height != 20 {
		t.Errorf("encoded as %dx%d", f.Width, f.Height)
	}
}

func TestAFailingEncoderIsBuiltAgain(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	r.prepare = func(e *fakeEncoder) {
		if len(r.encoders) == 0 {
			e.fail = errors.New("broken")
		}
	}
	r.show(32, 16, 0)
	<-r.read // before the encoder
	<-r.read // when it failed
	r.show(32, 16, 33*time.Millisecond)
	<-r.read // too early for another try
	r.clock.Add(2)
	r.show(32, 16, 66*time.Millisecond)
	if u := r.unit(); u.Seq != 3 || !u.Keyframe {
		t.Errorf("unit %+v", u)
	}
	if len(r.encoders) != 2 || r.encoders[0].closed != 1 || r.sink.Stats().Failures != 1 {
		t.Errorf("%d encoders, stats %+v", len(r.encoders), r.sink.Stats())
	}
}

func TestShowNeverBlocks(t *testing.T) {
	gate := make(chan struct{})
	r := newRig(t)
	r.sink.opts.Stage = func(frame.Stage) { <-gate }
	for i := range 50 {
		r.show(32, 16, time.Duration(i)*time.Millisecond, seg.Object{ID: 1, Name: "a"})
	}
	if n := r.pool.InUse(); n > 2 {
		t.Errorf("%d frames held, want the one at work and the newest", n)
	}
	if d := r.sink.Stats().Dropped; d < 40 {
		t.Errorf("%d dropped of 50", d)
	}
	close(gate)
	r.stop()
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("a sink without encoder and output was made")
	}
}

func TestShowOutsideRunKeepsNothing(t *testing.T) {
	r := newRig(t)
	f := frame.New(4, 4)
	r.stop()
	r.sink.Show(f, nil)
	f.Release()
	defer func() {
		if recover() == nil {
			t.Error("the sink still holds the frame")
		}
	}()
	f.Release()
}

// A sink that spares leaves every second picture out, but none that somebody has asked for as a snapshot.
func TestASinkThatSpares(t *testing.T) {
	pool := frame.NewPool(2)
	s, err := New(Options{
		NewEncoder: func(Format) (Encoder, error) { return &fakeEncoder{}, nil }, Convert: func(*Picture, []byte) error { return nil },
		Out: func(Unit, []seg.Object) {}, Wanted: func(Rendition) bool { return true },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.slot.open()
	shown := func() (n int) {
		var now shown
		for range 10 {
			f := pool.Get()
			f.Resize(4, 4)
			s.Show(f, nil)
			f.Release()
			if s.slot.take(&now) {
				now.release()
				n++
			}
		}
		return n
	}
	if n := shown(); n != 10 {
		t.Errorf("%d of 10 are shown", n)
	}
	s.Spare(true)
	if n := shown(); n != 5 {
		t.Errorf("%d of 10 are shown by one that spares", n)
	}
	s.snapping.Add(1)
	if n := shown(); n != 10 {
		t.Errorf("%d of 10 while a snapshot waits", n)
	}
	s.snapping.Add(-1)
	s.Spare(false)
	if n := shown(); n != 10 {
		t.Errorf("%d of 10 afterwards", n)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}
