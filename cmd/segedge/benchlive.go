package main

import (
	"context"
	"errors"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/pipeline"
	"github.com/segedge/segedge/supervise"
)

// benchLive is what became of frames that came by the clock.
type benchLive struct {
	Frames    int       `json:"frames"`    // that came after the prompts were answered
	Processed uint64    `json:"processed"` // of them
	Dropped   uint64    `json:"dropped"`
	Answers   uint64    `json:"answers"` // decodes, each of all objects that wanted one
	Keyframes uint64    `json:"keyframes"`
	Seconds   float64   `json:"seconds"`
	Frame     benchCost `json:"frame"` // from a frame's coming to its picture being encoded
}

// liveLoop is how many frames of the scene are drawn ahead: drawing is no part of an agent. They are shown to and fro.
const liveLoop = 45

// live runs the pipeline as an agent does, the model in lanes beside the frames, and puts a frame into its slot at each tick of the clock.
func (b *benchCmd) live(
	ctx context.Context,
	p *pipeline.Pipeline,
	scene *synthetic.Scene,
	watch *stopwatch,
	n int,
	bar *progressbar.ProgressBar,
	among *seat,
) (*benchLive, error) {
	pics := among.pictures()
	if pics == nil {
		pics = drawn(scene)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feed := newFeeder(pics, b.Realtime)
	ended, asked := make(chan error, 1), make(chan struct{})
	go func() { ended <- p.Run(ctx, feed.slot) }()
	go func() {
		defer close(asked)
		if supervise.Wait(ctx, feed.period) == nil { // the first frame has to be there
			ask(ctx, p, n)
		}
	}()
	err := feed.run(ctx, func() bool { return closed(asked) && among.ready() }, nil)
	before, dropped := p.Counters(), feed.slot.Dropped()
	watch.restart()
	came, start := 0, time.Now()
	if err == nil {
		err = feed.run(ctx, func() bool { return came >= b.Frames }, func() {
			came++
			_ = bar.Add(1)
		})
	}
	after := p.Counters()
	out := &benchLive{
		Frames:    came,
		Processed: after.Processed - before.Processed,
		Dropped:   feed.slot.Dropped() - dropped,
		Answers:   after.Answers - before.Answers,
		Keyframes: after.Keyframes - before.Keyframes,
		Seconds:   time.Since(start).Seconds(),
	}
	cancel()
	<-asked
	err = errors.Join(err, <-ended)
	feed.slot.Close()
	out.Frame = costOf(watch.took["age"])
	return out, errors.Join(err, feed.pool.Close())
}

// drawn are the first frames of a scene.
func drawn(scene *synthetic.Scene) []*frame.Frame {
	pics := make([]*frame.Frame, liveLoop)
	for i := range pics {
		pics[i] = frame.New(scene.Options().Width, scene.Options().Height)
		scene.Render(uint64(i), pics[i])
	}
	return pics
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// feeder is a camera of frames that were drawn before.
type feeder struct {
	pics   []*frame.Frame
	pool   *frame.Pool
	slot   *frame.Latest
	period time.Duration
	start  time.Time
	seq    uint64
}

func newFeeder(pics []*frame.Frame, fps float64) *feeder {
	return &feeder{
		pics: pics, pool: frame.NewPool(8), slot: frame.NewLatest(), period: time.Duration(float64(time.Second) / fps), start: time.Now(),
	}
}

// run puts a frame into the slot at each tick until enough says so.
func (f *feeder) run(ctx context.Context, enough func() bool, put func()) error {
	for !enough() {
		due := f.start.Add(time.Duration(f.seq) * f.period)
		if err := supervise.Wait(ctx, time.Until(due)); err != nil {
			return err
		}
		n := int(f.seq) % (2*len(f.pics) - 2)
		if n >= len(f.pics) {
			n = 2*len(f.pics) - 2 - n
		}
		f.seq++
		next := f.pool.Get()
		if next == nil {
			next = f.slot.Reclaim()
		}
		if next == nil {
			return errors.New("bench: the pipeline keeps more frames than it may")
		}
		next.Resize(f.pics[n].Width, f.pics[n].Height)
		copy(next.Pix, f.pics[n].Pix)
		next.Seq, next.Captured = f.seq, due
		f.slot.Put(next)
		if put != nil {
			put()
		}
	}
	return nil
}
