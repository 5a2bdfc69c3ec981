// Package offline follows objects through a recording: every frame, one after another, as fast as the machine can. Nothing is dropped, and
// what the model says of a frame is there before the next one. It has no doors and no clock: frames are dated by the recording's own, and
// what is made goes out through functions, which may take their time. Cameras, which do not wait, are the agent's.
package offline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/capture/scene"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
)

// ErrLive is a source without an end, or one that does not wait.
var ErrLive = errors.New("this is no recording: it is live")

// usualRate dates the frames of a source that has neither times nor a rate, in frames a second.
const usualRate = 25

// askAgain is after how many frames a phrase that was not found is looked for again.
const askAgain = 10

// Options say what is followed, and where it goes. Open, Pipeline's Model and Tracker, and Show are required.
type Options struct {
	Open capture.Opener
	// Pipeline is the walk. Show, Synchronous and Logger are set here.
	Pipeline pipeline.Options
	// Prompts are asked on the first frame that shows something; a phrase that is not found, every ten frames until it is.
	Prompts []pipeline.Request
	// Ground finds the boxes that a phrase means. Nil where there is no detector: phrases are then an error.
	Ground func(ctx context.Context, f *frame.Frame, phrase string) ([]seg.Named, error)
	// Show gets every frame with its objects, in order. Both are valid during the call only, but for the masks, which nobody changes.
	Show   func(f *frame.Frame, objects []seg.Object) error
	Until  time.Duration    // how much of the recording is followed; 0 is all of it
	Done   func(frames int) // hears of progress; may be nil
	Logger *slog.Logger
}

// walk is a recording under way.
type walk struct {
	o       Options
	pipe    *pipeline.Pipeline
	eye     scene.Watch
	begin   time.Time
	every   time.Duration // between two frames, as announced
	pts     time.Duration // of the frame before
	now     *frame.Frame
	objects []seg.Object
	asking  []pipeline.Request
	asked   uint64 // the frame on which it was asked last, 0 for never
}

// Run follows until the source ends, Until has been shown, or ctx ends, which is no error, and counts what was done. Objects are found by
// Prompts alone.
func Run(ctx context.Context, o Options) (done pipeline.Counters, err error) {
	src, err := o.Open(ctx)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	w := &walk{o: o, begin: time.Now(), asking: o.Prompts, now: frame.New(2, 2)}
	if err := w.describe(src); err != nil {
		return done, err
	}
	po := o.Pipeline
	po.Synchronous, po.Logger = true, o.Logger
	po.Show = func(_ *frame.Frame, objects []seg.Object) { w.objects = append(w.objects[:0], objects...) }
	if w.pipe, err = pipeline.New(po); err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, w.pipe.Close()) }()
	for o.Until <= 0 || w.now.Captured.Sub(w.begin)+w.every*3/2 <= o.Until {
		switch err := w.next(ctx, src); {
		case errors.Is(err, io.EOF) || ctx.Err() != nil:
			return w.pipe.Counters(), nil
		case err != nil:
			return w.pipe.Counters(), fmt.Errorf("after %d frames: %w", w.now.Seq, err)
		}
	}
	return w.pipe.Counters(), nil
}

// describe refuses what is live, and takes the rate of what is not.
func (w *walk) describe(src capture.Source) error {
	d, ok := src.(capture.Describer)
	if !ok || d.Info().Live {
		return ErrLive
	}
	rate := d.Info().FPS
	if rate <= 0 {
		rate = usualRate
	}
	w.every = time.Duration(float64(time.Second) / rate)
	return nil
}

// next takes one frame through the walk.
func (w *walk) next(ctx context.Context, src capture.Source) error {
	meta := w.now.Meta
	if err := src.Read(ctx, w.now); err != nil {
		w.now.Meta = meta
		return err
	}
	w.date(meta)
	if err := w.pipe.Step(ctx, w.now); err != nil {
		return err
	}
	if err := w.ask(ctx); err != nil {
		return err
	}
	if err := w.o.Show(w.now, w.objects); err != nil {
		return err
	}
	if w.o.Done != nil {
		w.o.Done(int(w.now.Seq))
	}
	return nil
}

// date numbers the frame that was read, and says when it was: by the recording's times, or its rate where these stand still, run back or
// jump.
func (w *walk) date(before frame.Meta) {
	f := w.now
	step := f.PTS - w.pts
	w.pts = f.PTS
	if step <= 0 || step > time.Minute {
		step = w.every
	}
	f.Seq, f.Captured = before.Seq+1, w.begin
	if before.Seq > 0 {
		f.Captured = before.Captured.Add(step)
	}
	f.Scene = w.eye.Look(f, f.Captured, false)
}

// ask asks what is to be asked of this frame, and takes what was found into its objects.
func (w *walk) ask(ctx context.Context) error {
	due := w.asked == 0 || w.now.Seq >= w.asked+askAgain
	if len(w.asking) == 0 || !due || !w.now.Scene.Shows() {
		return nil
	}
	first := w.asked == 0
	w.asked = w.now.Seq
	var again []pipeline.Request
	for _, r := range w.asking {
		found, err := w.prompt(ctx, r)
		if err != nil {
			return err
		}
		switch {
		case !found && r.Prompt.Text != "":
			again = append(again, r)
		case !found:
			w.o.Logger.Warn("the model found nothing where it was asked", "frame", w.now.Seq)
		}
	}
	if first && len(again) > 0 {
		w.o.Logger.Info("not found yet; looking again every few frames", "phrases", len(again))
	}
	w.asking = again
	var err error
	w.objects, _, err = w.pipe.Objects(ctx)
	return err
}

// prompt asks for what one request means, be it several things.
func (w *walk) prompt(ctx context.Context, r pipeline.Request) (found bool, err error) {
	if r.Prompt.Text == "" || w.pipe.Kinds().Text {
		return w.one(ctx, r)
	}
	if w.o.Ground == nil {
		return false, errors.New("there is no detector to understand words with")
	}
	boxes, err := w.o.Ground(ctx, w.now, r.Prompt.Text)
	if err != nil {
		return false, err
	}
	name, phrase := r.Name, r.Prompt.Text
	if name == phrase {
		name = ""
	}
	r.Prompt.Text, r.Apart = "", true
	for i := range boxes {
		r.Name, r.Prompt.Box = cmp.Or(name, boxes[i].Name, phrase), &boxes[i].Box
		ok, err := w.one(ctx, r)
		if err != nil {
			return found, err
		}
		found = found || ok
	}
	return found, nil
}

// one asks for one thing. One that is followed already was found.
func (w *walk) one(ctx context.Context, r pipeline.Request) (found bool, err error) {
	_, err = w.pipe.Prompt(ctx, r)
	if _, known := errors.AsType[*pipeline.FollowedError](err); known {
		return true, nil
	}
	if errors.Is(err, pipeline.ErrNothingFound) {
		return false, nil
	}
	return err == nil, err
}
