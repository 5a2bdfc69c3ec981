// Package grounding turns a phrase into boxes: a detector of named classes (YOLOX on COCO's eighty) over inference.Graph.
// A box then is a prompt like any other. It understands class names and their everyday synonyms, not sentences.
package grounding

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Options set the detector up. Zero values stand for the defaults named.
type Options struct {
	MinScore float64 // least score of a box; 0.3
	MaxIoU   float64 // two boxes that overlap more are one; 0.45
	Max      int     // boxes at most; 10
}

// Detector finds what a phrase names. Safe for concurrent use.
type Detector struct {
	graph   inference.Graph
	o       Options
	input   string
	w, h    int
	strides []int
}

// New checks that the graph is a YOLOX detector of COCO's classes: one image [1,3,H,W], one output [1,N,85] with a row for
// each cell of strides 8, 16 and 32. The graph stays the caller's to close.
func New(g inference.Graph, o Options) (*Detector, error) {
	if o.MinScore == 0 {
		o.MinScore = 0.3
	}
	if o.MaxIoU == 0 {
		o.MaxIoU = 0.45
	}
	if o.Max == 0 {
		o.Max = 10
	}
	in, out := g.Inputs(), g.Outputs()
	if len(in) != 1 || len(in[0].Shape) != 4 || in[0].Shape[1] != 3 || len(out) != 1 || len(out[0].Shape) != 3 {
		return nil, errNoDetector
	}
	d := &Detector{graph: g, o: o, input: in[0].Name, h: int(in[0].Shape[2]), w: int(in[0].Shape[3]), strides: []int{8, 16, 32}}
	if d.w <= 0 || d.h <= 0 || d.w%32 != 0 || d.h%32 != 0 {
		return nil, fmt.Errorf("%w: its input is %v, not a fixed size of multiples of 32", errNoDetector, in[0].Shape)
	}
	if n, k := out[0].Shape[1], out[0].Shape[2]; (n >= 0 && n != int64(d.cells())) || (k >= 0 && k != row) {
		return nil, fmt.Errorf("%w: its output is %v, expected [1,%d,%d]", errNoDetector, out[0].Shape, d.cells(), row)
	}
	return d, nil
}

var errNoDetector = errors.New("the grounding model is not a YOLOX detector of COCO's classes (one image in, one [1,N,85] out)")

// row is the numbers of a cell: x, y, width, height, objectness and the classes' scores.
const row = 5 + 80

func (d *Detector) cells() int {
	n := 0
	for _, s := range d.strides {
		n += (d.w / s) * (d.h / s)
	}
	return n
}

// UnknownPhraseError is a phrase that names none of the classes.
type UnknownPhraseError struct{ Phrase string }

// UnknownPhrase is the phrase, for those who know no grounder.
func (e *UnknownPhraseError) UnknownPhrase() string { return e.Phrase }

func (e *UnknownPhraseError) Error() string {
	return fmt.Sprintf("%q names nothing that the detector knows; it knows %s, and other everyday things of COCO's 80 classes", e.Phrase, strings.Join(classes[:5], ", "))
}

// Ground finds boxes of what the phrase names in f, best first. No box is no error.
func (d *Detector) Ground(ctx context.Context, f *frame.Frame, phrase string) ([]seg.Box, error) {
	class := ClassOf(phrase)
	if class < 0 {
		return nil, &UnknownPhraseError{phrase}
	}
	image, scale := d.letterbox(f)
	out, release, err := d.graph.Run(ctx, []inference.Tensor{{Name: d.input, Shape: []int64{1, 3, int64(d.h), int64(d.w)}, Float32: image}})
	if err != nil {
		return nil, err
	}
	defer release()
	if len(out) != 1 || len(out[0].Float32) != d.cells()*row {
		return nil, errNoDetector
	}
	return d.boxes(out[0].Float32, class, scale, f), nil
}

// letterbox scales f into the detector's input, top left, BGR, 0..255, padded with 114 (YOLOX, preproc). It also answers the
// scale from frame pixels to the input's.
func (d *Detector) letterbox(f *frame.Frame) ([]float32, float64) {
	scale := min(float64(d.w)/float64(f.Width), float64(d.h)/float64(f.Height))
	w, h := int(float64(f.Width)*scale), int(float64(f.Height)*scale)
	out := make([]float32, 3*d.w*d.h)
	for i := range out {
		out[i] = 114
	}
	plane := d.w * d.h
	for y := range h {
		sy := min(max((float64(y)+0.5)/scale-0.5, 0), float64(f.Height-1))
		y0 := int(sy)
		y1, fy := min(y0+1, f.Height-1), float32(sy-float64(y0))
		for x := range w {
			sx := min(max((float64(x)+0.5)/scale-0.5, 0), float64(f.Width-1))
			x0 := int(sx)
			x1, fx := min(x0+1, f.Width-1), float32(sx-float64(x0))
			for c := range 3 {
				at := func(x, y int) float32 { return float32(f.Pix[y*f.Stride()+3*x+c]) }
				top := at(x0, y0) + (at(x1, y0)-at(x0, y0))*fx
				bottom := at(x0, y1) + (at(x1, y1)-at(x0, y1))*fx
				out[c*plane+y*d.w+x] = top + (bottom-top)*fy
			}
		}
	}
	return out, scale
}

// found is a box with its score.
type found struct {
	box   seg.Box
	score float64
}

// boxes reads the cells: the centre is an offset from the cell in strides, the size an exponent of strides, the score objectness times
// class (YOLOX, demo_postprocess).
func (d *Detector) boxes(out []float32, class int, scale float64, f *frame.Frame) []seg.Box {
	var all []found
	i := 0
	for _, s := range d.strides {
		for y := range d.h / s {
			for x := range d.w / s {
				cell := out[i*row:][:row]
				i++
				score := float64(cell[4]) * float64(cell[5+class])
				if !(score >= d.o.MinScore) {
					continue
				}
				cx, cy := (float64(cell[0])+float64(x))*float64(s)/scale, (float64(cell[1])+float64(y))*float64(s)/scale
				w, h := math.Exp(float64(cell[2]))*float64(s)/scale, math.Exp(float64(cell[3]))*float64(s)/scale
				fw, fh := float64(f.Width), float64(f.Height)
				b := seg.Box{X0: (cx - w/2) / fw, Y0: (cy - h/2) / fh, X1: (cx + w/2) / fw, Y1: (cy + h/2) / fh}.Clip()
				if b.Valid() {
					all = append(all, found{b, score})
				}
			}
		}
	}
	return suppress(all, d.o.MaxIoU, d.o.Max)
}

// suppress keeps the best of boxes that overlap.
func suppress(all []found, maxIoU float64, most int) []seg.Box {
	slices.SortStableFunc(all, func(a, b found) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	var kept []seg.Box
	for _, f := range all {
		if !slices.ContainsFunc(kept, func(k seg.Box) bool { return k.IoU(f.box) > maxIoU }) {
			kept = append(kept, f.box)
		}
		if len(kept) == most {
			break
		}
	}
	return kept
}
