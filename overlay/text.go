package overlay

import (
	"image"
	"unicode/utf8"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// maxGlyphs bounds the glyphs kept: names come from outside.
const maxGlyphs = 1024

// typeface draws text in Go Medium (Latin, Greek, Cyrillic), and what that does not have in GNU Unifont, at one size at a time, from
// glyphs that it keeps.
type typeface struct {
	font   *opentype.Font
	face   font.Face
	size   int
	ascent int
	height int
	glyphs map[rune]*glyph
}

// glyph is a letter's coverage, placed relative to the pen on the baseline.
type glyph struct {
	rect    image.Rectangle
	alpha   []uint8 // row by row, rect.Dx()·rect.Dy()
	advance int
}

func (t *typeface) load() (err error) {
	t.glyphs = make(map[rune]*glyph)
	t.font, err = opentype.Parse(gomedium.TTF)
	return err
}

// resize sets the height of the letters, in pixels an em.
func (t *typeface) resize(size int) error {
	if size == t.size {
		return nil
	}
	face, err := opentype.NewFace(t.font, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return err
	}
	m := face.Metrics()
	t.face, t.size, t.ascent, t.height = face, size, m.Ascent.Ceil(), m.Ascent.Ceil()+m.Descent.Ceil()
	clear(t.glyphs)
	return nil
}

func (t *typeface) glyph(r rune) *glyph {
	if g := t.glyphs[r]; g != nil {
		return g
	}
	if len(t.glyphs) >= maxGlyphs {
		clear(t.glyphs)
	}
	g := t.outline(r)
	if g == nil {
		g = t.bitmap(r)
	}
	switch {
	case invisible(r):
		g = &glyph{}
	case g == nil && r == missing:
		g = &glyph{}
	case g == nil:
		g = t.glyph(missing)
	}
	t.glyphs[r] = g
	return g
}

// missing stands for a character that neither font has.
const missing = '\ufffd'

// outline is a letter of Go Medium; nil where it has none.
func (t *typeface) outline(r rune) *glyph {
	dr, mask, at, advance, ok := t.face.Glyph(fixed.Point26_6{}, r)
	if !ok {
		return nil
	}
	g := &glyph{rect: dr, advance: advance.Round()}
	g.alpha = make([]uint8, 0, dr.Dx()*dr.Dy())
	for y := range dr.Dy() {
		for x := range dr.Dx() {
			_, _, _, a := mask.At(at.X+x, at.Y+y).RGBA()
			g.alpha = append(g.alpha, uint8(a>>8))
		}
	}
	return g
}

// width is the length of a text in pixels, and of how many of its bytes fit into limit.
func (t *typeface) width(text []byte, limit int) (w, fit int) {
	for fit < len(text) {
		r, n := utf8.DecodeRune(text[fit:])
		a := t.glyph(r).advance
		if w+a > limit {
			return w, fit
		}
		w, fit = w+a, fit+n
	}
	return w, fit
}

// cut shortens a text in place until it fits into limit, and gives its width.
func (t *typeface) cut(text []byte, limit int) ([]byte, int) {
	w, fit := t.width(text, limit)
	if fit == len(text) {
		return text, w
	}
	dots := t.glyph('…').advance
	w, fit = t.width(text, limit-dots)
	return append(text[:fit], "…"...), w + dots
}

// draw writes a text in a grey of the given brightness, its baseline at y.
func (t *typeface) draw(c *canvas, x, y int, text []byte, grey uint8) {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		g := t.glyph(r)
		g.draw(c, x, y, grey)
		x, text = x+g.advance, text[n:]
	}
}

func (g *glyph) draw(c *canvas, x, y int, grey uint8) {
	all := g.rect.Add(image.Pt(x, y))
	in := all.Intersect(c.bounds())
	for py := in.Min.Y; py < in.Max.Y; py++ {
		alpha := g.alpha[(py-all.Min.Y)*all.Dx()+in.Min.X-all.Min.X:][:in.Dx()]
		dst := c.row(py)[3*in.Min.X:]
		for i, a := range alpha {
			if a != 0 {
				mix(dst[3*i:3*i+3:3*i+3], grey, grey, grey, uint32(a)+1)
			}
		}
	}
}

// mix blends a colour into a pixel, alpha of 256.
func mix(px []byte, b, g, r uint8, alpha uint32) {
	px[0] = uint8((uint32(px[0])*(256-alpha) + uint32(b)*alpha) >> 8)
	px[1] = uint8((uint32(px[1])*(256-alpha) + uint32(g)*alpha) >> 8)
	px[2] = uint8((uint32(px[2])*(256-alpha) + uint32(r)*alpha) >> 8)
}
