package inference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// EverythingOptions say what counts as an object (Segment Anything, SamAutomaticMaskGenerator). Zero values are the
// defaults for the family.
type EverythingOptions struct {
	PointsPerSide int     // of the grid of clicks; 32, for segedge 16
	MinIoU        float64 // predicted; 0.88, for segedge 0.5
	MinStability  float64 // 0.95, for segedge 0.4
	MaxOverlap    float64 // IoU of two boxes above which the worse goes; 0.7
	CropLayers    int     // 1 adds 2×2 enlarged crops, 2 adds 4×4 more; 0
	MinArea       float64 // smaller islands are removed and smaller holes filled, as a fraction of the picture; 0 cleans nothing
	Batch         int     // clicks decoded at once; 64
	Max           int     // best masks to keep; 256
	// Boxes are around things that are known to be there, by a detector: each is asked for too, and what it answers comes first.
	Boxes []seg.Box
	// Enough, if not nil, is asked before each batch but the first: where it says so no more clicks are made, and what they have found by then
	// counts. The clicks then go all over the picture from the first batch on.
	Enough func() bool
}

// cropOverlap is how much neighbouring crops share, as a fraction of the shorter side, in the first layer.
const cropOverlap = 512.0 / 1500

// Found is one object of the picture.
type Found struct {
	Mask         *seg.Mask // at the picture's size
	PredictedIoU float64
	Stability    float64
	Point        seg.Point // the click that found it

	box   seg.Box
	known bool    // it was asked for by one of the boxes
	crop  float64 // part of the picture that the crop covers: what a smaller one saw is preferred
}

// defaults fills in what is not set. The small model's scores are lower throughout than those that SAM's were set for; its
// values were chosen by eye on three DAVIS pictures.
func (o EverythingOptions) defaults(family string) EverythingOptions {
	iou, stability, side := 0.88, 0.95, 32
	if family == "segedge" {
		iou, stability, side = 0.5, 0.4, 16
	}
	or := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	or(&o.MinIoU, iou)
	or(&o.MinStability, stability)
	or(&o.MaxOverlap, 0.7)
	for v, d := range map[*int]int{&o.PointsPerSide: side, &o.Batch: 64, &o.Max: 256} {
		if *v <= 0 {
			*v = d
		}
	}
	return o
}

// Everything finds the objects of a picture: a grid of clicks on it, and on crops of it, the things that boxes name first, then the others,
// best first, and what surrounds them last. progress, if not nil, is called with the clicks answered and all of them.
func Everything(ctx context.Context, s Segmenter, f *frame.Frame, o EverythingOptions, progress func(done, of int)) ([]Found, error) {
	o = o.defaults(s.Info().Family)
	crops := cropsOf(f.Width, f.Height, o.CropLayers)
	clicks := o.PointsPerSide * o.PointsPerSide
	var all []Found
	for i, c := range crops {
		report := func(done int) {
			if progress != nil {
				progress(i*clicks+done, len(crops)*clicks)
			}
		}
		found, err := everythingInCrop(ctx, s, f, c, o, report)
		if err != nil {
			return nil, fmt.Errorf("everything: %w", err)
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b Found) int {
		return cmp.Or(first(b.known, a.known), cmp.Compare(a.crop, b.crop), cmp.Compare(b.PredictedIoU, a.PredictedIoU))
	})
	return finish(suppress(all, o.MaxOverlap), o), nil
}

// finish cleans the masks and drops what has become the same thereby.
func finish(fs []Found, o EverythingOptions) []Found {
	for i := range fs {
		if o.MinArea > 0 {
			fs[i].Mask = fs[i].Mask.Clean(int(o.MinArea * float64(fs[i].Mask.W*fs[i].Mask.H)))
			fs[i].box = fs[i].Mask.Box()
		}
	}
	fs = slices.DeleteFunc(fs, func(f Found) bool { return f.Mask.Rect.Empty() })
	fs = suppress(ranked(fs), o.MaxOverlap)
	return fs[:min(len(fs), o.Max)]
}

// proposal is a mask before it is enlarged.
type proposal struct {
	Found
	logits *seg.Logits
}

// nth is the place in the grid of the n-th click: row by row, or, where clicking may stop early, all over the picture.
func (o *EverythingOptions) nth(n int) int {
	if o.Enough == nil {
		return n
	}
	all := o.PointsPerSide * o.PointsPerSide
	step := int(float64(all)*0.618) | 1 // the golden section of them: any number of steps is spread
	for gcd(step, all) != 1 {
		step += 2
	}
	return n * step % all
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// grid clicks on every point of the grid and keeps what the filters let through.
func grid(ctx context.Context, e Embedding, o EverythingOptions, report func(done int)) ([]proposal, error) {
	var prompts []seg.Prompt
	for k := range o.PointsPerSide * o.PointsPerSide {
		i := o.nth(k)
		p := seg.Point{
			X: (float64(i%o.PointsPerSide) + 0.5) / float64(o.PointsPerSide),
			Y: (float64(i/o.PointsPerSide) + 0.5) / float64(o.PointsPerSide),
		}
		prompts = append(prompts, seg.Prompt{Clicks: []seg.Click{{Point: p, Label: seg.Positive}}})
	}
	var out []proposal
	for from := 0; from < len(prompts) && !(from > 0 && o.Enough != nil && o.Enough()); from += o.Batch {
		batch := prompts[from:min(from+o.Batch, len(prompts))]
		answers, err := e.Decode(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i, a := range answers {
			out = append(out, o.filter(a, batch[i].Clicks[0].Point)...)
		}
		report(from + len(batch))
	}
	slices.SortStableFunc(out, func(a, b proposal) int { return cmp.Compare(b.PredictedIoU, a.PredictedIoU) })
	return out, nil
}

func (o *EverythingOptions) filter(a seg.Prediction, at seg.Point) []proposal {
	var out []proposal
	for _, c := range a.Candidates {
		if c.PredictedIoU < o.MinIoU || c.Stability < o.MinStability {
			continue
		}
		l := c.Logits
		m := l.Cut(visible(l.W, l.Extent.X), visible(l.H, l.Extent.Y), seg.Threshold).Piece(at)
		if m.Rect.Empty() {
			continue
		}
		out = append(
			out,
			proposal{logits: l, Found: Found{PredictedIoU: c.PredictedIoU, Stability: c.Stability, Point: at, box: m.Box(), crop: 1}},
		)
	}
	return out
}

// bounded is something with a box, in the order of preference.
type bounded interface{ bounds() seg.Box }

func (f Found) bounds() seg.Box { return f.box }

// suppress drops what overlaps something better: non-maximum suppression by boxes.
func suppress[T bounded](in []T, most float64) []T {
	kept := in[:0]
	for _, f := range in {
		if !slices.ContainsFunc(kept, func(k T) bool { return k.bounds().IoU(f.bounds()) > most }) {
			kept = append(kept, f)
		}
	}
	return kept
}

// masks enlarges the proposals that are left.
func masks(ps []proposal, w, h int) []Found {
	out := make([]Found, len(ps))
	for i, p := range ps {
		out[i] = p.Found
		out[i].Mask = p.logits.Cut(w, h, seg.Threshold).Piece(p.Point)
	}
	return out
}

// crop is a part of the picture in pixels.
type crop struct{ x, y, w, h int }

// cropsOf are the whole picture and the crops of each layer (Segment Anything, generate_crop_boxes).
func cropsOf(w, h, layers int) []crop {
	out := []crop{{0, 0, w, h}}
	for layer := range layers {
		n := 2 << layer
		overlap := int(cropOverlap * float64(min(w, h)) * 2 / float64(n))
		cw, ch := (overlap*(n-1)+w+n-1)/n, (overlap*(n-1)+h+n-1)/n
		for i := range n * n {
			x, y := (cw-overlap)*(i%n), (ch-overlap)*(i/n)
			out = append(out, crop{x, y, min(cw, w-x), min(ch, h-y)})
		}
	}
	return out
}

// everythingInCrop finds the objects of one crop, with masks at the whole picture's size.
func everythingInCrop(
	ctx context.Context,
	s Segmenter,
	f *frame.Frame,
	c crop,
	o EverythingOptions,
	report func(int),
) (out []Found, err error) {
	e, err := s.Embed(ctx, c.cut(f))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	ps, err := grid(ctx, e, o, report)
	if err != nil {
		return nil, err
	}
	whole := c.w == f.Width && c.h == f.Height
	ps = slices.DeleteFunc(suppress(ps, o.MaxOverlap), func(p proposal) bool { return !whole && c.cutsOff(p.box, f) })
	out = masks(ps, c.w, c.h)
	if whole {
		named, err := boxed(ctx, e, s.Info().Kinds, o.Boxes, c.w, c.h)
		if err != nil {
			return nil, err
		}
		out = append(named, out...)
	}
	for i := range out {
		if !whole {
			c.lift(&out[i], f)
		}
	}
	return out, nil
}

// cut copies the crop out of the frame.
func (c crop) cut(f *frame.Frame) *frame.Frame {
	if c.w == f.Width && c.h == f.Height {
		return f
	}
	out := frame.New(c.w, c.h)
	for y := range c.h {
		copy(out.Pix[y*out.Stride():][:out.Stride()], f.Pix[(c.y+y)*f.Stride()+3*c.x:])
	}
	return out
}

// cutsOff reports whether the box ends at an edge of the crop that is no edge of the picture: only a part was seen.
func (c crop) cutsOff(b seg.Box, f *frame.Frame) bool {
	const near = 0.02
	return b.X0 < near && c.x > 0 || b.Y0 < near && c.y > 0 ||
		b.X1 > 1-near && c.x+c.w < f.Width || b.Y1 > 1-near && c.y+c.h < f.Height
}

// lift moves what was found in the crop to the whole picture.
func (c crop) lift(f *Found, pic *frame.Frame) {
	m := *f.Mask
	m.W, m.H = pic.Width, pic.Height
	m.Rect = m.Rect.Add(image.Pt(c.x, c.y))
	f.Mask = &m
	w, h := float64(pic.Width), float64(pic.Height)
	f.Point = seg.Point{X: (float64(c.x) + f.Point.X*float64(c.w)) / w, Y: (float64(c.y) + f.Point.Y*float64(c.h)) / h}
	f.box = m.Box()
	f.crop = math.Min(1, float64(c.w*c.h)/(w*h))
}
