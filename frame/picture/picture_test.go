package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/segedge/segedge/frame"
)

// quarters is a picture whose quarters are red, green, blue and white, w×h.
func quarters(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	colours := [4]color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, colours[2*(2*y/h)+2*x/w])
		}
	}
	return m
}

// seen names the colours of a frame's quarters, from the top left: "RGBW".
func seen(f *frame.Frame) string {
	s := ""
	for i := range 4 {
		x, y := (1+2*(i%2))*f.Width/4, (1+2*(i/2))*f.Height/4
		p := f.Pix[y*f.Stride()+3*x:][:3]
		switch b, g, r := p[0] > 127, p[1] > 127, p[2] > 127; {
		case r && g && b:
			s += "W"
		case r:
			s += "R"
		case g:
			s += "G"
		case b:
			s += "B"
		}
	}
	return s
}

// exif is a TIFF structure that says an orientation.
func exif(order binary.AppendByteOrder, o uint16) []byte {
	mark := "II*\x00"
	if order.String() == "BigEndian" {
		mark = "MM\x00*"
	}
	b := order.AppendUint16(order.AppendUint32([]byte(mark), 8), 2)
	entry := func(tag, kind, v uint16) {
		b = order.AppendUint16(order.AppendUint16(b, tag), kind)
		b = order.AppendUint16(order.AppendUint16(order.AppendUint32(b, 1), v), 0)
	}
	entry(0x0100, 3, 7)
	entry(0x0112, 3, o)
	return order.AppendUint32(b, 0)
}

// jpegWith puts an EXIF segment behind a comment and an XMP segment, as telephones do.
func jpegWith(t testing.TB, m image.Image, block []byte) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	segment := func(marker byte, body string) []byte {
		return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(body))), body...)
	}
	out := append([]byte{0xff, 0xd8}, segment(0xfe, "a comment")...)
	out = append(out, segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x/>")...)
	out = append(out, segment(0xe1, exifMark+string(block))...)
	return append(out, b.Bytes()[2:]...)
}

func pngWith(t testing.TB, m image.Image, block []byte) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if block == nil {
		return b.Bytes()
	}
	const header = 8 + 25 // signature and IHDR
	c := binary.BigEndian.AppendUint32(nil, uint32(len(block)))
	c = append(append(c, "eXIf"...), block...)
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	return append(append(bytes.Clone(b.Bytes()[:header]), c...), b.Bytes()[header:]...)
}

func decoded(t *testing.T, data []byte) *frame.Frame {
	t.Helper()
	f := frame.New(2, 2)
	if err := Decode(f, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestEveryOrientationIsSeenUpright has what Exif 2.32 says of each: the stored RGBW picture is wide, odd in size.
func TestEveryOrientationIsSeenUpright(t *testing.T) {
	for o, want := range map[uint16]string{1: "RGBW", 2: "GRWB", 3: "WBGR", 4: "BWRG", 5: "RBGW", 6: "BRWG", 7: "WGBR", 8: "GWRB", 0: "RGBW", 9: "RGBW"} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for form, data := range map[string][]byte{
				"jpeg": jpegWith(t, quarters(41, 21), exif(order, o)), "png": pngWith(t, quarters(41, 21), exif(order, o)),
			} {
				f := decoded(t, data)
				w, h := 41, 21
				if o >= 5 && o <= 8 {
					w, h = h, w
				}
				if got := seen(f); got != want || f.Width != w || f.Height != h || len(f.Pix) != 3*w*h {
					t.Errorf("%s, %v, orientation %d: %s of %dx%d, want %s of %dx%d", form, order, o, got, f.Width, f.Height, want, w, h)
				}
			}
		}
	}
}

// TestTurningKeepsEveryPixel compares each pixel of a picture of odd size with where it was stored.
func TestTurningKeepsEveryPixel(t *testing.T) {
	for o := Upright; o <= Counter; o++ {
		f := frame.New(5, 3)
		for i := range f.Pix {
			f.Pix[i] = byte(i)
		}
		o.turn(f)
		hit := map[byte]bool{}
		for y := range f.Height {
			for x := range f.Width {
				sx, sy := o.Stored(x, y, f.Width, f.Height)
				got := f.Pix[y*f.Stride()+3*x]
				if got != byte(sy*15+3*sx) {
					t.Fatalf("orientation %d: pixel %d,%d is %d", o, x, y, got)
				}
				hit[got] = true
			}
		}
		if len(hit) != 15 {
			t.Errorf("orientation %d: %d of 15 pixels are there", o, len(hit))
		}
	}
}

// lossless is quarters(8, 6) as a lossless WebP file, written by libwebp 1.3.
const lossless = "RIFF2\x00\x00\x00WEBPVP8L&\x00\x00\x00/\x07@\x01\x00\x1f \x10H\xde\x1f:\x8d\xf9\x17\x10\x14\xfc\x1f\xdd\xfcGd\x0f@ @\x984i\xd2FD\xff#3\x99\x19"

func TestEveryFormIsRead(t *testing.T) {
	m := quarters(8, 6)
	var b, d, g, e bytes.Buffer
	paletted := image.NewPaletted(m.Rect, color.Palette{color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 255, 0, 255}, color.NRGBA{0, 0, 255, 255}, color.White})
	for y := range 6 {
		for x := range 8 {
			paletted.Set(x, y, m.At(x, y))
		}
	}
	part := gif.GIF{Config: image.Config{Width: 8, Height: 6, ColorModel: paletted.Palette}, Image: []*image.Paletted{paletted.SubImage(image.Rect(0, 0, 8, 3)).(*image.Paletted)}, Delay: []int{0}}
	if err := errors.Join(bmp.Encode(&b, m), tiff.Encode(&d, m, &tiff.Options{Compression: tiff.Deflate}), gif.Encode(&g, paletted, nil), gif.EncodeAll(&e, &part)); err != nil {
		t.Fatal(err)
	}
	for form, c := range map[string]struct {
		data []byte
		want string
	}{
		"bmp": {b.Bytes(), "RGBW"}, "tiff": {d.Bytes(), "RGBW"}, "gif": {g.Bytes(), "RGBW"}, "webp": {[]byte(lossless), "RGBW"}, "a part of a GIF": {e.Bytes(), "RG"},
	} {
		if f := decoded(t, c.data); seen(f) != c.want || f.Width != 8 || f.Height != 6 {
			t.Errorf("%s: %s of %dx%d", form, seen(f), f.Width, f.Height)
		}
	}
}

// TestRefusals covers what is no picture, or of a form that is not read: each by its name, with what to do.
func TestRefusals(t *testing.T) {
	ftyp := func(brand string) string { return "\x00\x00\x00\x18ftyp" + brand + "\x00\x00\x00\x00mif1" }
	whole := pngWith(t, image.NewGray(image.Rect(0, 0, 9, 9)), nil)
	huge := bytes.Clone(whole) // its header says 100000×100000
	binary.BigEndian.PutUint32(huge[16:], 100000)
	binary.BigEndian.PutUint32(huge[20:], 100000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	animated := strings.Replace(lossless[:12]+"VP8X\n\x00\x00\x00\x02\x00\x00\x00\x07\x00\x00\x05\x00\x00ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x00WEBP", "\x80\x00\x00\x00WEBP", 1)
	for want, data := range map[string]string{
		"HEIC picture": ftyp("heic"), "AVIF picture": ftyp("avif"), "a video": ftyp("isom"), "JPEG XL": "\xff\x0a....", "PDF": "%PDF-1.7", "SVG": " <svg xmlns",
		"Git LFS": "version https://git-lfs.github.com/spec/v1", "empty": "", "neither JPEG nor PNG": "hello", "animated WebP": animated,
		"smaller than": string(pngWith(t, image.NewGray(image.Rect(0, 0, 1, 9)), nil)), "damaged": string(whole[:len(whole)-30]), "more than": string(huge),
	} {
		err := Decode(frame.New(2, 2), strings.NewReader(data))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none.jpg")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if err := Refused("IMG_1.HEIC"); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "JPEG or PNG") {
		t.Errorf("HEIC by name: %v", err)
	}
	if Refused("a.jpg") != nil || !Named("B.TIF") || Named("c.mp4") {
		t.Error("names")
	}
}

func TestCopyConvertsEveryKindOfPicture(t *testing.T) {
	r := image.Rect(1, 1, 4, 3) // an origin that is not 0
	c := color.NRGBA{200, 100, 50, 255}
	nrgba, rgba, gray, deep := image.NewNRGBA(r), image.NewRGBA(r), image.NewGray(r), image.NewNRGBA64(r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			nrgba.Set(x, y, c)
			rgba.Set(x, y, c)
			gray.Set(x, y, color.Gray{77})
			deep.Set(x, y, c)
		}
	}
	f := frame.New(2, 2)
	for name, img := range map[string]image.Image{"nrgba": nrgba, "rgba": rgba, "deep": deep, "gray": gray, "part": nrgba.SubImage(image.Rect(2, 1, 4, 3))} {
		Copy(f, img)
		want := []byte{50, 100, 200}
		if name == "gray" {
			want = []byte{77, 77, 77}
		}
		last := f.Pix[len(f.Pix)-3:]
		if f.Width != img.Bounds().Dx() || !slices.Equal(f.Pix[:3], want) || !slices.Equal(last, want) {
			t.Errorf("%s: %dx%d %v", name, f.Width, f.Height, f.Pix)
		}
	}
	nrgba.Set(1, 1, color.NRGBA{200, 100, 50, 0})
	if Copy(f, nrgba); f.Pix[2] != 0 {
		t.Error("a transparent pixel must be black")
	}
}
func FuzzDecode(f *testing.F) {
	f.Add(pngWith(f, quarters(5, 4), exif(binary.BigEndian, 6)))
	f.Add(jpegWith(f, quarters(5, 4), exif(binary.LittleEndian, 8)))
	f.Add([]byte(lossless))
	f.Fuzz(func(t *testing.T, data []byte) {
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && cfg.Width*cfg.Height > 1<<20 {
			return // keep the fuzzer's memory small
		}
		dst := frame.New(2, 2)
		if Decode(dst, bytes.NewReader(data)) == nil && len(dst.Pix) != 3*dst.Width*dst.Height {
			t.Fatalf("%dx%d", dst.Width, dst.Height)
		}
	})
}
