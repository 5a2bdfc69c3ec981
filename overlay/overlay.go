// Package overlay paints objects onto a picture: a translucent mask with a crisp contour and a label, in a colour that
// stays with the object. It works in place on pixels that the caller owns, which are therefore never those of a
// published frame. It keeps no objects, knows no time and does no IO.
package overlay

import (
	"fmt"
	"image"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Options says what is painted. The zero value paints everything.
type Options struct {
	NoLabels     bool // masks and contours only
	NoCandidates bool // not the outlines of the other masks of an ambiguous object
	// Camera is what an object without a name is called after, as on every door: "hall-3"; without it "#3".
	Camera string
}

// Painter paints frames one after another and keeps its scratch memory between them: in steady state it allocates
// nothing. Not safe for concurrent use.
type Painter struct {
	opts   Options
	field  field
	cols   []column
	first  []int32 // the first column that lies at or after each cell
	row    []uint16
	lut    [2]table
	inside wash
	text   typeface
	chips  []image.Rectangle // the labels of this picture, so that none covers another
	name   []byte
	runes  []rune
}

// New makes a painter.
func New(opts Options) (*Painter, error) {
	p := &Painter{opts: opts, chips: make([]image.Rectangle, 0, 64)}
	if err := p.text.load(); err != nil {
		return nil, fmt.Errorf("overlay: label font: %w", err)
	}
	return p, nil
}

// Paint draws objects onto pix, packed BGR of w×h pixels with stride 3·w, in place. Later objects lie over earlier
// ones, labels over all. Masks may have any grid; a mask without a cell is skipped.
func (p *Painter) Paint(pix []byte, w, h int, objects []seg.Object) error {
	if w <= 0 || h <= 0 || len(pix) < 3*w*h {
		return fmt.Errorf("overlay: %d bytes cannot hold a picture of %dx%d", len(pix), w, h)
	}
	c := canvas{pix: pix, w: w, h: h}
	for i := range objects {
		p.object(&c, &objects[i])
	}
	if !p.opts.NoLabels {
		p.labels(&c, objects)
	}
	return nil
}

// Over copies f into dst, which is grown when it is too small, and paints objects there. It returns dst.
func (p *Painter) Over(dst []byte, f *frame.Frame, objects []seg.Object) ([]byte, error) {
	if n := len(f.Pix); cap(dst) < n {
		dst = make([]byte, n)
	}
	dst = dst[:len(f.Pix)]
	copy(dst, f.Pix)
	return dst, p.Paint(dst, f.Width, f.Height, objects)
}

// Paint is for a single picture; a stream of them keeps a Painter.
func Paint(pix []byte, w, h int, objects []seg.Object, opts Options) error {
	p, err := New(opts)
	if err != nil {
		return err
	}
	return p.Paint(pix, w, h, objects)
}

func (p *Painter) object(c *canvas, o *seg.Object) {
	color := ColorOf(o)
	if !p.opts.NoCandidates {
		for i := range o.Candidates {
			p.mask(c, o.Candidates[i].Mask, candidateStyle, color)
		}
	}
	p.mask(c, o.Mask, styleOf(o.State), color)
}

// canvas is a packed BGR picture.
type canvas struct {
	pix  []byte
	w, h int
}

func (c *canvas) row(y int) []byte { return c.pix[3*c.w*y:][:3*c.w] }

func (c *canvas) bounds() image.Rectangle { return image.Rect(0, 0, c.w, c.h) }
