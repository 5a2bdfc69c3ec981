package agent

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// second is another camera, over a film of its own.
func second(name string) (CameraOptions, *film, chan uint64) {
	f, shown := &film{frames: make(chan int)}, make(chan uint64, 1)
	return CameraOptions{
		Name:    name,
		Source:  capture.Options{Open: func(context.Context) (capture.Source, error) { return f, nil }, StallAfter: time.Hour, StuckAfter: time.Hour, OpenLimit: time.Hour},
		Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})), Video: &screen{shown},
	}, f, shown
}

// A camera comes and goes while another follows its object.
func TestCamerasComeAndGo(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	if reply := r.do("prompt", onSquare); !reply.OK {
		t.Fatalf("%+v", reply.Error)
	}
	co, film, shown := second("two")
	if err := r.Add(co); err != nil {
		t.Fatal(err)
	}
	film.frames <- 10
	<-shown
	if got := r.Cameras(); !slices.Equal(got, []string{"cam", "two"}) {
		t.Errorf("cameras %v", got)
	}
	r.Sort([]string{"two", "cam"})
	if got := r.Info().Cameras; !slices.Equal(got, []string{"two", "cam"}) {
		t.Errorf("cameras %v", got)
	}
	again, _, _ := second("two")
	if err := r.Add(again); err == nil || !strings.Contains(err.Error(), "two cameras are named") {
		t.Errorf("a name twice: %v", err)
	}
	free, err := r.Remove("two")
	if err != nil {
		t.Fatal(err)
	}
	if err := free(); err != nil {
		t.Error(err)
	}
	if _, ok := r.State("two"); ok {
		t.Error("a camera that was removed has a state")
	}
	if reply := r.Do(t.Context(), "two", api.Command{Verb: "clear", Body: new(api.Nothing)}); reply.OK || reply.Error.Code != api.UnknownCamera {
		t.Errorf("%+v", reply)
	}
	if _, err := r.Remove("two"); err == nil {
		t.Error("removed twice")
	}
	r.next(42)
	if list, _ := r.Objects("cam"); len(list.Objects) != 1 {
		t.Errorf("%d objects on the camera that stayed", len(list.Objects))
	}
}

// While the cameras are held, the last may go and another come.
func TestTheLastCameraIsReplaced(t *testing.T) {
	r := newRig(t, nil)
	r.next(40)
	release, err := r.Hold()
	if err != nil {
		t.Fatal(err)
	}
	free, err := r.Remove("cam")
	if err != nil {
		t.Fatal(err)
	}
	if err := free(); err != nil {
		t.Error(err)
	}
	co, film, shown := second("cam")
	if err := r.Add(co); err != nil {
		t.Fatal(err)
	}
	release()
	film.frames <- 10
	<-shown
}

// A camera that failed and was made again, and then was well, is no reason for the agent to end with an error; nor is one that was removed.
func TestAFailureThatWasMendedIsForgotten(t *testing.T) {
	failed := make(chan string, 1)
	r := newRig(t, func(o *Options, _ *CameraOptions) { o.Failed = func(name string) { failed <- name } })
	r.next(40)
	for _, mend := range []bool{true, false} {
		co, _, _ := second("two")
		co.Source.Open = func(context.Context) (capture.Source, error) { return nil, capture.Permanent(io.ErrUnexpectedEOF) }
		if err := r.Add(co); err != nil {
			t.Fatal(err)
		}
		if got := <-failed; got != "two" {
			t.Errorf("%s failed", got)
		}
		free, err := r.Remove("two")
		if err != nil {
			t.Fatal(err)
		}
		if err := free(); err != nil {
			t.Error(err)
		}
		if !mend {
			continue
		}
		co, film, shown := second("two")
		if err := r.Add(co); err != nil {
			t.Fatal(err)
		}
		film.frames <- 10
		<-shown
		if free, err = r.Remove("two"); err != nil {
			t.Fatal(err)
		}
		if err := free(); err != nil {
			t.Error(err)
		}
	}
	r.stop()
	err := <-r.ended
	r.ended <- nil
	if err != nil {
		t.Errorf("the agent ended with what was mended: %v", err)
	}
}

func TestAnAgentThatHasEndedTakesNoCamera(t *testing.T) {
	failed := make(chan string, 1)
	a, err := New(Options{Model: inferencetest.New(inferencetest.Options{}), Failed: func(name string) { failed <- name }}, []CameraOptions{{
		Name:    "cam",
		Source:  capture.Options{Open: func(context.Context) (capture.Source, error) { return nil, capture.Permanent(io.ErrUnexpectedEOF) }},
		Tracker: tracker.New(tracker.Options{}, lk.New(lk.Options{})),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Run(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	if got := <-failed; got != "cam" {
		t.Errorf("%s failed", got)
	}
	co, _, _ := second("two")
	if err := a.Add(co); !errors.Is(err, errOver) {
		t.Errorf("%v", err)
	}
	if _, err := a.Hold(); !errors.Is(err, errOver) {
		t.Errorf("%v", err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
