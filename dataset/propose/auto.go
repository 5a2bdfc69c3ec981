package propose

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Options say how a film is gone through. The zero values of the rest are the defaults.
type Options struct {
	Model    inference.Segmenter
	Follower func() (Follower, error)
	Every    int // of so many frames one is looked at; 30
	Window   int // frames that a mask is followed there and back; 8
	Pictures int // at most; 20
	Masks    int // of a picture, the best; 8
	Grid     int // clicks a side; 16

	Novelty      float64 // least distance of a picture from what is known and chosen; 0.02
	Cycle        float64 // least IoU of a mask with itself after the way there and back; 0.8
	MinIoU       float64 // predicted; the family's own
	MinStability float64 // the family's own
}

// Taken is a picture that was chosen, with the masks that passed.
type Taken struct {
	Frame       *frame.Frame // at the model's size; the taker's own
	Masks       []Mask
	Tried       int // masks that were followed
	Look        Look
	Uncertainty float64
}

// Mask is an object that nobody has pointed at.
type Mask struct {
	inference.Found
	Cycle float64
}

func (o Options) defaults() Options {
	for v, d := range map[*int]int{&o.Every: 30, &o.Window: 8, &o.Pictures: 20, &o.Masks: 8, &o.Grid: 16} {
		if *v <= 0 {
			*v = d
		}
	}
	for v, d := range map[*float64]float64{&o.Novelty: 0.02, &o.Cycle: 0.8} {
		if *v == 0 {
			*v = d
		}
	}
	return o
}

// Auto goes through a film twice: first it looks at a frame now and then and chooses the pictures that are worth it, then it segments
// everything in these, follows the masks there and back, and hands over what passes. Each call of film is one way through it; a frame is
// read until the next one is asked for.
func Auto(ctx context.Context, film func() iter.Seq2[*frame.Frame, error], known *Memory, o Options, take func(*Taken) error) error {
	o = o.defaults()
	places, all, err := o.candidates(ctx, film())
	if err != nil {
		return err
	}
	open := map[int]*window{}
	for _, i := range Choose(all, known, o.Pictures, o.Novelty) {
		open[places[i]] = &window{Candidate: all[i]}
		known.Add(all[i].Look)
	}
	var under []*window // of which the last frame has not come
	n := 0
	for f, err := range film() {
		if err != nil {
			return err
		}
		if w := open[n]; w != nil {
			under = append(under, w)
		}
		n++
		if len(under) == 0 {
			continue
		}
		small := o.reduced(f)
		for _, w := range under {
			w.frames = append(w.frames, small)
		}
		if len(under[0].frames) == o.Window {
			if err := o.finish(ctx, under[0], take); err != nil {
				return err
			}
			under = under[1:]
		}
	}
	for _, w := range under { // the film ended before
		if err := o.finish(ctx, w, take); err != nil {
			return err
		}
	}
	return nil
}

// window is a chosen picture and what comes after it.
type window struct {
	Candidate
	frames []*frame.Frame
}

// reduced is a frame's copy at the model's size.
func (o *Options) reduced(f *frame.Frame) *frame.Frame {
	w, h := f.Width, f.Height
	if info := o.Model.Info(); info.Input != nil {
		w, h = info.Input(f.Width, f.Height)
	}
	small := frame.New(2, 2)
	new(frame.Shrinker).Shrink(small, f, w, h)
	small.Seq, small.Captured, small.PTS = f.Seq, f.Captured, f.PTS
	return small
}

// candidates are the frames that are looked at, by their places.
func (o *Options) candidates(ctx context.Context, film iter.Seq2[*frame.Frame, error]) (places []int, all []Candidate, err error) {
	n := 0
	for f, err := range film {
		if err != nil {
			return nil, nil, err
		}
		if n%o.Every == 0 {
			c, err := o.consider(ctx, o.reduced(f))
			if err != nil {
				return nil, nil, err
			}
			places, all = append(places, n), append(all, c)
		}
		n++
	}
	return places, all, ctx.Err()
}

// doubtSide is the side of the grid of clicks by which the model's doubt about a picture is told.
const doubtSide = 5

// consider encodes a picture and clicks here and there: the doubt is the mean one of the best answers.
func (o *Options) consider(ctx context.Context, f *frame.Frame) (c Candidate, err error) {
	e, err := o.Model.Embed(ctx, f)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	var prompts []seg.Prompt
	for i := range doubtSide * doubtSide {
		p := seg.Point{X: (float64(i%doubtSide) + 0.5) / doubtSide, Y: (float64(i/doubtSide) + 0.5) / doubtSide}
		prompts = append(prompts, seg.Prompt{Clicks: []seg.Click{{Point: p, Label: seg.Positive}}})
	}
	answers, err := e.Decode(ctx, prompts)
	if err != nil {
		return c, err
	}
	for _, a := range answers {
		if best := a.Best(); best != nil {
			c.Uncertainty += Uncertainty([]Score{{best.PredictedIoU, best.Stability}}) / float64(len(answers))
		}
	}
	c.Look = LookAt(e)
	return c, nil
}

// finish sifts the masks of a chosen picture and hands them over; a picture of which nothing passes is left out.
func (o *Options) finish(ctx context.Context, w *window, take func(*Taken) error) error {
	first := w.frames[0]
	found, err := inference.Everything(ctx, o.Model, first, inference.EverythingOptions{
		PointsPerSide: o.Grid, MinArea: 0.001, MinIoU: o.MinIoU, MinStability: o.MinStability,
	}, nil)
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(f inference.Found) bool { return inference.Surrounds(f.Mask) })
	t := &Taken{Frame: first, Look: w.Look, Uncertainty: w.Uncertainty}
	for _, f := range found[:min(len(found), o.Masks)] {
		t.Tried++
		cycle, err := Cycle(w.frames, f.Mask, o.Follower)
		if err != nil {
			return err
		}
		if len(w.frames) > 1 && cycle >= o.Cycle {
			t.Masks = append(t.Masks, Mask{f, cycle})
		}
	}
	if len(t.Masks) == 0 {
		return nil
	}
	return take(t)
}
