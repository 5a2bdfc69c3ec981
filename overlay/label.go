package overlay

import (
	"bytes"
	"image"
	"image/color"
	"strconv"
	"unicode/utf8"

	"github.com/segedge/segedge/seg"
)

// suffixes say what the picture alone does not.
func suffix(o *seg.Object) string {
	switch {
	case o.State == seg.Occluded:
		return " · hidden"
	case o.State == seg.Lost:
		return " · lost"
	case o.State == seg.Tentative:
		return " · …"
	case len(o.Candidates) > 0 || o.State == seg.Uncertain:
		return " ?"
	}
	return ""
}

// labels writes a chip at every object, and in the lower left corner one for each object that has no place.
func (p *Painter) labels(c *canvas, objects []seg.Object) {
	if p.text.resize(min(max(c.h/40, 11), 48)) != nil {
		return
	}
	p.chips = p.chips[:0]
	nowhere := 0
	for i := range objects {
		o := &objects[i]
		if o.State == seg.Ended {
			continue
		}
		p.name = append(p.ordered(p.nameOf(o, p.name[:0])), suffix(o)...)
		w := 0
		p.name, w = p.text.cut(p.name, max(c.w/3, 3*p.text.size))
		pad := p.text.size / 3
		size := image.Pt(w+3*pad, p.text.height+pad/2)
		at := image.Pt(pad, c.h-pad-size.Y-nowhere*(size.Y+2))
		if o.Mask != nil && !o.Mask.Rect.Empty() {
			at = p.spot(c, o.Mask, size)
		} else {
			nowhere++
		}
		p.chip(c, image.Rectangle{at, at.Add(size)}, p.name, ColorOf(o), o.State.Visible())
	}
}

// nameOf is the object's name, or its id as the doors write it (seg.ObjectID, without allocating).
func (p *Painter) nameOf(o *seg.Object, buf []byte) []byte {
	switch {
	case o.Name != "":
		return append(buf, o.Name...)
	case p.opts.Camera != "":
		buf = append(append(buf, p.opts.Camera...), '-')
	default:
		buf = append(buf, '#')
	}
	return strconv.AppendUint(buf, uint64(o.ID), 10)
}

// ordered is a name as it is read from left to right, in place.
func (p *Painter) ordered(name []byte) []byte {
	if bytes.IndexFunc(name, leftward) < 0 {
		return name
	}
	p.runes = p.runes[:0]
	for rest := name; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		p.runes, rest = append(p.runes, r), rest[n:]
	}
	visual(p.runes)
	name = name[:0]
	for _, r := range p.runes {
		name = utf8.AppendRune(name, r)
	}
	return name
}

// spot is the corner of a chip above the middle of the mask if there is room, else at its upper edge; below another chip
// rather than over it. The middle is that of the cells, not of the box, which a few stray cells would pull away.
func (p *Painter) spot(c *canvas, m *seg.Mask, size image.Point) image.Point {
	x := int(m.Centroid().X*float64(c.w)) - size.X/2
	y := top(m, x*m.W/c.w, (x+size.X)*m.W/c.w)*c.h/m.H - size.Y - 3
	at := image.Pt(min(max(x, 0), max(0, c.w-size.X)), min(max(y, 0), max(0, c.h-size.Y)))
	for range 4 {
		hit := p.covered(image.Rectangle{at, at.Add(size)})
		if hit.Empty() || hit.Max.Y+1+size.Y > c.h {
			break
		}
		at.Y = hit.Max.Y + 1
	}
	return at
}

// top is the first row with a cell between two columns, or else of the mask.
func top(m *seg.Mask, from, to int) int {
	from, to = max(from-m.Rect.Min.X, 0), min(to-m.Rect.Min.X+1, m.Rect.Dx())
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y && from < to; y++ {
		if bytes.IndexByte(m.Row(y)[from:to], 1) >= 0 {
			return y
		}
	}
	return m.Rect.Min.Y
}

func (p *Painter) covered(r image.Rectangle) image.Rectangle {
	for _, k := range p.chips {
		if k.Overlaps(r) {
			return k
		}
	}
	return image.Rectangle{}
}

// chip draws a dark plate with a bar in the object's colour and its text.
func (p *Painter) chip(c *canvas, r image.Rectangle, text []byte, k color.RGBA, bright bool) {
	if len(p.chips) < cap(p.chips) {
		p.chips = append(p.chips, r)
	}
	bar := max(2, p.text.size/4)
	plate, grey := uint32(205), uint8(250)
	if !bright {
		plate, grey = 150, 200
	}
	in := r.Intersect(c.bounds())
	for y := in.Min.Y; y < in.Max.Y; y++ {
		dst := c.row(y)
		edge := 0
		if y == r.Min.Y || y == r.Max.Y-1 {
			edge = 1 // the corners are cut
		}
		for x := in.Min.X + edge; x < in.Max.X-edge; x++ {
			px := dst[3*x : 3*x+3 : 3*x+3]
			if x < r.Min.X+bar {
				mix(px, k.B, k.G, k.R, 240)
			} else {
				mix(px, 26, 22, 20, plate)
			}
		}
	}
	p.text.draw(c, r.Min.X+bar+p.text.size/3, r.Min.Y+(r.Dy()-p.text.height)/2+p.text.ascent, text, grey)
}
