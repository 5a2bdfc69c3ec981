package capture

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/frame"
)

func TestStateInWords(t *testing.T) {
	for want, s := range map[string]State{
		"opening":                              {Kind: Opening},
		"opened: 640x480 at 29.97 frames/s":    {Kind: Opened, Info: Info{Width: 640, Height: 480, FPS: 29.97}},
		"stalled: gone; opening again in 1.5s": {Kind: Stalled, Reason: "gone", Retry: 1500 * time.Millisecond},
		"stalled: no frame for 2s":             {Kind: Stalled, Reason: "no frame for 2s"},
		"ended: the source has ended":          {Kind: Ended, Reason: "the source has ended"},
	} {
		if got := s.String(); got != want {
			t.Errorf("%+v is %q, want %q", s, got, want)
		}
	}
}

func TestPermanentKeepsItsError(t *testing.T) {
	err := Permanent(io.ErrUnexpectedEOF)
	if !errors.Is(err, ErrPermanent) || !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != io.ErrUnexpectedEOF.Error() {
		t.Errorf("%v", err)
	}
	if err = errGone; errors.Is(err, ErrPermanent) {
		t.Error("any error is permanent")
	}
}

// Everything that happens is in the log, with the camera's name; that frames are dropped once, when it begins.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := newRig(t, Options{Name: "door", Logger: slog.New(slog.NewTextHandler(&log, nil))},
			live(steady(100, beat), one(read{err: errGone})), live(steady(1, beat)))
		if err := r.cap.Run(t.Context()); err != nil { // nobody takes the frames
			t.Fatal(err)
		}
		r.out.Close()
		if err := r.pool.Close(); err != nil {
			t.Error(err)
		}
		text := log.String()
		for _, want := range []string{"camera=door", "source opened: 4x2", "source stalled: nobody there; opening again", "source recovered", "source ended", "too slow, frames dropped"} {
			if !strings.Contains(text, want) {
				t.Errorf("the log does not say %q:\n%s", want, text)
			}
		}
		if n := strings.Count(text, "frames dropped"); n != 1 {
			t.Errorf("%d lines about dropped frames in one overload", n)
		}
		if s := r.cap.Stats(); s.Captured != 101 || s.Dropped != 100 {
			t.Errorf("stats %+v", s)
		}
	})
}

// The callback may ask for Stats, which then show the state that it is told of.
func TestStatsInsideTheCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(3, beat)))
		seen := 0
		r.cap.o.OnState = func(s State) {
			if got := r.cap.Stats().State; got != s {
				t.Errorf("told of %v, stats say %v", s, got)
			}
			seen++
		}
		if err := r.run(time.Minute); err != nil || seen != 3 {
			t.Errorf("%d states, %v", seen, err)
		}
	})
}

// A consumer that holds all but one frame still gets new ones: the slot is not emptied the moment it is filled.
func TestConsumerIsNotStarvedByAFullPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{}, live(steady(40, beat)))
		held := []*frame.Frame{r.pool.Get(), r.pool.Get(), r.pool.Get()}
		r.cap.o.OnState = func(s State) {
			for _, f := range held {
				if s.Kind == Ended {
					f.Release()
				}
			}
		}
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		if len(r.frames) < 10 {
			t.Errorf("the consumer saw %d of 40 frames", len(r.frames))
		}
	})
}

// mute is a source that says nothing of itself, and fails to close.
type mute struct{ n int }

func (m *mute) Read(_ context.Context, dst *frame.Frame) error {
	if m.n++; m.n > 3 {
		return io.EOF
	}
	dst.Resize(2, 2)
	return nil
}

func (m *mute) Close() error { return errors.New("no") }

func TestSourceThatSaysNothingIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		pool, out, began := frame.NewPool(2), frame.NewLatest(), time.Now()
		c, err := New(Options{Open: func(context.Context) (Source, error) { return &mute{}, nil }, Pool: pool, Out: out, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Run(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("%v after %v: a live source is not paced", err, time.Since(began))
		}
		out.Close()
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(log.String(), "closing the source") {
			t.Error("the failure to close is not in the log")
		}
	})
}

// A loop over a source that gives nothing must not spin.
func TestEmptyLoopEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{Loop: true}, script{})
		if err := r.run(time.Minute); err != nil {
			t.Fatal(err)
		}
		wantKinds(t, r, Opening, Ended)
	})
}

// An overload is told when it begins and when it is over, however long it lasts.
func TestOverloadIsToldOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		o := &overload{}
		c := &Capture{o: Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
		count := uint64(0)
		run := func(seconds int, each uint64) {
			for range seconds {
				count += each
				c.tell(o, count, "too slow", "keeps up")
				time.Sleep(time.Second)
			}
		}
		run(60, 3)
		run(5, 0) // a pause that is none
		run(60, 3)
		run(20, 0)
		run(20, 0)
		run(1, 1)
		text := log.String()
		if strings.Count(text, "too slow") != 2 || strings.Count(text, "keeps up") != 1 || !strings.Contains(text, "frames=360") || !strings.Contains(text, "for=2m4s") {
			t.Errorf("%s", text)
		}
	})
}
