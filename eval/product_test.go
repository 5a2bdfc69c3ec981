package eval

import (
	"context"
	"errors"
	"image"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/motion"
)

// gate is a flow that finds nothing, and may wait until it is opened.
type gate struct {
	shut chan struct{} // nil is open
	fail error
}

func (g *gate) Step(_, _ *motion.Gray, _ []motion.Pixel, dst []motion.Vector) error {
	if g.shut != nil {
		<-g.shut
	}
	clear(dst)
	return g.fail
}

func (g *gate) open() (motion.Flow, func() error, error) { return g, nil, nil }

// frames are pictures of one still scene, numbered from 1.
func frames(n int) []*frame.Frame {
	out := make([]*frame.Frame, n)
	for i := range out {
		out[i], _ = scene(0, mover{image.Rect(40, 30, 100, 90), 0, 0, red})
		out[i].Seq, out[i].Captured = uint64(i+1), time.Unix(0, 0).Add(time.Duration(i)*time.Second/24)
	}
	return out
}

var click = seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.44, Y: 0.5}, Label: seg.Positive}}}

func TestProductFollowsByTheClockAndOffline(t *testing.T) {
	for _, realtime := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			model := inferencetest.New(inferencetest.Options{Tolerance: 40})
			f, err := Product(ProductOptions{Model: model, Flow: pureFlow, Realtime: realtime, Tracker: tracker.Options{FPS: 24}})()
			if err != nil {
				t.Fatal(err)
			}
			pics := frames(12)
			if err := f.Start(pics[0], click); err != nil {
				t.Fatal(err)
			}
			var m *seg.Mask
			for _, pic := range pics[1:] {
				synctest.Wait() // the model has answered, if anybody asked
				if m, err = f.Next(pic); err != nil {
					t.Fatal(err)
				}
			}
			if _, labels := scene(0, mover{image.Rect(40, 30, 100, 90), 0, 0, red}); m == nil || onGrid(m, labels.Mask(1)).IoU(labels.Mask(1)) < 0.8 {
				t.Errorf("real time %v: the last mask is %v", realtime, m)
			}
			if err := f.Close(); err != nil || model.Live() != 0 {
				t.Errorf("real time %v: %d embeddings open, %v", realtime, model.Live(), err)
			}
		})
	}
}

// TestStuckPipelineIsTold shows a frame that the pipeline never comes out of.
func TestStuckPipelineIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{shut: make(chan struct{})}
		f, err := Product(ProductOptions{Model: inferencetest.New(inferencetest.Options{}), Flow: g.open, Realtime: true})()
		if err != nil {
			t.Fatal(err)
		}
		pics := frames(2)
		if err := f.Start(pics[0], click); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Next(pics[1]); err == nil || !strings.Contains(err.Error(), "frame 2 was not shown within 30s") {
			t.Errorf("%v", err)
		}
		close(g.shut)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestPipelineThatEndsIsTold stops the walk under a follower.
func TestPipelineThatEndsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, err := Product(ProductOptions{Model: inferencetest.New(inferencetest.Options{}), Flow: pureFlow, Realtime: true})()
		if err != nil {
			t.Fatal(err)
		}
		pics := frames(2)
		if err := f.Start(pics[0], click); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f.(*liveProduct).cancel()
		synctest.Wait()
		if _, err := f.Next(pics[1]); err == nil || !strings.Contains(err.Error(), "the pipeline ended") {
			t.Errorf("%v", err)
		}
		if err := f.Close(); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestProductPassesFailuresOn(t *testing.T) {
	blind := inferencetest.New(inferencetest.Options{Embed: func(context.Context, *frame.Frame) error { return errors.New("blind") }})
	f, err := Product(ProductOptions{Model: blind, Flow: pureFlow})()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(frames(1)[0], click); err == nil || !strings.Contains(err.Error(), "blind") {
		t.Errorf("a model that fails: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	// Never started, and what its flow holds is freed all the same.
	for _, realtime := range []bool{false, true} {
		freed, stuck := 0, errors.New("cannot free")
		open := func() (motion.Flow, func() error, error) {
			return &gate{}, func() error { freed++; return stuck }, nil
		}
		f, err := Product(ProductOptions{Model: blind, Flow: open, Realtime: realtime})()
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); !errors.Is(err, stuck) || freed != 1 {
			t.Errorf("real time %v: freed %d times, %v", realtime, freed, err)
		}
	}
	if _, err := Product(ProductOptions{Flow: pureFlow})(); err == nil {
		t.Error("a product without a model")
	}
}
