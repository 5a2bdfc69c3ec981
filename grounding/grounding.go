// Package grounding turns a phrase into boxes: a detector of named classes (YOLOX on COCO's eighty) over inference.Graph, and a small
// grammar of number, colour, size, place, "or" and "but not" over what it finds. A box then is a prompt like any other. It understands what
// a thing is and looks like, not what it does or stands next to.
package grounding

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Options set the detector up. Zero values stand for the defaults named.
type Options struct {
	MinScore float64 // least score of a box; 0.3
	MaxIoU   float64 // two boxes that overlap more are one; 0.45
	Max      int     // boxes at most; 10
	Synonyms string  // a person's own words for classes, lines of "class: word, word"
}

// Detector finds what a phrase names. Safe for concurrent use.
type Detector struct {
	graph   inference.Graph
	o       Options
	words   Words
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
	words, err := NewWords(o.Synonyms)
	if err != nil {
		return nil, err
	}
	in, out := g.Inputs(), g.Outputs()
	if len(in) != 1 || len(in[0].Shape) != 4 || in[0].Shape[1] != 3 || len(out) != 1 || len(out[0].Shape) != 3 {
		return nil, errNoDetector
	}
	d := &Detector{graph: g, o: o, words: words, input: in[0].Name, h: int(in[0].Shape[2]), w: int(in[0].Shape[3]), strides: []int{8, 16, 32}}
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

// Ground finds what the phrase asks for in f, best first: one box for one thing, several for several. Colours are judged within the masks
// that s, which may be nil, gives for the boxes. The note says what was not as the phrase has it, and is empty where all was. No box is no
// error.
func (d *Detector) Ground(
	ctx context.Context,
	s inference.Segmenter,
	f *frame.Frame,
	phrase string,
) (boxes []seg.Box, note string, err error) {
	p, err := d.words.Parse(phrase)
	if err != nil {
		return nil, "", err
	}
	found, err := d.look(ctx, f, p)
	if err != nil {
		return nil, "", err
	}
	judge := &judge{f: f, s: s}
	defer func() { err = errors.Join(err, judge.close()) }()
	var all []thing
	for i := range p.Terms {
		things, err := d.fitting(ctx, judge, found, p, &p.Terms[i])
		if err != nil {
			return nil, "", err
		}
		all = append(all, things...)
	}
	all = apart(all, d.o.MaxIoU)
	if len(p.Terms) > 1 {
		slices.SortStableFunc(all, func(a, b thing) int { return cmp.Compare(b.score, a.score) })
	}
	if p.Count > 0 && len(all) < p.Count && len(all) > 0 {
		note = fmt.Sprintf("%d of %d were found", len(all), p.Count)
	}
	if p.Count > 0 {
		all = all[:min(len(all), p.Count)]
	}
	for _, t := range all[:min(len(all), d.o.Max)] {
		boxes = append(boxes, t.box)
	}
	return boxes, note, nil
}

// Things are the boxes of all that the detector knows in a picture, whatever it is, best first: on the whole, and of small things in four
// parts.
func (d *Detector) Things(ctx context.Context, f *frame.Frame) ([]seg.Box, error) {
	all, err := d.look(ctx, f, &Phrase{})
	if err != nil {
		return nil, err
	}
	var every []found
	for class, list := range all {
		for _, b := range list {
			if !slices.Contains(furniture, classes[class]) {
				every = append(every, b)
			}
		}
	}
	var out []seg.Box
	for _, b := range suppress(every, 0.7, 3*d.o.Max) {
		out = append(out, b.box)
	}
	return out, nil
}

// furniture is what other things stand on.
var furniture = []string{"dining table", "bed"}

// thing is something found that fits a term.
type thing struct {
	found
	fit float64 // of its colours, 1 where none are asked
}

// fitting are the things of a term, the one most meant first.
func (d *Detector) fitting(ctx context.Context, j *judge, all [][]found, p *Phrase, t *term) ([]thing, error) {
	var out []thing
	for _, b := range all[t.class] {
		out = append(out, thing{b, 1})
	}
	out = slices.DeleteFunc(out, func(a thing) bool {
		return slices.ContainsFunc(p.Not, func(class int) bool {
			return slices.ContainsFunc(all[class], func(b found) bool { return b.box.IoU(a.box) > 0.5 && b.score > a.score/2 })
		})
	})
	if len(t.colours) > 0 || t.shade != "" {
		for i := range out {
			c, err := j.colours(ctx, out[i].box)
			if err != nil {
				return nil, err
			}
			out[i].fit = c.fits(t.colours, t.shade)
		}
		out = slices.DeleteFunc(out, func(a thing) bool { return a.fit < leastFit })
		slices.SortStableFunc(out, func(a, b thing) int { return cmp.Compare(b.fit*b.score, a.fit*a.score) })
	}
	return t.where(t.sized(out), p.Count == 1), nil
}

// sized puts the largest or the smallest first, where that is asked.
func (t *term) sized(in []thing) []thing {
	if t.size != 0 {
		slices.SortStableFunc(in, func(a, b thing) int { return t.size * cmp.Compare(b.box.Area(), a.box.Area()) })
	}
	return in
}

// where puts what is nearest to the place first, or of several keeps those on that side of the picture.
func (t *term) where(in []thing, one bool) []thing {
	at := t.place
	if at == (place{}) {
		return in
	}
	side := func(b seg.Box) float64 { // the more the nearer
		x, y := (b.X0+b.X1)/2-0.5, (b.Y0+b.Y1)/2-0.5
		if at.mid && at.x == 0 && at.y == 0 {
			return 0.17 - max(x, -x)
		}
		return float64(at.x)*x + float64(at.y)*y
	}
	if !one {
		return slices.DeleteFunc(in, func(a thing) bool { return side(a.box) < 0 })
	}
	slices.SortStableFunc(in, func(a, b thing) int { return cmp.Compare(side(b.box), side(a.box)) })
	return in
}

// apart drops what overlaps something before it: one thing may fit two terms.
func apart(in []thing, most float64) []thing {
	var out []thing
	for _, t := range in {
		if !slices.ContainsFunc(out, func(o thing) bool { return o.box.IoU(t.box) > most }) {
			out = append(out, t)
		}
	}
	return out
}

// judge looks at the colours of what is in boxes.
type judge struct {
	f     *frame.Frame
	s     inference.Segmenter
	light *light
	e     inference.Embedding // once it was needed
}

// close gives back what looking took.
func (j *judge) close() error {
	if j.e == nil {
		return nil
	}
	return j.e.Close()
}

// colours are those of the thing in a box: of its mask, or where there is none of the ellipse in the middle of the box.
func (j *judge) colours(ctx context.Context, b seg.Box) (colours, error) {
	if j.light == nil {
		l := lightOf(j.f)
		j.light = &l
	}
	m, err := j.mask(ctx, b)
	if err != nil {
		return colours{}, err
	}
	if m == nil || m.Count() < 16 {
		m = middle(j.f.Width, j.f.Height, b)
	}
	return coloursOf(j.f, m, *j.light), nil
}

func (j *judge) mask(ctx context.Context, b seg.Box) (m *seg.Mask, err error) {
	if j.s == nil || !j.s.Info().Kinds.Box {
		return nil, nil //nolint:nilnil // no mask is an answer
	}
	if j.e == nil {
		if j.e, err = j.s.Embed(ctx, j.f); err != nil {
			return nil, err
		}
	}
	a, err := j.e.Decode(ctx, []seg.Prompt{{Box: &b, Single: true}})
	if err != nil || a[0].Best() == nil {
		return nil, err
	}
	return a[0].Best().Logits.Cut(j.f.Width, j.f.Height, seg.Threshold), nil
}

// middle is the ellipse of half the size of a box.
func middle(w, h int, b seg.Box) *seg.Mask {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	cx, cy, rx, ry := (b.X0+b.X1)/2*float64(w), (b.Y0+b.Y1)/2*float64(h), (b.X1-b.X0)/4*float64(w), (b.Y1-b.Y0)/4*float64(h)
	for y := range h {
		row := m.Row(y)
		for x := range row {
			dx, dy := (float64(x)+0.5-cx)/max(rx, 1), (float64(y)+0.5-cy)/max(ry, 1)
			if dx*dx+dy*dy <= 1 {
				row[x] = 1
			}
		}
	}
	return m.Trim()
}

// detect finds the things of every class, of each the best first.
func (d *Detector) detect(ctx context.Context, f *frame.Frame) ([][]found, error) {
	pixels, scale := d.letterbox(f)
	out, release, err := d.graph.Run(ctx, []inference.Tensor{{Name: d.input, Shape: []int64{1, 3, int64(d.h), int64(d.w)}, Float32: pixels}})
	if err != nil {
		return nil, err
	}
	defer release()
	if len(out) != 1 || len(out[0].Float32) != d.cells()*row {
		return nil, errNoDetector
	}
	return d.boxes(out[0].Float32, scale, f), nil
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
	all, err := d.detect(ctx, f)
	if err != nil || slices.ContainsFunc(p.Terms, func(t term) bool { return len(all[t.class]) > 0 }) {
		return all, err
	}
	w, h := int(closeUp*float64(f.Width)), int(closeUp*float64(f.Height))
	if w < 64 || h < 64 {
		return all, nil
	}
	for _, at := range []image.Point{{}, {X: f.Width - w}, {Y: f.Height - h}, {X: f.Width - w, Y: f.Height - h}} {
		part, err := d.detect(ctx, cut(f, image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}))
		if err != nil {
			return nil, err
		}
		for class := range part {
			for _, b := range part[class] {
				if b, ok := lifted(b, at, w, h, f); ok {
					all[class] = append(all[class], b)
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

// lifted is what was found in a part, in the whole; false where it ends at an edge of the part that is none of the whole.
func lifted(b found, at image.Point, w, h int, f *frame.Frame) (found, bool) {
	const near = 0.015
	if b.box.X0 < near && at.X > 0 || b.box.Y0 < near && at.Y > 0 ||
		b.box.X1 > 1-near && at.X+w < f.Width || b.box.Y1 > 1-near && at.Y+h < f.Height {
		return b, false
	}
	x := func(v float64) float64 { return (float64(at.X) + v*float64(w)) / float64(f.Width) }
	y := func(v float64) float64 { return (float64(at.Y) + v*float64(h)) / float64(f.Height) }
	b.box = seg.Box{X0: x(b.box.X0), Y0: y(b.box.Y0), X1: x(b.box.X1), Y1: y(b.box.Y1)}
	return b, true
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

// doubt is what a class must reach where a kin class is the better guess: of the least score, and of the kin's score.
const doubt = 0.35

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
				if own := c.scores[class]; best >= least && own >= doubt*least && own >= doubt/2*best {
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
// class (YOLOX, demo_postprocess).
func (d *Detector) boxes(out []float32, scale float64, f *frame.Frame) [][]found {
	all := make([][]found, len(classes))
	var cells []candidate
	i := 0
	for _, s := range d.strides {
		for y := range d.h / s {
			for x := range d.w / s {
				cell := out[i*row:][:row]
				i++
				if !(float64(cell[4]) >= d.o.MinScore) {
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
					}
				}
				cells = append(cells, c)
			}
		}
	}
	doubtful(all, cells, d.o.MinScore)
	for i := range all {
		all[i] = suppress(all[i], d.o.MaxIoU, d.o.Max)
	}
	return all
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
