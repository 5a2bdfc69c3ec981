package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
)

// gradient is a picture whose every pixel differs.
func gradient(m interface {
	image.Image
	Set(x, y int, c color.Color)
}) {
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			m.Set(x, y, color.RGBA{uint8(9 * x), uint8(11 * y), uint8(5 * (x + y)), 255})
		}
	}
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeCropsOddEdges(t *testing.T) {
	m := image.NewRGBA(image.Rect(3, 5, 3+7, 5+5))
	gradient(m)
	f := frame.New(2, 2)
	if err := DecodeInto(f, bytes.NewReader(pngOf(t, m))); err != nil {
		t.Fatal(err)
	}
	if f.Width != 6 || f.Height != 4 || len(f.Pix) != 72 {
		t.Fatalf("%dx%d", f.Width, f.Height)
	}
	for y := range f.Height {
		for x := range f.Width {
			want := m.RGBAAt(3+x, 5+y)
			if got := f.Pix[y*f.Stride()+3*x:][:3]; got[0] != want.B || got[1] != want.G || got[2] != want.R {
				t.Fatalf("pixel %d,%d is %v, want %v in blue, green, red", x, y, got, want)
			}
		}
	}
}

func TestDecodeOfEachForm(t *testing.T) {
	rgb, grey := image.NewRGBA(image.Rect(0, 0, 18, 14)), image.NewGray(image.Rect(0, 0, 18, 14))
	gradient(rgb)
	gradient(grey)
	var colour, mono bytes.Buffer
	if err := errors.Join(jpeg.Encode(&colour, rgb, &jpeg.Options{Quality: 95}), jpeg.Encode(&mono, grey, nil)); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"colour JPEG": colour.Bytes(), "grey JPEG": mono.Bytes(), "grey PNG": pngOf(t, grey)} {
		want, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		f := frame.New(2, 2)
		if err := DecodeInto(f, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		for y := range f.Height {
			for x := range f.Width {
				r, g, b, _ := want.At(x, y).RGBA()
				if got := f.Pix[y*f.Stride()+3*x:][:3]; got[0] != byte(b>>8) || got[1] != byte(g>>8) || got[2] != byte(r>>8) {
					t.Fatalf("%s: pixel %d,%d is %v", name, x, y, got)
				}
			}
		}
	}
}

// TestDecodeRefuses covers what is no picture, and a header that promises one too large to hold.
func TestDecodeRefuses(t *testing.T) {
	small := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 9)))
	whole := pngOf(t, image.NewGray(image.Rect(0, 0, 9, 9)))
	huge := bytes.Clone(whole) // its header says 100000×100000
	binary.BigEndian.PutUint32(huge[16:], 100000)
	binary.BigEndian.PutUint32(huge[20:], 100000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for want, data := range map[string][]byte{
		"smaller than":     small,
		"neither JPEG nor": []byte("GIF89a"),
		"damaged":          whole[:len(whole)-30],
		"more than":        huge,
	} {
		err := DecodeInto(frame.New(2, 2), bytes.NewReader(data))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
	if _, err := ReadImage(filepath.Join(t.TempDir(), "none.jpg")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestLabels(t *testing.T) {
	colours := image.NewRGBA(image.Rect(0, 0, 4, 2))
	colours.SetRGBA(1, 1, color.RGBA{255, 255, 255, 255})
	grey := image.NewGray(image.Rect(0, 0, 4, 2))
	copy(grey.Pix, []uint8{0, 1, 1, 0, 7, 255, 0, 0})
	for name, c := range map[string]struct {
		img   image.Image
		ids   []uint8
		count int // of the first
	}{
		"grey, 255 is nobody's":           {grey, []uint8{1, 7}, 2},
		"colours, 255 alone is an object": {colours, []uint8{255}, 1},
		"palette":                         {&image.Paletted{Pix: []uint8{0, 0, 2, 2, 2, 0, 0, 1}, Stride: 4, Rect: image.Rect(0, 0, 4, 2), Palette: palette()}, []uint8{1, 2}, 1},
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
		if got := l.IDs(); string(got) != string(c.ids) {
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

func FuzzDecodeInto(f *testing.F) {
	m := image.NewRGBA(image.Rect(0, 0, 5, 4))
	gradient(m)
	f.Add(pngOf(f, m))
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && cfg.Width*cfg.Height > 1<<20 {
			return // keep the fuzzer's memory small
		}
		dst := frame.New(2, 2)
		if DecodeInto(dst, bytes.NewReader(data)) == nil && (dst.Width%2 != 0 || dst.Height%2 != 0 || len(dst.Pix) != 3*dst.Width*dst.Height) {
			t.Fatalf("%dx%d", dst.Width, dst.Height)
		}
	})
}
