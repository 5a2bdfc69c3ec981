package dataset

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame/picture"
)

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestLabels(t *testing.T) {
	colours := image.NewRGBA(image.Rect(0, 0, 4, 2))
	colours.SetRGBA(1, 1, color.RGBA{255, 255, 255, 255})
	grey := image.NewGray(image.Rect(0, 0, 4, 2))
	copy(grey.Pix, []uint8{0, 1, 1, 0, 7, 255, 0, 0})
	for name, c := range map[string]struct {
		img   image.Image
		ids   []uint32
		count int // of the first
	}{
		"grey, 255 is nobody's":           {grey, []uint32{1, 7}, 2},
		"colours, 255 alone is an object": {colours, []uint32{255}, 1},
		"palette":                         {&image.Paletted{Pix: []uint8{0, 0, 2, 2, 2, 0, 0, 1}, Stride: 4, Rect: image.Rect(0, 0, 4, 2), Palette: palette()}, []uint32{1, 2}, 1},
		"nothing":                         {image.NewGray(image.Rect(0, 0, 4, 2)), nil, 0},
	} {
		path := filepath.Join(t.TempDir(), "l.png")
		if err := os.WriteFile(path, pngOf(t, c.img), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := ReadLabels(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.IDs(); !slices.Equal(got, c.ids) {
			t.Errorf("%s: labels %v, want %v", name, got, c.ids)
		}
		masks := l.Masks()
		if len(masks) != len(c.ids) || len(masks) > 0 && masks[0].Count() != c.count {
			t.Errorf("%s: %d masks", name, len(masks))
		}
	}
}

func TestPaletteIsThatOfVOC(t *testing.T) {
	p := palette()
	for i, want := range map[int]color.RGBA{0: {0, 0, 0, 255}, 1: {128, 0, 0, 255}, 2: {0, 128, 0, 255}, 3: {128, 128, 0, 255}, 8: {64, 0, 0, 255}, 255: {224, 224, 192, 255}} {
		if p[i] != want {
			t.Errorf("colour %d is %v, want %v", i, p[i], want)
		}
	}
}

// coloured is a picture with these colours, a row of cells.
func coloured(c ...color.NRGBA) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, len(c), 2))
	for x, v := range c {
		m.SetNRGBA(x, 0, v)
		m.SetNRGBA(x, 1, v)
	}
	return m
}

func deep(v ...uint16) *image.Gray16 {
	m := image.NewGray16(image.Rect(0, 0, len(v), 2))
	for x, v := range v {
		m.SetGray16(x, 0, color.Gray16{Y: v})
		m.SetGray16(x, 1, color.Gray16{Y: v})
	}
	return m
}

// tiffOf is a TIFF file of one channel of 32 bits, two equal rows in a strip each.
func tiffOf(order binary.AppendByteOrder, mark string, compression, format, predictor uint32, pack func([]byte) []byte, v ...uint32) []byte {
	row, before := []byte(nil), uint32(0)
	for _, n := range v {
		if predictor == 2 {
			n, before = n-before, n
		}
		row = order.AppendUint32(row, n)
	}
	if pack != nil {
		row = pack(row)
	}
	n, w := uint32(len(row)), uint32(len(v))
	const tags = 10
	data := uint32(8 + 2 + 12*tags + 4)
	b := order.AppendUint32([]byte(mark), 8)
	b = order.AppendUint16(b, tags)
	entry := func(tag uint16, count, value uint32) {
		b = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), 4), count), value)
	}
	entry(tagWidth, 1, w)
	entry(tagHeight, 1, 2)
	entry(tagBits, 1, 32)
	entry(tagCompression, 1, compression)
	entry(tagStrips, 2, data)
	entry(tagSamples, 1, 1)
	entry(tagRows, 1, 1)
	entry(tagBytes, 2, data+8)
	entry(tagPredictor, 1, predictor)
	entry(tagFormat, 1, format)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint32(order.AppendUint32(b, data+16), data+16) // both strips are the same bytes
	b = order.AppendUint32(order.AppendUint32(b, n), n)
	return append(b, row...)
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func lzwed(b []byte) []byte {
	// Code 256 clears the table, 257 ends; nine bits each while there are few (TIFF 6.0, section 13).
	var out []byte
	bits, n := uint32(0), 0
	put := func(code uint32) {
		bits, n = bits<<9|code, n+9
		for ; n >= 8; n -= 8 {
			out = append(out, byte(bits>>(n-8)))
		}
	}
	put(256)
	for _, v := range b {
		put(uint32(v))
	}
	put(257)
	return append(out, byte(bits<<(8-n)))
}

// TestLabelsOfEveryCoding: the numbers come out as they were put in, whatever the file's form.
func TestLabelsOfEveryCoding(t *testing.T) {
	opaque := func(r, g, b uint8) color.NRGBA { return color.NRGBA{r, g, b, 255} }
	void := opaque(224, 224, 192) // the last of VOC's palette
	le, be := binary.LittleEndian, binary.BigEndian
	four := image.NewPaletted(image.Rect(0, 0, 4, 2), color.Palette{color.Gray{0}, color.Gray{1}, color.Gray{2}, color.Gray{3}})
	copy(four.Pix, []uint8{0, 3, 2, 1, 0, 3, 2, 1})
	for name, c := range map[string]struct {
		file []byte
		want []uint32
	}{
		"grey of 16 bits":                         {pngOf(t, deep(0, 301, 302, 12, 255)), []uint32{12, 255, 301, 302}},
		"grey of 16 bits, below 256":              {pngOf(t, deep(0, 1, 2, 68)), []uint32{1, 2, 68}},
		"grey of 16 bits, nobody can tell":        {pngOf(t, deep(0, 1, 65535)), []uint32{1}},
		"a mask in grey of 16 bits":               {pngOf(t, deep(0, 65535)), []uint32{65535}},
		"a palette of 2 bits":                     {pngOf(t, four), []uint32{1, 2, 3}},
		"grey in three channels":                  {pngOf(t, coloured(opaque(0, 0, 0), opaque(3, 3, 3), opaque(255, 255, 255), opaque(9, 9, 9))), []uint32{3, 9}},
		"COCO panoptic, ids in three channels":    {pngOf(t, coloured(opaque(0, 0, 0), opaque(45, 1, 0), opaque(46, 1, 0), opaque(1, 0, 1))), []uint32{301, 302, 65537}},
		"COCO panoptic, small ids":                {pngOf(t, coloured(opaque(0, 0, 0), opaque(1, 0, 0), opaque(77, 0, 0))), []uint32{1, 77}},
		"VOC's palette as colours":                {pngOf(t, coloured(opaque(0, 0, 0), opaque(128, 0, 0), opaque(0, 128, 0), void)), []uint32{1, 2, 255}},
		"colours with holes":                      {pngOf(t, coloured(color.NRGBA{9, 9, 9, 0}, opaque(5, 0, 0), opaque(6, 1, 0))), []uint32{5, 262}},
		"ids in four channels":                    {pngOf(t, coloured(color.NRGBA{1, 0, 0, 1}, color.NRGBA{1, 0, 0, 2}, color.NRGBA{0, 0, 0, 0})), []uint32{1 | 1<<24, 1 | 2<<24}},
		"small ids in four channels":              {pngOf(t, coloured(color.NRGBA{1, 0, 0, 0}, color.NRGBA{45, 1, 0, 0})), []uint32{1, 301}},
		"TIFF of 32 bits":                         {tiffOf(le, "II*\x00", 1, 1, 1, nil, 0, 301, 70000, 1<<31), []uint32{301, 70000, 1 << 31}},
		"TIFF of 32 bits, most significant first": {tiffOf(be, "MM\x00*", 8, 1, 2, deflated, 0, 301, 302, 12), []uint32{12, 301, 302}},
		"TIFF of 32 bits, signed, LZW":            {tiffOf(le, "II*\x00", 5, 2, 1, lzwed, 0, 301, math.MaxUint32), []uint32{301}},
		"TIFF of floats":                          {tiffOf(le, "II*\x00", 1, 3, 1, nil, math.Float32bits(0), math.Float32bits(301), math.Float32bits(2)), []uint32{2, 301}},
	} {
		path := filepath.Join(t.TempDir(), "l.png")
		write(t, path, c.file)
		l, err := ReadLabels(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := l.IDs(); !slices.Equal(got, c.want) {
			t.Errorf("%s: labels %v, want %v", name, got, c.want)
		}
		for i, m := range l.Masks() {
			if m.Count() != 2 || m.W != l.W || m.Rect.Dx() != 1 {
				t.Errorf("%s: object %d is %v of %d cells", name, c.want[i], m.Rect, m.Count())
			}
		}
	}
}

// TestGreyOfFewBits is a PNG of four bits a value, as ImageMagick writes maps of few labels: they are not 17 times as large.
func TestGreyOfFewBits(t *testing.T) {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write([]byte{0, 0x01, 0x2f, 0, 0x01, 0x2f}) // 0, 1, 2, 15, twice
	_ = w.Close()
	chunk := func(b []byte, name string, data []byte) []byte {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		b = append(append(b, name...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[len(b)-len(data)-4:]))
	}
	file := chunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", []byte{0, 0, 0, 4, 0, 0, 0, 2, 4, 0, 0, 0, 0})
	file = chunk(chunk(file, "IDAT", z.Bytes()), "IEND", nil)
	path := filepath.Join(t.TempDir(), "l.png")
	write(t, path, file)
	if l, err := ReadLabels(path); err != nil || !slices.Equal(l.IDs(), []uint32{1, 2, 15}) {
		t.Errorf("%v, %v", l, err)
	}
}

// TestLossyLabelsAreRefused, whatever the file is called.
func TestLossyLabelsAreRefused(t *testing.T) {
	for name, want := range map[string]string{"l.jpg": "jpeg", "l.png": "jpeg"} {
		path := filepath.Join(t.TempDir(), name)
		write(t, path, jpegOf(t, plain(8, 6, 1)))
		if _, err := ReadLabels(path); !errors.Is(err, ErrLossy) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "PNG") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for what, file := range map[string][]byte{
		"16 bits a channel": pngOf(t, image.NewNRGBA64(image.Rect(0, 0, 3, 2))),
		"whole numbers":     tiffOf(binary.LittleEndian, "II*\x00", 1, 3, 1, nil, math.Float32bits(0.5)),
		"compression 7":     tiffOf(binary.LittleEndian, "II*\x00", 7, 1, 1, nil, 1),
		"predictor":         tiffOf(binary.LittleEndian, "II*\x00", 1, 3, 3, nil, 1),
		"cut off":           tiffOf(binary.LittleEndian, "II*\x00", 8, 1, 1, func([]byte) []byte { return deflated(nil) }, 1),
	} {
		path := filepath.Join(t.TempDir(), "l.tif")
		write(t, path, file)
		if _, err := ReadLabels(path); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%q: %v", what, err)
		}
	}
}

// TestLabelsFollowTheirPicture: a label map of the upright size is taken as it is, one of the stored size is turned as the picture was.
func TestLabelsFollowTheirPicture(t *testing.T) {
	f := plain(3, 5, 0) // upright
	upright := labelsWith(3, 5, block(3, 5, image.Rect(2, 0, 3, 1)))
	stored := labelsWith(5, 3, block(5, 3, image.Rect(0, 0, 1, 1))) // the stored top left is the upright top right
	for name, l := range map[string]*Labels{"upright": upright, "stored": stored} {
		got, err := l.fit(f, picture.Clockwise)
		if err != nil || got.Mask(1).Rect != image.Rect(2, 0, 3, 1) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := stored.fit(f, picture.Upright); err == nil || !strings.Contains(err.Error(), "5x3, but the picture is 3x5") {
		t.Errorf("of a picture that is not turned: %v", err)
	}
	m := ontoFrame(stored.Mask(1), f, picture.Clockwise)
	if m.Rect != image.Rect(2, 0, 3, 1) || m.W != 3 || m.H != 5 {
		t.Errorf("a mask of the stored picture: %v of %dx%d", m.Rect, m.W, m.H)
	}
}

// TestManyLabelsThereAndBack: more than a palette holds.
func TestManyLabelsThereAndBack(t *testing.T) {
	l := &Labels{W: 3, H: 1, Pix: []uint32{0, 7, 301}}
	path := filepath.Join(t.TempDir(), "l.png")
	write(t, path, encoded(t, l))
	if got, err := ReadLabels(path); err != nil || !slices.Equal(got.Pix, l.Pix) {
		t.Errorf("%v, %v", got, err)
	}
	if err := (&Labels{W: 1, H: 1, Pix: []uint32{1 << 16}}).Encode(io.Discard); err == nil {
		t.Error("65536 does not fit into a PNG file")
	}
}
