//go:build ignore

// Packs GNU Unifont for package overlay: every visible character that its two fonts draw, 16 rows of one or two bytes each.
//
//	go run overlay/pack.go unifont.otf unifont_upper.otf overlay/unifont/glyphs.gz
//
// The fonts are those of Debian's package fonts-unifont, version 15.0.01.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"log"
	"os"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

func main() {
	var out bytes.Buffer
	last := rune(0)
	for i, file := range os.Args[1:3] {
		face := open(file)
		for r := rune(i) << 16; r < rune(i+1)<<16; r++ {
			if unicode.Is(unicode.Co, r) || unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cs, r) {
				continue
			}
			wide, rows, ok := draw(face, r)
			if !ok {
				continue
			}
			out.Write(binary.AppendUvarint(nil, uint64(r-last)))
			last = r
			out.WriteByte(map[bool]byte{false: 1, true: 2}[wide])
			for _, row := range rows {
				if wide {
					out.WriteByte(byte(row >> 8))
				}
				out.WriteByte(byte(row))
			}
		}
	}
	f, err := os.Create(os.Args[3])
	check(err)
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	check(err)
	_, err = z.Write(out.Bytes())
	check(err)
	check(z.Close())
	check(f.Close())
	log.Printf("%d bytes before compression", out.Len())
}

func open(file string) font.Face {
	data, err := os.ReadFile(file)
	check(err)
	f, err := opentype.Parse(data)
	check(err)
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: 16, DPI: 72}) // its own grid
	check(err)
	return face
}

// draw is a character's rows from 14 above the baseline to 2 below.
func draw(face font.Face, r rune) (wide bool, rows [16]uint16, ok bool) {
	dr, mask, at, advance, ok := face.Glyph(fixed.P(0, 0), r)
	if !ok {
		return false, rows, false
	}
	width := 8
	if wide = advance.Round() > 8; wide {
		width = 16
	}
	shift := 0
	if dr.Min.X < 0 { // a mark that stands over the character before
		shift = advance.Round()
		if shift == 0 {
			shift = width
		}
	}
	ink := false
	for y := dr.Min.Y; y < dr.Max.Y; y++ {
		for x := dr.Min.X; x < dr.Max.X; x++ {
			_, _, _, a := mask.At(at.X+x-dr.Min.X, at.Y+y-dr.Min.Y).RGBA()
			row, col := y+14, x+shift
			if a < 0x8000 || row < 0 || row > 15 || col < 0 || col >= width {
				continue
			}
			rows[row] |= 1 << (width - 1 - col)
			ink = true
		}
	}
	return wide, rows, ink
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
