package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Follower follows one object through one sequence: the product, or a method to compare it with. One goroutine uses it. A
// frame belongs to the caller and is read only during the call, unless the follower retains it.
type Follower interface {
	// Start shows the first frame and says which object is meant.
	Start(f *frame.Frame, p seg.Prompt) error
	// Next shows the next frame and gives the object's mask in it, on any grid; nil where it is not seen.
	Next(f *frame.Frame) (*seg.Mask, error)
	Close() error
}

// PromptKind is what the first frame's truth is turned into.
type PromptKind string

// The prompts of the video benchmark.
const (
	PromptMask  PromptKind = "mask"  // the truth itself
	PromptBox   PromptKind = "box"   // its tight box
	PromptClick PromptKind = "click" // its deepest cell
)

// VideoOptions says what to measure.
type VideoOptions struct {
	Videos    []dataset.Video
	Sequences []string // names to measure; none are all
	Prompt    PromptKind
	Method    string // what New makes, for the table
	// Model describes the model behind the method, for the table. May be nil.
	Model *inference.Info
	// New makes a follower for one object of one sequence.
	New func() (Follower, error)
	// Realtime is the rate, frames a second, at which frames come whether the follower is ready or not: a frame that comes
	// while it works is dropped, unless it is still the newest afterwards, and scored with the mask before. 0 waits for it.
	Realtime float64
	// Delay is by how many frames New's follower has the model's answers late (ProductOptions), for the table.
	Delay int
	// FPS is the rate at which the pictures were taken: it dates the frames. 0 is Realtime or else DefaultFPS.
	FPS float64
	// Progress is told of every frame. May be nil.
	Progress func(done, total int, sequence string)
	// Frame is shown every frame of every sequence after it was scored, in order, with the masks of all objects, for a
	// picture. The frame is the callee's during the call. May be nil.
	Frame func(r FrameResult) error
}

// DefaultFPS is the rate at which DAVIS was filmed (Perazzi and others 2016, section 3).
const DefaultFPS = 24

// FrameResult is one scored frame.
type FrameResult struct {
	Sequence string
	Index    int // from 0
	Frame    *frame.Frame
	Got      []*seg.Mask // by object; nil where nothing was found. In the first frame it is the truth
	Truth    []*seg.Mask // by object; empty where the frame has no annotation
	Dropped  bool
}

// Video measures one method. Every object of a sequence's first annotated frame is followed on its own. As in the DAVIS
// benchmark the first and the last frame are not scored, and the mean is over objects.
func Video(ctx context.Context, o VideoOptions) (*VideoResult, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.FPS = cmp.Or(o.FPS, o.Realtime, DefaultFPS)
	videos, total, err := o.chosen()
	if err != nil {
		return nil, err
	}
	r := &VideoResult{Method: o.Method, Prompt: o.Prompt, Realtime: o.Realtime, Delay: o.Delay, FPS: o.FPS, Sequences: map[string]Sequence{}}
	if o.Model != nil {
		r.Model = o.Model.Name
	}
	done := 0
	for i := range videos {
		run := &run{o: &o, video: &videos[i], progress: func() {
			done++
			if o.Progress != nil {
				o.Progress(done, total, videos[i].Name)
			}
		}}
		if err := run.all(ctx); err != nil {
			return nil, fmt.Errorf("sequence %s: %s: %w", videos[i].Name, o.Method, err)
		}
		r.add(videos[i].Name, run)
	}
	r.finish()
	return r, nil
}

func (o *VideoOptions) check() error {
	switch {
	case o.New == nil:
		return errors.New("eval video: a method is needed")
	case !slices.Contains([]PromptKind{PromptMask, PromptBox, PromptClick}, o.Prompt):
		return fmt.Errorf("eval video: prompt %q: mask, box or click are known", o.Prompt)
	case o.Delay < 0 || o.Delay > 0 && o.Realtime > 0:
		return fmt.Errorf(
			"eval video: answers %d frames late at %g frames a second by the clock: a delay is for frames that wait",
			o.Delay,
			o.Realtime,
		)
	case o.Realtime < 0 || o.FPS < 0:
		return fmt.Errorf("eval video: real time at %g of %g frames a second", o.Realtime, o.FPS)
	}
	return nil
}

// chosen are the sequences named, and the frames they have together.
func (o *VideoOptions) chosen() ([]dataset.Video, int, error) {
	var out []dataset.Video
	frames := 0
	for _, v := range o.Videos {
		if len(o.Sequences) == 0 || slices.Contains(o.Sequences, v.Name) {
			out = append(out, v)
			frames += len(v.Frames)
		}
	}
	for _, name := range o.Sequences {
		if !slices.ContainsFunc(out, func(v dataset.Video) bool { return v.Name == name }) {
			return nil, 0, fmt.Errorf("eval video: no sequence %q in the data", name)
		}
	}
	if frames == 0 {
		return nil, 0, errors.New("eval video: no sequences in the data")
	}
	return out, frames, nil
}

// PromptFor turns a true mask into a prompt.
func PromptFor(kind PromptKind, truth *seg.Mask) seg.Prompt {
	switch kind {
	case PromptBox:
		box := truth.Box()
		return seg.Prompt{Box: &box}
	case PromptClick:
		return seg.Prompt{Clicks: []seg.Click{{Point: truth.Center(), Label: seg.Positive}}}
	default:
		return seg.Prompt{Mask: seg.LogitsOf(truth, truth.W, truth.H, seg.Point{X: 1, Y: 1}, maskAmplitude)}
	}
}

// maskAmplitude is how sure a mask prompt made of the truth is, in logits.
const maskAmplitude = 8

// run follows the objects of one sequence.
type run struct {
	o        *VideoOptions
	video    *dataset.Video
	progress func()

	ids     []uint32
	got     [][]*seg.Mask // by object and frame
	fresh   [][]bool      // by object and frame: the follower saw this very frame
	took    []time.Duration
	dropped int
	input   int         // longest side that the model sees, pixels; 0 where there is none
	region  [][]float64 // by object and scored frame
	edges   [][]float64
}

func (r *run) all(ctx context.Context) error {
	first, err := r.video.Truth(0)
	if err != nil {
		return err
	}
	if first == nil || len(first.IDs()) == 0 {
		return errors.New("the first frame has no annotated object to prompt with")
	}
	r.ids = first.IDs()
	feed := r.feed
	if r.o.Realtime > 0 {
		feed = r.feedByClock
	}
	for _, id := range r.ids {
		masks, fresh := make([]*seg.Mask, len(r.video.Frames)), make([]bool, len(r.video.Frames))
		truth := first.Mask(id)
		masks[0], fresh[0] = truth, true
		r.got, r.fresh = append(r.got, masks), append(r.fresh, fresh)
		if err := r.follow(ctx, feed, PromptFor(r.o.Prompt, truth), masks, fresh); err != nil {
			return err
		}
	}
	return r.score(ctx)
}

// feeder shows a follower the frames of the sequence and fills in its masks.
type feeder func(ctx context.Context, f Follower, p seg.Prompt, masks []*seg.Mask, fresh []bool) error

func (r *run) follow(ctx context.Context, feed feeder, p seg.Prompt, masks []*seg.Mask, fresh []bool) error {
	f, err := r.o.New()
	if err != nil {
		return err
	}
	return errors.Join(feed(ctx, f, p, masks, fresh), f.Close())
}

// feed shows frame after frame and waits for each.
func (r *run) feed(ctx context.Context, f Follower, p seg.Prompt, masks []*seg.Mask, fresh []bool) error {
	for i := range r.video.Frames {
		if err := ctx.Err(); err != nil {
			return err
		}
		pic, err := r.picture(i)
		if err != nil {
			return err
		}
		start := time.Now()
		masks[i], err = r.show(f, p, pic, i, masks[i])
		pic.Release()
		if err != nil {
			return err
		}
		if i > 0 {
			r.took = append(r.took, time.Since(start))
		}
		fresh[i] = true
		if len(r.got) == 1 {
			r.progress()
		}
	}
	return nil
}

// show hands one frame to the follower; the first keeps the mask it has.
func (r *run) show(f Follower, p seg.Prompt, pic *frame.Frame, i int, mask *seg.Mask) (*seg.Mask, error) {
	if i == 0 {
		if err := f.Start(pic, p); err != nil {
			return nil, fmt.Errorf("start: %w", err)
		}
		return mask, nil
	}
	m, err := f.Next(pic)
	if err != nil {
		return nil, fmt.Errorf("frame %d: %w", i, err)
	}
	return m, nil
}

// inputOf is the longest side at which the model sees a frame, pixels; 0 where no model says.
func inputOf(m *inference.Info, f *frame.Frame) int {
	if m == nil || m.Input == nil {
		return 0
	}
	w, h := m.Input(f.Width, f.Height)
	return max(w, h)
}

// picture decodes frame i, numbered from 1 as cameras do.
func (r *run) picture(i int) (*frame.Frame, error) {
	f, err := picture.Read(r.video.Frames[i])
	if err != nil {
		return nil, err
	}
	f.Seq, f.PTS = uint64(i+1), time.Duration(float64(i)*float64(time.Second)/r.o.FPS)
	r.input = max(r.input, inputOf(r.o.Model, f))
	f.Captured = time.Unix(0, 0).Add(f.PTS)
	return f, nil
}
