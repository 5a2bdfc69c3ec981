package eval

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/motion"
)

// ProductOptions sets the product up as a follower.
type ProductOptions struct {
	Model   inference.Segmenter // shared by followers, not closed by them
	Tracker tracker.Options
	// Flow makes what measures motion, for one follower; done frees it and may be nil.
	Flow func() (f motion.Flow, done func() error, err error)
	// Realtime runs the model beside the frames, as the agent does; otherwise every answer belongs to the frame that asked.
	Realtime bool
	// Delay is how many frames late a keyframe's answers come otherwise: a slow model, the same every time.
	Delay int
}

// Product is the agent's own walk, the pipeline, as a follower.
func Product(o ProductOptions) func() (Follower, error) {
	return func() (Follower, error) {
		flow, done, err := o.Flow()
		if err != nil {
			return nil, fmt.Errorf("flow: %w", err)
		}
		p := &product{done: done, shown: make(chan struct{}, 1)}
		p.pipeline, err = pipeline.New(pipeline.Options{
			Model: o.Model, Tracker: tracker.New(o.Tracker, flow), Synchronous: !o.Realtime, Delay: o.Delay, Show: p.show,
		})
		if err != nil {
			return nil, errors.Join(err, p.free())
		}
		if o.Realtime {
			return &liveProduct{product: p}, nil
		}
		return p, nil
	}
}

// product walks in the caller's goroutine.
type product struct {
	pipeline *pipeline.Pipeline
	done     func() error
	mask     *seg.Mask
	shown    chan struct{}
}

// show keeps the object's mask where the product would draw one. There is one object.
func (p *product) show(_ *frame.Frame, objects []seg.Object) {
	p.mask = nil
	if len(objects) > 0 && objects[0].State.Visible() {
		p.mask = objects[0].Mask
	}
	select {
	case p.shown <- struct{}{}:
	default:
	}
}

func (p *product) Start(f *frame.Frame, prompt seg.Prompt) error {
	if err := p.pipeline.Step(context.Background(), f); err != nil {
		return err
	}
	_, err := p.pipeline.Prompt(context.Background(), pipeline.Request{Prompt: prompt})
	if errors.Is(err, pipeline.ErrNothingFound) {
		return nil // an object that the model does not find is one that is not followed: it scores, it does not fail
	}
	return err
}

func (p *product) Next(f *frame.Frame) (*seg.Mask, error) {
	if err := p.pipeline.Step(context.Background(), f); err != nil {
		return nil, err
	}
	return p.mask, nil
}

func (p *product) Close() error { return errors.Join(p.pipeline.Close(), p.free()) }

func (p *product) free() error {
	if p.done == nil {
		return nil
	}
	return p.done()
}

// liveProduct walks in a goroutine of its own, with the model beside it.
type liveProduct struct {
	*product
	in     *frame.Latest
	cancel context.CancelFunc
	ended  chan error // Run's result
	asked  chan error // the prompt's; nil before it was asked
}

func (p *liveProduct) Start(f *frame.Frame, prompt seg.Prompt) error {
	ctx, cancel := context.WithCancel(context.Background())
	p.in, p.cancel, p.ended = frame.NewLatest(), cancel, make(chan error, 1)
	go func() { p.ended <- p.pipeline.Run(ctx, p.in) }()
	if _, err := p.Next(f); err != nil {
		return err
	}
	seq := f.Seq
	p.asked = make(chan error, 1)
	go func() {
		_, err := p.pipeline.Prompt(ctx, pipeline.Request{Prompt: prompt, Frame: seq})
		p.asked <- err
	}()
	return nil
}

// patience is how long a frame may take before something must be stuck.
const patience = 30 * time.Second

func (p *liveProduct) Next(f *frame.Frame) (*seg.Mask, error) {
	p.in.Put(f.Retain())
	stuck := time.NewTimer(patience)
	defer stuck.Stop()
	select {
	case <-p.shown:
		return p.mask, nil
	case err := <-p.ended:
		p.ended <- err
		return nil, fmt.Errorf("the pipeline ended: %w", err)
	case <-stuck.C:
		return nil, fmt.Errorf("frame %d was not shown within %s", f.Seq, patience)
	}
}

func (p *liveProduct) Close() error {
	if p.cancel == nil {
		return p.product.Close()
	}
	err := p.answered()
	p.cancel()
	err = errors.Join(err, <-p.ended)
	if p.asked != nil {
		<-p.asked
	}
	p.in.Close()
	return errors.Join(err, p.free())
}

// answered is what became of the prompt. One that the model has not come to by the end of the sequence is no failure: it
// scores as what it is.
func (p *liveProduct) answered() error {
	select {
	case err := <-p.asked:
		p.asked = nil
		if err != nil && !errors.Is(err, pipeline.ErrNothingFound) {
			return fmt.Errorf("prompt: %w", err)
		}
	default:
	}
	return nil
}
