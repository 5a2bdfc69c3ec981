package picture

import (
	"encoding/binary"
	"image"
	"math"
)

// webpFits looks at the sizes in a WebP file's own bitstreams (RFC 9649, 2.5 and 2.6; RFC 6386, 9.1): in an extended file the header tells
// another one, that of the canvas, and the decoder makes room for these. A chunk that runs past the end of the file counts too, because its
// decoder notices that only when it has made room.
func webpFits(data []byte) error {
	for rest := data[min(len(data), 12):]; len(rest) >= 8; {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		width, height := bitstreamSize(string(rest[:4]), rest[8:])
		if width > 0 {
			if err := fits(width, height); err != nil {
				return err
			}
		}
		rest = rest[8:]
		rest = rest[min(uint64(len(rest)), size+size%2):]
	}
	return nil
}

// bitstreamSize is the size that a chunk of pixels tells; 0×0 if it is no such chunk.
func bitstreamSize(kind string, body []byte) (width, height int) {
	switch {
	case kind == "VP8L" && len(body) >= 5:
		bits := binary.LittleEndian.Uint32(body[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
	case kind == "VP8 " && len(body) >= 10:
		return int(binary.LittleEndian.Uint16(body[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(body[8:]) & 0x3fff)
	}
	return 0, 0
}

// wideLuma and wideChroma map samples as video has them (ITU-R BT.601: 16–235 and 16–240) to those that JFIF has, 0–255.
var wideLuma, wideChroma = wideTable(16, 219, 0), wideTable(128, 224, 128)

// wideTable maps from to to, and span levels to 255.
func wideTable(from, span, to int) (table [256]byte) {
	for v := range table {
		table[v] = byte(min(max(to+int(math.Round(float64(v-from)*255/float64(span))), 0), 255))
	}
	return table
}

// widen gives a lossy WebP its blacks and whites: its samples are those of video, but the decoder hands them on in a type whose samples are
// JFIF's (golang.org/issue/40173). Lossless ones come as NRGBA.
func widen(img image.Image) {
	var m *image.YCbCr
	switch img := img.(type) {
	case *image.YCbCr:
		m = img
	case *image.NYCbCrA:
		m = &img.YCbCr
	default:
		return
	}
	for i, v := range m.Y {
		m.Y[i] = wideLuma[v]
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = wideChroma[m.Cb[i]], wideChroma[m.Cr[i]]
	}
}
