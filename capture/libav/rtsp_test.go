package libav

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strconv"
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

func view(t *testing.T, address string) *viewer {
	t.Helper()
	spec, err := capture.ParseSource(address)
	if err != nil {
		t.Fatal(err)
	}
	v := &viewer{t: t, states: make(chan capture.State, 1000), frames: make(chan frame.Meta, 100_000)}
	pool, out := frame.NewPool(4), frame.NewLatest()
	v.cap, err = capture.New(capture.Options{
		Name: "test", Open: Opener(spec), Pool: pool, Out: out, OnState: func(s capture.State) { v.states <- s },
		BackoffMax: time.Second, StuckAfter: 2 * time.Second, OpenLimit: 2 * time.Second,
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
	v := view(t, "rtsp://"+address+"/cam")

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

// A camera that refuses TCP (461) is read over UDP, and capitals in the scheme change nothing.
func TestUDPIsTriedWhereTCPIsRefused(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg to encode the stream (apt install ffmpeg)")
	}
	t.Setenv(udpEnv, strconv.Itoa(freePair(t)))
	address := freeAddress(t)
	startServer(t, address)
	spec, err := capture.ParseSource("RTSP://" + address + "/cam")
	if err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(2, 2)
	for range 10 {
		if err := src.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if f.Width != 322 || src.Info().FPS != 25 || src.Active().IsZero() {
		t.Errorf("%d pixels wide, %+v", f.Width, src.Info())
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
}

// freePair is an even UDP port that is free with the one after it.
func freePair(t *testing.T) int {
	t.Helper()
	for range 100 {
		a, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := a.LocalAddr().(*net.UDPAddr).Port
		b, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port+1))
		a.Close()
		if err != nil {
			continue
		}
		if b.Close(); port%2 == 0 {
			return port
		}
	}
	t.Fatal("no two UDP ports in a row are free")
	return 0
}
