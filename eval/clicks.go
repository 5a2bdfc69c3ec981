package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Classical segments a picture by itself from a point or a box: the baseline of the click benchmark.
type Classical interface {
	// Segment gives the mask that the prompt, one positive point or a box, means; nil where it finds nothing. The frame is read
	// only during the call.
	Segment(f *frame.Frame, p seg.Prompt) (*seg.Mask, error)
}

// ClicksOptions says what to measure.
type ClicksOptions struct {
	Items     []dataset.Item
	Segmenter inference.Segmenter
	Method    string    // what the segmenter is, for the table
	Clicks    int       // at most, an object; 5
	PerImage  int       // objects an image, evenly over their sizes; 3, negative for all
	Smallest  float64   // share of the picture below which an object is left out; 0.004
	Limit     int       // images a set; 0 is all
	Baseline  Classical // on the same objects; may be nil
	Cases     int       // best and worst cases kept for the sheet, each; 12
	// Progress is told of every image. May be nil.
	Progress func(done, total int)
}

func (o ClicksOptions) withDefaults() ClicksOptions {
	o.Clicks = cmp.Or(o.Clicks, 5)
	o.PerImage = cmp.Or(o.PerImage, 3)
	o.Smallest = cmp.Or(o.Smallest, 0.004)
	o.Cases = cmp.Or(o.Cases, 12)
	return o
}

// Clicks measures how well a person's clicks are answered. The first goes to the deepest place of the object, each further one to
// the deepest place of what is missing or too much, whichever goes deeper, and the answer before is fed back as the mask
// prompt (Sofiiuk and others 2020; Segment Anything, section 7.1). What counts after each click is the answer ranked first.
// An answer without an error keeps its score for the clicks that it did not need.
func Clicks(ctx context.Context, o ClicksOptions) (*ClicksResult, error) {
	o = o.withDefaults()
	if o.Segmenter == nil || o.Clicks < 1 || o.Clicks > seg.MaxClicks {
		return nil, fmt.Errorf("eval clicks: a model and 1 to %d clicks are needed", seg.MaxClicks)
	}
	items := limited(o.Items, o.Limit)
	tally := newTally(&o)
	for i := range items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := tally.image(ctx, &items[i]); err != nil {
			return nil, fmt.Errorf("eval clicks: image %s: %w", items[i].Name, err)
		}
		if o.Progress != nil {
			o.Progress(i+1, len(items))
		}
	}
	return tally.result()
}

// limited are the first n items of each set.
func limited(items []dataset.Item, n int) []dataset.Item {
	if n <= 0 {
		return items
	}
	seen := map[string]int{}
	var out []dataset.Item
	for _, it := range items {
		if seen[it.Set]++; seen[it.Set] <= n {
			out = append(out, it)
		}
	}
	return out
}

// choose are the objects of a picture that are measured: not too small, and if there are many, evenly over their sizes.
func (o *ClicksOptions) choose(masks []*seg.Mask) []*seg.Mask {
	var big []*seg.Mask
	for _, m := range masks {
		if m.Area() >= o.Smallest {
			big = append(big, m)
		}
	}
	slices.SortStableFunc(big, func(a, b *seg.Mask) int { return cmp.Compare(a.Count(), b.Count()) })
	n := o.PerImage
	if n < 0 || len(big) <= n {
		return big
	}
	if n == 1 {
		return big[:1]
	}
	out := make([]*seg.Mask, n)
	for i := range out {
		out[i] = big[int(math.RoundToEven(float64(i*(len(big)-1))/float64(n-1)))]
	}
	return out
}

// session is one object being clicked at.
type session struct {
	truth  *seg.Mask
	prompt seg.Prompt
	ious   []float64
	oracle float64 // best of the candidates for the first click
	box    float64
	first  *seg.Mask // answer to the first click
}

// image measures the objects of one picture; they share its embedding, and a click of all is one decode.
func (t *tally) image(ctx context.Context, it *dataset.Item) (err error) {
	f, masks, err := it.Load()
	if err != nil {
		return err
	}
	defer f.Release()
	chosen := t.o.choose(masks)
	if len(chosen) == 0 {
		return nil
	}
	e, err := t.o.Segmenter.Embed(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	sessions := make([]*session, len(chosen))
	for i, m := range chosen {
		sessions[i] = &session{truth: m, prompt: PromptFor(PromptClick, m)}
	}
	for range t.o.Clicks {
		if err := clickAll(ctx, e, sessions); err != nil {
			return err
		}
	}
	if err := boxAll(ctx, e, sessions); err != nil {
		return err
	}
	return t.add(it, f, sessions)
}

// clickAll decodes the sessions that still have an error, scores the answers and places the next clicks.
func clickAll(ctx context.Context, e inference.Embedding, sessions []*session) error {
	var open []*session
	var prompts []seg.Prompt
	for _, s := range sessions {
		if n := len(s.ious); n < len(s.prompt.Clicks) {
			open, prompts = append(open, s), append(prompts, s.prompt)
		} else {
			s.ious = append(s.ious, s.ious[n-1])
		}
	}
	if len(open) == 0 {
		return nil
	}
	answers, err := e.Decode(ctx, prompts)
	if err != nil {
		return err
	}
	for i, s := range open {
		s.answered(&answers[i])
	}
	return nil
}

// answered scores an answer and places the next click, or none where nothing is wrong any more.
func (s *session) answered(a *seg.Prediction) {
	got := onGrid(nil, s.truth)
	if best := a.Best(); best != nil {
		got = best.Logits.Cut(s.truth.W, s.truth.H, seg.Threshold)
		s.prompt.Mask = best.Logits
	}
	if len(s.ious) == 0 {
		s.first = got
		for _, c := range a.Candidates {
			s.oracle = max(s.oracle, c.Logits.Cut(s.truth.W, s.truth.H, seg.Threshold).IoU(s.truth))
		}
	}
	s.ious = append(s.ious, got.IoU(s.truth))
	if click, wrong := NextClick(got, s.truth); wrong {
		s.prompt.Clicks = append(s.prompt.Clicks, click)
	}
}

// NextClick is where a person would correct an answer, if anything is wrong with it: the deepest place of what is missing
// or of what is too much, whichever goes deeper.
func NextClick(got, truth *seg.Mask) (c seg.Click, wrong bool) {
	missing, missed := truth.Minus(got).Deepest()
	extra, spilled := got.Minus(truth).Deepest()
	if spilled > missed {
		return seg.Click{Point: extra, Label: seg.Negative}, true
	}
	return seg.Click{Point: missing, Label: seg.Positive}, missed > 0
}

// boxAll scores the answers to the objects' tight boxes.
func boxAll(ctx context.Context, e inference.Embedding, sessions []*session) error {
	prompts := make([]seg.Prompt, len(sessions))
	for i, s := range sessions {
		prompts[i] = PromptFor(PromptBox, s.truth)
	}
	answers, err := e.Decode(ctx, prompts)
	var unsupported *inference.UnsupportedError
	if errors.As(err, &unsupported) {
		return nil // the family takes no boxes: the column is 0
	}
	if err != nil {
		return err
	}
	for i, s := range sessions {
		if best := answers[i].Best(); best != nil {
			s.box = best.Logits.Cut(s.truth.W, s.truth.H, seg.Threshold).IoU(s.truth)
		}
	}
	return nil
}
