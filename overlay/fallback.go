package overlay

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"slices"
	"sync"
	"unicode"
)

// packed is GNU Unifont (overlay/unifont): a bitmap of 16 rows for nearly every character of Unicode's first two planes, emoji
// included. It draws what the label's own face has no letter for.
//
//go:embed unifont/glyphs.gz
var packed []byte

// bitmaps are the unpacked characters, in order.
type bitmaps struct {
	runes []rune
	at    []uint32 // of each in data: its width in bytes, then 16 rows
	data  []byte
}

// unifont unpacks the font when it is first needed: two megabytes, which most agents never use.
var unifont = sync.OnceValues(func() (*bitmaps, error) { return unpack(packed) })

func unpack(packed []byte) (*bitmaps, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("overlay: unifont: %w", err)
	}
	b := &bitmaps{}
	if b.data, err = io.ReadAll(z); err != nil {
		return nil, fmt.Errorf("overlay: unifont: %w", err)
	}
	last := rune(0)
	for at := 0; at < len(b.data); {
		step, n := binary.Uvarint(b.data[at:])
		if at += n; n <= 0 || at >= len(b.data) || at+1+16*int(b.data[at]) > len(b.data) {
			return nil, fmt.Errorf("overlay: unifont: broken at byte %d", at)
		}
		last += rune(step)
		b.runes, b.at = append(b.runes, last), append(b.at, uint32(at))
		at += 1 + 16*int(b.data[at])
	}
	return b, nil
}

// find is a character's rows and how many bytes each has; none for one that is not there.
func (b *bitmaps) find(r rune) (rows []byte, width int) {
	i, ok := slices.BinarySearch(b.runes, r)
	if !ok {
		return nil, 0
	}
	at := int(b.at[i])
	width = int(b.data[at])
	return b.data[at+1:][:16*width], width
}

// invisible reports whether a character only says how its neighbours are to look: joiners, variation selectors, skin tones.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r >= 0xfe00 && r <= 0xfe0f || r >= 0x1f3fb && r <= 0x1f3ff || r >= 0xe0100 && r <= 0xe01ef
}

// descent is how many of a bitmap's rows lie below the baseline.
const descent = 2

// bitmap is a character of the fallback font in the label's size: enlarged by whole pixels, or reduced to fit; nil where it has none.
func (t *typeface) bitmap(r rune) *glyph {
	b, err := unifont()
	if err != nil {
		return nil
	}
	rows, width := b.find(r)
	if rows == nil {
		return nil
	}
	h := max(1, (t.height+descent)/16) * 16
	if h > t.height+descent {
		h = t.height
	}
	w := 8 * width * h / 16
	g := &glyph{advance: w, alpha: make([]uint8, w*h)}
	for y := range h {
		for x := range w {
			g.alpha[y*w+x] = cover(rows, width, x, y, w, h)
		}
	}
	top := -h * (16 - descent) / 16
	g.rect = image.Rect(0, top, w, top+h)
	if unicode.In(r, unicode.Mn, unicode.Me) { // over the character before
		g.rect, g.advance = g.rect.Sub(image.Pt(w, 0)), 0
	}
	return g
}

// cover is how much of pixel x, y of a bitmap drawn w×h large is ink, 0..255: the mean of the cells that it covers.
func cover(rows []byte, width, x, y, w, h int) uint8 {
	y0, y1 := y*16/h, max(y*16/h+1, ((y+1)*16+h-1)/h)
	x0, x1 := x*8*width/w, max(x*8*width/w+1, ((x+1)*8*width+w-1)/w)
	if h%16 == 0 { // whole pixels
		y1, x1 = y0+1, x0+1
	}
	ink := 0
	for cy := y0; cy < y1; cy++ {
		for cx := x0; cx < x1; cx++ {
			ink += int(rows[cy*width+cx/8] >> (7 - cx%8) & 1)
		}
	}
	return uint8(255 * ink / ((y1 - y0) * (x1 - x0)))
}

// visual puts a text in the order in which it is read on a line from left to right: runs of letters that are written from right to
// left, with what stands between them, are turned around, in place. Letters are not joined.
func visual(text []rune) {
	for i := 0; i < len(text); i++ {
		if !leftward(text[i]) {
			continue
		}
		end := i + 1
		for k := end; k < len(text) && (leftward(text[k]) || !unicode.IsLetter(text[k]) && !unicode.IsDigit(text[k])); k++ {
			if leftward(text[k]) {
				end = k + 1
			}
		}
		slices.Reverse(text[i:end])
		i = end
	}
}

// leftward reports whether a letter is written from right to left.
func leftward(r rune) bool {
	return r >= 0x590 && unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko)
}
