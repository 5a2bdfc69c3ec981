package opencv

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
)

// patience is a safety net, not a measure: a loaded machine may be slow.
const patience = 60 * time.Second

// viewer runs a capture and keeps what it reports.
type viewer struct {
	t      *testing.T
	cap    *capture.Capture
	states chan capture.State
	frames chan frame.Meta
	stop   func()
}

func view(t *testing.T, address string, stuckAfter time.Duration) *viewer {
	t.Helper()
	spec, err := capture.ParseSource(address)
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{t: t, states: make(chan capture.State, 1000), frames: make(chan frame.Meta, 100_000)}
	pool, out := frame.NewPool(4), frame.NewLatest()
	v.cap, err = capture.New(capture.Options{
		Name: "test", Open: Opener(spec), Pool: pool, Out: out, OnState: func(s capture.State) { v.states <- s },
		BackoffMax: time.Second, StuckAfter: stuckAfter,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	taking, stopTaking := context.WithCancel(t.Context())
	var run, take sync.WaitGroup
	run.Go(func() {
		if err := v.cap.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	take.Go(func() {
		for f, err := out.Take(taking); err == nil; f, err = out.Take(taking) {
			v.frames <- f.Meta
			f.Release()
		}
	})
	v.stop = sync.OnceFunc(func() {
		cancel()
		run.Wait()
		stopTaking()
		take.Wait()
		out.Close()
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(v.stop)
	return v
}

// until waits for a state of a kind and returns it.
func (v *viewer) until(kind capture.Kind) capture.State {
	v.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case s := <-v.states:
			v.t.Log(s)
			if s.Kind == kind {
				return s
			}
		case <-timeout:
			v.t.Fatalf("never %s", kind)
		}
	}
}

// next waits for n frames, each with a higher number than the one before, and returns the last.
func (v *viewer) next(n int, after frame.Meta) frame.Meta {
	v.t.Helper()
	timeout := time.After(patience)
	for range n {
		select {
		case m := <-v.frames:
			if m.Seq <= after.Seq || !m.Captured.After(after.Captured) {
				v.t.Fatalf("frame %d after frame %d", m.Seq, after.Seq)
			}
			after = m
		case <-timeout:
			v.t.Fatalf("no further frame after %d", after.Seq)
		}
	}
	return after
}

// drain takes the frames that are there.
func (v *viewer) drain(after frame.Meta) frame.Meta {
	for len(v.frames) > 0 {
		after = v.next(1, after)
	}
	return after
}

// A real server that stops answering, comes back, dies, and is started again: the capture says so in this order, and
// frames go on.
func TestRTSPServerStopsContinuesDiesAndReturns(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg to encode the stream (apt install ffmpeg)")
	}
	address := freeAddress(t)
	s := startServer(t, address)
	before := runtime.NumGoroutine()
	v := view(t, "rtsp://"+address+"/cam", 0)

	opened := v.until(capture.Opened)
	if opened.Info.Width != 322 || opened.Info.Height != 242 || opened.Info.FPS != 25 || !opened.Info.Live {
		t.Errorf("opened with %+v", opened.Info)
	}
	last := v.next(25, frame.Meta{})

	s.signal(syscall.SIGSTOP)
	stalled := v.until(capture.Stalled)
	last = v.drain(last)
	t.Logf("server stopped: stall reported %v after the newest frame", stalled.At.Sub(last.Captured).Round(time.Millisecond))
	if stalled.Retry == 0 {
		v.until(capture.Stalled) // the read has given up: the source will be opened again
	}
	v.until(capture.Stalled) // that has found nobody who answers
	s.signal(syscall.SIGCONT)
	v.until(capture.Recovered)
	last = v.next(25, last)

	s.kill()
	stalled = v.until(capture.Stalled)
	last = v.drain(last)
	t.Logf("server killed: stall reported %v after the newest frame", stalled.At.Sub(last.Captured).Round(time.Millisecond))
	v.until(capture.Stalled) // an opening that was refused
	startServer(t, address)
	v.until(capture.Recovered)
	last = v.next(25, last)

	v.stop()
	st := v.cap.Stats()
	t.Logf("%d frames, %+v", last.Seq, st)
	if st.Stalls < 2 || st.Reopens < 2 || st.Abandoned != 0 {
		t.Errorf("stats %+v", st)
	}
	noMoreThan(t, before)
}

// Without a limit on the socket, as a user's own options may leave it, the read hangs in C. It is left behind, the stream
// is opened beside it, and its frame comes back with it.
func TestReadStuckInCIsAbandoned(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg to encode the stream (apt install ffmpeg)")
	}
	t.Setenv(optionsEnv, "rtsp_transport;tcp")
	address := freeAddress(t)
	s := startServer(t, address)
	before := runtime.NumGoroutine()
	v := view(t, "rtsp://"+address+"/cam", 3*time.Second)
	v.until(capture.Opened)
	last := v.next(10, frame.Meta{})
	s.signal(syscall.SIGSTOP)
	for v.until(capture.Stalled).Retry == 0 {
	}
	last = v.drain(last)
	if st := v.cap.Stats(); st.Abandoned != 1 {
		t.Errorf("stats %+v", st)
	}
	s.signal(syscall.SIGCONT)
	v.until(capture.Recovered)
	v.next(25, last)
	v.returned(before)
}

// returned stops the capture once what it left behind has come back, so that the check for leaks is a fair one.
func (v *viewer) returned(goroutines int) {
	v.t.Helper()
	const own = 3 // the supervisor, its reader, and who takes the frames
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > goroutines+own && time.Now().Before(deadline) {
		v.next(1, frame.Meta{}) // the stream is the clock
	}
	v.stop()
	noMoreThan(v.t, goroutines)
}

// noMoreThan fails if more goroutines than before are left. One that has been joined may still be on its last
// instruction, so it looks again for a while.
func noMoreThan(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if after := runtime.NumGoroutine(); after > before {
		stacks := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after:\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
	}
}

func TestRTSPWithoutAServer(t *testing.T) {
	address := freeAddress(t)
	spec, err := capture.ParseSource("rtsp://admin:geheim@" + address + "/cam")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), spec)
	if err == nil || !strings.Contains(err.Error(), address) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("open: %v", err)
	}
}
