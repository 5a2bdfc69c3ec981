// Package grounding turns a phrase into boxes: a detector of named classes (YOLOX on COCO's eighty) over inference.Graph, and a small
// grammar of number, colour, size, place, "or" and "but not" over what it finds. A box then is a prompt like any other. It understands what
// a thing is and looks like, not what it does or stands next to.
package grounding

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	Synonyms string  // a person's own words for classes, lines of "word: word, word"
}

// Detector finds what a phrase names. Safe for concurrent use.
type Detector struct {
	graph   inference.Graph
	o       Options
	words   *Words
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

// Ground finds what the phrase asks for in f, best first: one box for one thing, several for several. Colours are judged within the masks
// that s, which may be nil, gives for the boxes. The note says what was not as the phrase has it, and is empty where all was. No box is no
// error.
func (d *Detector) Ground(
	ctx context.Context,
	s inference.Segmenter,
	f *frame.Frame,
	phrase string,
) (boxes []seg.Named, note string, err error) {
	p, err := d.words.Parse(phrase)
	if err != nil {
		return nil, "", err
	}
	boxes, of, err := d.ground(ctx, s, f, p)
	return boxes, p.note(of), err
}

// note is what was not as a phrase has it, by how many were found of each group.
func (p *Phrase) note(of []int) string {
	var notes []string
	for i, n := range of {
		g := &p.groups[i]
		switch {
		case len(of) == 1 && !g.any && n > 0 && n < g.count:
			notes = append(notes, fmt.Sprintf("%d of %d were found", n, g.count))
		case len(of) > 1 && n == 0:
			notes = append(notes, fmt.Sprintf("nothing was found for %q", strings.Join(g.said, " ")))
		case len(of) > 1 && !g.any && n < g.count:
			notes = append(notes, fmt.Sprintf("%d of %d were found for %q", n, g.count, strings.Join(g.said, " ")))
		}
	}
	if len(p.passed) > 0 {
		notes = append(notes, fmt.Sprintf("passed over, since it says nothing to the detector: %q", strings.Join(p.passed, " ")))
	}
	return strings.Join(notes, "; ")
}

// Every finds all that a phrase fits, for who looks again and again, and how many things it asks for at most; 0 where it names no number. A
// phrase that says which one is meant ("the largest dog") asks for one.
func (d *Detector) Every(
	ctx context.Context,
	s inference.Segmenter,
	f *frame.Frame,
	phrase string,
) (boxes []seg.Named, most int, err error) {
	p, err := d.words.Parse(phrase)
	if err != nil {
		return nil, 0, err
	}
	unbounded := false
	for i := range p.groups {
		g := &p.groups[i]
		if g.any && !g.which() {
			g.count = 0
		}
		most, unbounded = most+g.count, unbounded || g.count == 0
	}
	if unbounded {
		most = 0
	}
	boxes, _, err = d.ground(ctx, s, f, p)
	return boxes, most, err
}

// ground are the boxes that a phrase asks for, of each group best first, and how many each has. No thing is two of them.
func (d *Detector) ground(ctx context.Context, s inference.Segmenter, f *frame.Frame, p *Phrase) (boxes []seg.Named, of []int, err error) {
	found, err := d.look(ctx, f, p)
	if err != nil {
		return nil, nil, err
	}
	judge := &judge{f: f, s: s}
	defer func() { err = errors.Join(err, judge.close()) }()
	for i := range p.groups {
		g := &p.groups[i]
		var all []thing
		for k := range g.terms {
			things, err := d.fitting(ctx, judge, found, p, &g.terms[k], g.count == 1)
			if err != nil {
				return nil, nil, err
			}
			all = append(all, things...)
		}
		if len(g.terms) > 1 {
			slices.SortStableFunc(all, func(a, b thing) int { return cmp.Compare(b.score, a.score) })
		}
		all = apart(all, boxes, d.o.MaxIoU)
		most := min(len(all), d.o.Max)
		if g.count > 0 {
			most = min(most, g.count)
		}
		for _, t := range all[:most] {
			boxes = append(boxes, seg.Named{Box: t.box, Name: p.nameOf(g)})
		}
		of = append(of, most)
	}
	return boxes, of, nil
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
func (d *Detector) fitting(ctx context.Context, j *judge, all [][]found, p *Phrase, t *term, one bool) ([]thing, error) {
	var out []thing
	for _, class := range t.classes {
		for _, b := range all[class] {
			out = append(out, thing{b, 1})
		}
	}
	if len(t.classes) > 1 {
		slices.SortStableFunc(out, func(a, b thing) int { return cmp.Compare(b.score, a.score) })
	}
	for i := range p.not {
		var err error
		if out, err = j.without(ctx, out, all, &p.not[i]); err != nil {
			return nil, err
		}
	}
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
	return t.where(t.sized(out), one), nil
}

// without leaves out what is also what is not meant.
func (j *judge) without(ctx context.Context, in []thing, all [][]found, not *term) (out []thing, err error) {
	for _, a := range in {
		is := not.classes == nil || slices.ContainsFunc(not.classes, func(class int) bool {
			return slices.ContainsFunc(all[class], func(b found) bool { return b.box.IoU(a.box) > 0.5 && b.score > a.score/2 })
		})
		if is && (len(not.colours) > 0 || not.shade != "") {
			c, err := j.colours(ctx, a.box)
			if err != nil {
				return nil, err
			}
			is = c.fits(not.colours, not.shade) >= leastFit
		}
		if !is {
			out = append(out, a)
		}
	}
	return out, nil
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

// apart drops what overlaps something before it, or one of the boxes that are taken: one thing may fit two terms.
func apart(in []thing, others []seg.Named, most float64) []thing {
	taken := make([]seg.Box, len(others))
	for i := range others {
		taken[i] = others[i].Box
	}
	var out []thing
	for _, t := range in {
		if !slices.ContainsFunc(taken, func(o seg.Box) bool { return o.IoU(t.box) > most }) {
			out, taken = append(out, t), append(taken, t.box)
		}
	}
	return out
}
