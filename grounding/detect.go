package grounding

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// row is the numbers of a cell: x, y, width, height, objectness and the classes' scores.
const row = 5 + 80

func (d *Detector) cells() int {
	n := 0
	for _, s := range d.strides {
		n += (d.w / s) * (d.h / s)
	}
	return n
}

// detect finds the things of every class, of each the best first, and apart from them what is half as likely as it would have to be.
func (d *Detector) detect(ctx context.Context, f *frame.Frame) (all, weak [][]found, err error) {
	pixels, scale := d.letterbox(f)
	out, release, err := d.graph.Run(ctx, []inference.Tensor{{Name: d.input, Shape: []int64{1, 3, int64(d.h), int64(d.w)}, Float32: pixels}})
	if err != nil {
		return nil, nil, err
	}
	defer release()
	if len(out) != 1 || len(out[0].Float32) != d.cells()*row {
		return nil, nil, errNoDetector
	}
	all, weak = d.boxes(out[0].Float32, scale, f)
	return all, weak, nil
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

// Crops of a second look: closer are four that overlap, of closeUp of each side.
const closeUp = 0.6

// look finds the things of every class; where there is none of what is asked, once more in four enlarged parts of the picture.
func (d *Detector) look(ctx context.Context, f *frame.Frame, p *Phrase) ([][]found, error) {
	all, weak, err := d.detect(ctx, f)
	if err != nil || slices.ContainsFunc(p.classes(), func(class int) bool { return len(all[class]) > 0 }) {
		return all, err
	}
	w, h := int(closeUp*float64(f.Width)), int(closeUp*float64(f.Height))
	if w < 64 || h < 64 {
		return all, nil
	}
	for _, at := range []image.Point{{}, {X: f.Width - w}, {Y: f.Height - h}, {X: f.Width - w, Y: f.Height - h}} {
		part, _, err := d.detect(ctx, cut(f, image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}))
		if err != nil {
			return nil, err
		}
		for class := range part {
			for _, b := range part[class] {
				if b, ok := lifted(b, at, w, h, f); ok {
					all[class] = append(all[class], b)
				} else {
					all[class] = append(all[class], supported(weak[class], b, d.o.MinScore)...)
				}
			}
		}
	}
	for class := range all {
		all[class] = suppress(all[class], d.o.MaxIoU, d.o.Max)
	}
	return all, nil
}

// cut is a part of a frame.
func cut(f *frame.Frame, r image.Rectangle) *frame.Frame {
	out := frame.New(r.Dx(), r.Dy())
	for y := range r.Dy() {
		copy(out.Pix[y*out.Stride():][:out.Stride()], f.Pix[(r.Min.Y+y)*f.Stride()+3*r.Min.X:])
	}
	return out
}

// supported are the weak boxes of the whole picture in which a box of a part lies that the part's edge cuts off: what was not likely enough
// at a distance, and is likelier from near, is there if both looks together, by their mean, are sure enough.
func supported(weak []found, part found, least float64) (out []found) {
	for _, b := range weak {
		inside := b.box.Intersect(part.box).Area() / max(part.box.Area(), 1e-9)
		score := (b.score + part.score) / 2
		if score >= least && inside >= 0.7 && part.box.Area() >= 0.4*b.box.Area() {
			out = append(out, found{b.box, score})
		}
	}
	return out
}

// lifted is what was found in a part, in the whole; false where it ends at an edge of the part that is none of the whole.
func lifted(b found, at image.Point, w, h int, f *frame.Frame) (found, bool) {
	const near = 0.015
	cut := b.box.X0 < near && at.X > 0 || b.box.Y0 < near && at.Y > 0 ||
		b.box.X1 > 1-near && at.X+w < f.Width || b.box.Y1 > 1-near && at.Y+h < f.Height
	x := func(v float64) float64 { return (float64(at.X) + v*float64(w)) / float64(f.Width) }
	y := func(v float64) float64 { return (float64(at.Y) + v*float64(h)) / float64(f.Height) }
	b.box = seg.Box{X0: x(b.box.X0), Y0: y(b.box.Y0), X1: x(b.box.X1), Y1: y(b.box.Y1)}
	return b, !cut
}

// kin are classes that the detector takes for one another.
var kin = [][]string{
	{"dog", "cat", "sheep", "cow", "horse", "bear", "elephant"},
	{"sports ball", "frisbee", "apple", "orange"},
	{"cup", "bottle", "vase", "wine glass", "bowl"},
	{"car", "truck", "bus", "train"},
	{"bicycle", "motorcycle"},
	{"couch", "chair", "bed"},
	{"tv", "laptop"},
	{"backpack", "handbag", "suitcase"},
}

// What a class must reach where a kin class is the better guess: of the least score, and of the kin's score.
const (
	doubt = 0.35
	rival = 0.5
)

// doubtful adds to a class with no thing what a kin class has, if the class itself is likely enough there.
func doubtful(all [][]found, cells []candidate, least float64) {
	for _, family := range kin {
		for _, name := range family {
			class := slices.Index(classes, name)
			if len(all[class]) > 0 {
				continue
			}
			for _, c := range cells {
				best := 0.0
				for _, other := range family {
					best = max(best, c.scores[slices.Index(classes, other)])
				}
				if own := c.scores[class]; best >= least && own >= doubt*least && own >= rival*best {
					all[class] = append(all[class], found{c.box, own})
				}
			}
		}
	}
}

// candidate is a box with what it may be.
type candidate struct {
	box    seg.Box
	scores [80]float64
}

// boxes reads the cells: the centre is an offset from the cell in strides, the size an exponent of strides, the score objectness times
// class (YOLOX, demo_postprocess). weak are those of half the least score and more.
func (d *Detector) boxes(out []float32, scale float64, f *frame.Frame) (all, weak [][]found) {
	all, weak = make([][]found, len(classes)), make([][]found, len(classes))
	var cells []candidate
	i := 0
	for _, s := range d.strides {
		for y := range d.h / s {
			for x := range d.w / s {
				cell := out[i*row:][:row]
				i++
				if !(float64(cell[4]) >= d.o.MinScore/2) {
					continue
				}
				b := cellBox(cell, x, y, s, scale, f)
				if !b.Valid() {
					continue
				}
				c := candidate{box: b}
				for class, v := range cell[5:] {
					c.scores[class] = float64(cell[4]) * float64(v)
					if c.scores[class] >= d.o.MinScore {
						all[class] = append(all[class], found{b, c.scores[class]})
					} else if c.scores[class] >= d.o.MinScore/2 {
						weak[class] = append(weak[class], found{b, c.scores[class]})
					}
				}
				if float64(cell[4]) >= d.o.MinScore {
					cells = append(cells, c)
				}
			}
		}
	}
	doubtful(all, cells, d.o.MinScore)
	for i := range all {
		all[i], weak[i] = suppress(all[i], d.o.MaxIoU, d.o.Max), suppress(weak[i], d.o.MaxIoU, d.o.Max)
	}
	return all, weak
}

func cellBox(cell []float32, x, y, stride int, scale float64, f *frame.Frame) seg.Box {
	s := float64(stride) / scale
	cx, cy, w, h := (float64(cell[0])+float64(x))*s, (float64(cell[1])+float64(y))*s, math.Exp(
		float64(cell[2]),
	)*s, math.Exp(
		float64(cell[3]),
	)*s
	fw, fh := float64(f.Width), float64(f.Height)
	return seg.Box{X0: (cx - w/2) / fw, Y0: (cy - h/2) / fh, X1: (cx + w/2) / fw, Y1: (cy + h/2) / fh}.Clip()
}

// suppress keeps the best of boxes that overlap.
func suppress(all []found, maxIoU float64, most int) []found {
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.score, a.score) })
	var kept []found
	for _, f := range all {
		if !slices.ContainsFunc(kept, func(k found) bool { return k.box.IoU(f.box) > maxIoU }) {
			kept = append(kept, f)
		}
		if len(kept) == most {
			break
		}
	}
	return kept
}
