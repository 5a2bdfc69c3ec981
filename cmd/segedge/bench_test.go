package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

func TestBenchWalksAndFollowsTheClock(t *testing.T) {
	testkit.Long(t)
	for _, args := range [][]string{{"--flow", "lk"}, {"--flow", "opencv"}, {"--realtime", "200"}} {
		var out, errs bytes.Buffer
		line := append([]string{"bench", "--size", "160x96", "--objects", "0,6", "--frames", "8", "--json"}, args...)
		if code := execute(t.Context(), line, &out, &errs); code != 0 {
			t.Fatalf("%v: code %d: %s", args, code, errs.String())
		}
		var got benchResult
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Rows) != 2 || got.Rows[0].Followed != 0 {
			t.Fatalf("%v: %+v", args, got.Rows)
		}
		live := got.Rows[1].Live // by the clock a busy machine may follow nothing in eight frames
		if live == nil && (got.Rows[1].Followed < 1 || got.Rows[1].Stages["track"].N == 0) {
			t.Errorf("%v: %+v", args, got.Rows)
		}
		if (live != nil) != (args[0] == "--realtime") {
			t.Fatalf("%v: live is %+v", args, live)
		}
		// A frame or two may be on their way when the counting begins and ends.
		if live != nil && (live.Frames != 8 || live.Processed+live.Dropped < 6 || live.Processed+live.Dropped > 10) {
			t.Errorf("of 8 frames %+v", live)
		}
	}
}

// The configuration's tracker is the one that is measured.
func TestBenchMeasuresTheConfiguredTracker(t *testing.T) {
	testkit.Long(t)
	code, stdout, stderr := command(t, "bench", "--size", "160x96", "--objects", "6", "--frames", "8", "--json", "--set", "tracker.max_objects=2")
	var got benchResult
	if code != 0 {
		t.Fatal(stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	if f := got.Rows[0].Followed; f == 0 || f > 2 {
		t.Errorf("%g objects were followed of two at most", f)
	}
}

// Of ten objects that cross a picture of 480 lines, most are followed to the end: 8.7 in a frame, 6.6 before the tracker was put in order.
func TestBenchFollowsItsTenObjects(t *testing.T) {
	testkit.Long(t)
	code, stdout, stderr := command(t, "bench", "--size", "854x480", "--objects", "10", "--json")
	var got benchResult
	if code != 0 || json.Unmarshal([]byte(stdout), &got) != nil {
		t.Fatal(code, stderr)
	}
	if f := got.Rows[0].Followed; f < 8.5 {
		t.Errorf("%.1f of ten objects were followed", f)
	}
}

func TestBenchRefusesWhatItCannotMeasure(t *testing.T) {
	for text, args := range map[string][]string{
		"854x480":        {"--size", "big"},
		"at least 64x64": {"--size", "10x10"},
		"--objects 65":   {"--objects", "65"},
		"--frames":       {"--frames", "1"},
		"--cameras 17":   {"--cameras", "17"},
	} {
		var out, errs bytes.Buffer
		if code := execute(t.Context(), append([]string{"bench"}, args...), &out, &errs); code == 0 || !strings.Contains(errs.String(), text) {
			t.Errorf("%v: code %d, %q", args, code, errs.String())
		}
	}
}

// Cameras that share the model are measured together, each with its share.
func TestBenchOfSeveralCameras(t *testing.T) {
	testkit.Long(t)
	line := []string{"bench", "--cameras", "1,3", "--size", "160x96", "--objects", "2", "--frames", "12", "--realtime", "30"}
	code, stdout, stderr := command(t, append(line, "--json")...)
	var got benchResult
	if code != 0 || json.Unmarshal([]byte(stdout), &got) != nil || len(got.Shared) != 2 || len(got.Rows) != 0 {
		t.Fatal(code, stdout, stderr)
	}
	for i, n := range []int{1, 3} {
		s, sum := got.Shared[i], 0.0
		for _, share := range s.Shares {
			sum += share
		}
		if s.Cameras != n || len(s.Each) != n || len(s.Shares) != n || s.FPS <= 0 || s.Slowest > s.FPS || s.Keyframes > 0 && (sum < 99.9 || sum > 100.1) {
			t.Errorf("%+v", s)
		}
		for _, l := range s.Each {
			if l.Frames != 12 {
				t.Errorf("%d cameras: %+v", n, l)
			}
		}
	}
	if code, stdout, stderr = command(t, append(line, "--frames", "4")...); code != 0 || !strings.Contains(stdout, "| cameras | fps of a camera |") || !strings.Contains(stdout, "\n| 3 | ") {
		t.Error(code, stdout, stderr)
	}
}

func TestFeederGoesToAndFro(t *testing.T) {
	pics := []*frame.Frame{frame.New(2, 2), frame.New(2, 2), frame.New(2, 2)}
	for i, p := range pics {
		p.Pix[0] = byte(i)
	}
	f := newFeeder(pics, 1e5)
	var got []byte
	err := f.run(t.Context(), func() bool { return len(got) == 9 }, func() {
		next := f.slot.Reclaim()
		got = append(got, next.Pix[0])
		if next.Seq != uint64(len(got)) {
			t.Errorf("frame %d has the number %d", len(got), next.Seq)
		}
		next.Release()
	})
	if err != nil || !bytes.Equal(got, []byte{0, 1, 2, 1, 0, 1, 2, 1, 0}) {
		t.Errorf("%v, %v", got, err)
	}
	f.slot.Close()
	if err := f.pool.Close(); err != nil {
		t.Error(err)
	}
}

func TestStopwatchTellsMedianAndTail(t *testing.T) {
	s := &stopwatch{took: map[string][]time.Duration{}}
	for i := range 101 {
		s.observe("track", time.Duration(100-i)*time.Millisecond)
	}
	s.observe("decode", time.Millisecond)
	if c := s.costs()["track"]; c.P50 != 50 || c.P95 != 95 || c.N != 101 || c.String() != "50.0 (95.0)" {
		t.Errorf("%+v", c)
	}
	s.see([]seg.Object{{State: seg.Tracking, Mask: &seg.Mask{}}, {State: seg.Lost}})
	s.see(nil)
	if s.followed() != 0.5 {
		t.Errorf("%v followed", s.followed())
	}
	s.restart()
	if c := s.costs(); c["track"].N != 0 || c["decode"].N != 1 || c["track"].String() != "–" {
		t.Errorf("restarted, yet %+v", c)
	}
}

// A row that somebody stops is none: it is not shown as if it had been measured to its end.
func TestAStoppedRowIsNone(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, rate := range []float64{0, 200} {
		b := benchCmd{Frames: 8, Flow: "lk", Realtime: rate}
		bar := newBar(io.Discard, b.Frames, "")
		_, err := b.row(ctx, inferencetest.New(inferencetest.Options{}), config.Default(), benchSize{160, 96}, 1, bar, nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("at rate %g: %v", rate, err)
		}
	}
}
