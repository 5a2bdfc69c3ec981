package eval

import (
	"cmp"
	"context"
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
	Method    string  // what the segmenter is, for the table
	Clicks    int     // at most, an object; 5
	PerImage  int     // objects an image, evenly over their sizes; 3, negative for all
	Smallest  float64 // share of the picture below which an object is left out; 0.004
	Limit     int     // images a set; 0 is all
	// Baseline is measured on the same objects, in pictures reduced as the model's are; may be nil. Several goroutines use it.
	Baseline     Classical
	FullBaseline bool // the baseline sees the pictures as they are
	Workers      int  // pictures measured at a time; 1
	Cases        int  // best and worst cases kept for the sheet, each; 12
	// Progress is told of every image. May be nil.
	Progress func(done, total int)
}

func (o ClicksOptions) withDefaults() ClicksOptions {
	o.Clicks = cmp.Or(o.Clicks, 5)
	o.PerImage = cmp.Or(o.PerImage, 3)
	o.Smallest = cmp.Or(o.Smallest, 0.004)
	o.Cases = cmp.Or(o.Cases, 12)
	o.Workers = max(o.Workers, 1)
	return o
}

// Clicks measures how well a person's clicks are answered. The first goes to the deepest place of the object, each further one to
// the deepest place of what is missing or too much, whichever goes deeper, and the answer before is fed back as the mask
// prompt (Sofiiuk and others 2020; Segment Anything, section 7.1); a family without mask prompts is asked with the clicks alone, and one
// without negative clicks is shown what is missing. What counts after each click is the answer ranked first. An answer without an error
// keeps its score for the clicks that it did not need.
func Clicks(ctx context.Context, o ClicksOptions) (*ClicksResult, error) {
	o = o.withDefaults()
	if o.Segmenter == nil || o.Clicks < 1 || o.Clicks > seg.MaxClicks {
		return nil, fmt.Errorf("eval clicks: a model and 1 to %d clicks are needed", seg.MaxClicks)
	}
	items := limited(o.Items, o.Limit)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tally, done := newTally(&o), 0
	var failed error
	for p := range o.pictures(ctx, items) {
		p := <-p
		if failed == nil {
			failed = p.err
		}
		if failed != nil {
			cancel() // and take in what is still under way
			continue
		}
		done++
		tally.add(p)
		if o.Progress != nil {
			o.Progress(done, len(items))
		}
	}
	if failed == nil {
		failed = ctx.Err()
	}
	if failed != nil {
		return nil, fmt.Errorf("eval clicks: %w", failed)
	}
	return tally.result()
}

// sample is what became of one picture. It has no sessions where no object is large enough.
type sample struct {
	item     *dataset.Item
	frame    *frame.Frame
	sessions []*session
	input    int // longest side that the model saw, pixels
	baseline int // and the baseline
	err      error
}

// pictures measures several at a time and gives them in their order, so that the result does not depend on who was first.
// Whoever ranges over it must go on to the end, or cancel ctx and then go on to the end.
func (o *ClicksOptions) pictures(ctx context.Context, items []dataset.Item) <-chan chan *sample {
	order := make(chan chan *sample, o.Workers-1)
	go func() {
		defer close(order)
		for i := range items {
			if ctx.Err() != nil {
				return
			}
			one := make(chan *sample, 1)
			order <- one
			go func() { one <- o.picture(ctx, &items[i]) }()
		}
	}()
	return order
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
