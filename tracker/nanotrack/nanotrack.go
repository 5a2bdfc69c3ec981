// Package nanotrack follows a box with NanoTrack v2, a small Siamese network (github.com/HonglinChu/SiamTrackers; the post-processing is
// that of OpenCV's TrackerNano). It runs over inference.Graph and knows no runtime. It has no lost signal of its own: Score is all there
// is.
package nanotrack

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// The network's sizes and the constants it was tuned with.
const (
	template  = 127   // side of the picture that is remembered, pixels
	search    = 255   // side of the picture that is searched, pixels
	cells     = 16    // side of the answer's grid
	stride    = 16    // pixels between its cells
	around    = 0.5   // surroundings in the template, of the box's mean side
	influence = 0.455 // of the Hann window
	penaltyK  = 0.055 // for changes of size and shape
	rate      = 0.37  // at which the size follows
)

// Options sets a Tracker up.
type Options struct {
	Backbone, Head inference.Graph // not closed by the tracker
	MinScore       float64         // below it Update says that it does not believe; 0.3
}

// Tracker follows one box. One goroutine uses it.
type Tracker struct {
	opt    Options
	memory []float32 // the template's features
	shape  []int64
	cx, cy float64 // pixels
	w, h   float64
	score  float64
	input  []float32
	hann   [cells * cells]float64
}

// Errors of a tracker.
var (
	ErrNotStarted = errors.New("nanotrack: no box to follow yet")
	errGraph      = errors.New("nanotrack: the graphs are not NanoTrack v2's")
)

// New makes a tracker over the two graphs.
func New(o Options) (*Tracker, error) {
	if o.Backbone == nil || o.Head == nil || len(o.Backbone.Inputs()) != 1 || len(o.Head.Inputs()) != 2 || len(o.Head.Outputs()) != 2 {
		return nil, fmt.Errorf("%w: need a backbone with one input and a head with two inputs and two outputs", errGraph)
	}
	if o.MinScore == 0 {
		o.MinScore = 0.3
	}
	t := &Tracker{opt: o, input: make([]float32, 3*search*search)}
	for i := range t.hann {
		t.hann[i] = hann(i/cells) * hann(i%cells)
	}
	return t, nil
}

func hann(i int) float64 { return 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/(cells-1)) }

// Init starts to follow box in f. It may be called again.
func (t *Tracker) Init(f *frame.Frame, box seg.Box) error {
	c := box.Center()
	t.cx, t.cy = c.X*float64(f.Width), c.Y*float64(f.Height)
	t.w, t.h = (box.X1-box.X0)*float64(f.Width), (box.Y1-box.Y0)*float64(f.Height)
	if t.w < 2 || t.h < 2 {
		return fmt.Errorf("nanotrack: the box %v is smaller than two pixels", box)
	}
	out, release, err := t.features(f, t.span(), template)
	if err != nil {
		return err
	}
	defer release()
	t.memory, t.shape = append(t.memory[:0], out.Float32...), append(t.shape[:0], out.Shape...)
	t.score = 1
	return nil
}

// Score is how sure the last Update was, 0..1.
func (t *Tracker) Score() float64 { return t.score }

// Close does nothing: the graphs are the caller's.
func (t *Tracker) Close() error { return nil }

// span is the side of the square around the box that the template shows, pixels.
func (t *Tracker) span() float64 {
	pad := around * (t.w + t.h)
	return math.Sqrt((t.w + pad) * (t.h + pad))
}

// Update is the box in the next frame, clipped to the picture, and whether the tracker believes in it.
func (t *Tracker) Update(f *frame.Frame) (seg.Box, bool, error) {
	if t.memory == nil {
		return seg.Box{}, false, ErrNotStarted
	}
	span := t.span()
	out, release, err := t.features(f, span*search/template, search)
	if err != nil {
		return seg.Box{}, false, err
	}
	defer release()
	in := t.opt.Head.Inputs()
	answer, freeAnswer, err := t.opt.Head.Run(context.Background(), []inference.Tensor{
		{Name: in[0].Name, Shape: t.shape, Float32: t.memory}, {Name: in[1].Name, Shape: out.Shape, Float32: out.Float32},
	})
	if err != nil {
		return seg.Box{}, false, fmt.Errorf("nanotrack: head: %w", err)
	}
	defer freeAnswer()
	scores, ltrb, err := split(answer)
	if err != nil {
		return seg.Box{}, false, err
	}
	t.follow(scores, ltrb, template/span, float64(f.Width), float64(f.Height))
	w, h := float64(f.Width), float64(f.Height)
	box := seg.Box{X0: (t.cx - t.w/2) / w, Y0: (t.cy - t.h/2) / h, X1: (t.cx + t.w/2) / w, Y1: (t.cy + t.h/2) / h}.Clip()
	return box, t.score >= t.opt.MinScore && box.Valid(), nil
}

// split tells the head's two answers apart by their channels.
func split(answer []inference.Tensor) (scores, ltrb []float32, err error) {
	for _, a := range answer {
		switch len(a.Float32) {
		case 2 * cells * cells:
			scores = a.Float32
		case 4 * cells * cells:
			ltrb = a.Float32
		}
	}
	if scores == nil || ltrb == nil {
		return nil, nil, fmt.Errorf("%w: the head answered neither [1,2,16,16] nor [1,4,16,16]", errGraph)
	}
	return scores, ltrb, nil
}

// guess is the head's answer at one cell, in pixels of the search picture.
type guess struct{ cx, cy, w, h float64 }

func guessAt(ltrb []float32, i int) guess {
	const n = cells * cells
	x, y := float64((i%cells-cells/2)*stride+template), float64((i/cells-cells/2)*stride+template)
	x0, y0 := x-float64(ltrb[i]), y-float64(ltrb[n+i])
	x1, y1 := x+float64(ltrb[2*n+i]), y+float64(ltrb[3*n+i])
	return guess{(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0}
}

// follow moves the box to the best cell: its score, less for a change of size or shape, blended with a window around the old place.
func (t *Tracker) follow(scores, ltrb []float32, scale, width, height float64) {
	best, bestAt, bestPenalty := math.Inf(-1), 0, 1.0
	w, h := t.w*scale, t.h*scale
	for i := range t.hann {
		g := guessAt(ltrb, i)
		s := change(size(g.w, g.h) / size(w, h))
		r := change((w / h) / (g.w / g.h))
		penalty := math.Exp(-(s*r - 1) * penaltyK)
		if v := penalty*believe(scores, i)*(1-influence) + t.hann[i]*influence; v > best {
			best, bestAt, bestPenalty = v, i, penalty
		}
	}
	g := guessAt(ltrb, bestAt)
	t.score = believe(scores, bestAt)
	lr := bestPenalty * t.score * rate
	t.cx = min(max(t.cx+(g.cx-search/2)/scale, 0), width)
	t.cy = min(max(t.cy+(g.cy-search/2)/scale, 0), height)
	t.w = min(max(t.w*(1-lr)+g.w/scale*lr, 10), width)
	t.h = min(max(t.h*(1-lr)+g.h/scale*lr, 10), height)
}

// believe is the softmax of a cell's two scores.
func believe(scores []float32, i int) float64 {
	return 1 / (1 + math.Exp(float64(scores[i]-scores[cells*cells+i])))
}

func change(r float64) float64 { return max(r, 1/r) }

func size(w, h float64) float64 {
	pad := (w + h) / 2
	return math.Sqrt(max((w+pad)*(h+pad), 1e-9))
}

// features runs the backbone on the square of span pixels around the box, at side×side.
func (t *Tracker) features(f *frame.Frame, span float64, side int) (inference.Tensor, func(), error) {
	t.crop(f, span, side)
	out, release, err := t.opt.Backbone.Run(context.Background(), []inference.Tensor{{
		Name: t.opt.Backbone.Inputs()[0].Name, Shape: []int64{1, 3, int64(side), int64(side)}, Float32: t.input[:3*side*side],
	}})
	if err != nil {
		return inference.Tensor{}, nil, fmt.Errorf("nanotrack: backbone: %w", err)
	}
	if len(out) == 0 || len(out[0].Shape) != 4 {
		release()
		return inference.Tensor{}, nil, fmt.Errorf("%w: the backbone answered no map", errGraph)
	}
	return out[0], release, nil
}

// crop writes the square around the box as planar RGB, 0..255, outside the picture the picture's mean colour.
func (t *Tracker) crop(f *frame.Frame, span float64, side int) {
	mean := meanColour(f)
	step := span / float64(side)
	n := side * side
	for j := range side {
		y := t.cy + (float64(j)+0.5)*step - span/2 - 0.5
		for i := range side {
			x := t.cx + (float64(i)+0.5)*step - span/2 - 0.5
			b, g, r := sample(f, x, y, mean)
			t.input[j*side+i], t.input[n+j*side+i], t.input[2*n+j*side+i] = r, g, b
		}
	}
}

// sample is the colour between pixels.
func sample(f *frame.Frame, x, y float64, mean [3]float32) (b, g, r float32) {
	if x < -0.5 || y < -0.5 || x > float64(f.Width)-0.5 || y > float64(f.Height)-0.5 {
		return mean[0], mean[1], mean[2]
	}
	x, y = min(max(x, 0), float64(f.Width-1)), min(max(y, 0), float64(f.Height-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, f.Width-1), min(y0+1, f.Height-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	var out [3]float32
	for c := range out {
		at := func(x, y int) float32 { return float32(f.Pix[y*f.Stride()+3*x+c]) }
		top, bottom := at(x0, y0)*(1-fx)+at(x1, y0)*fx, at(x0, y1)*(1-fx)+at(x1, y1)*fx
		out[c] = top*(1-fy) + bottom*fy
	}
	return out[0], out[1], out[2]
}

// meanColour looks at every seventh pixel, which is plenty for padding.
func meanColour(f *frame.Frame) (mean [3]float32) {
	n := 0
	for i := 0; i+2 < len(f.Pix); i += 21 {
		for c := range mean {
			mean[c] += float32(f.Pix[i+c])
		}
		n++
	}
	for c := range mean {
		mean[c] /= float32(max(n, 1))
	}
	return mean
}
