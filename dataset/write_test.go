package dataset

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
)

// full is a writer that takes n bytes and then no more.
type full struct{ n int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWritersSayThatTheDiskIsFull(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"jpeg":   func(w io.Writer) error { return EncodeJPEG(w, plain(64, 64, 9), 90) },
		"labels": func(w io.Writer) error { return labelsWith(8, 6).Encode(w) },
		"coco":   func(w io.Writer) error { return writeCOCO(w, &COCO{}) },
		"sa-1b":  func(w io.Writer) error { return writeSA1B(w, &SA1B{}) },
	} {
		if err := write(&full{}); !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteDAVISFailsWhereItCannotWrite(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "JPEGImages"), []byte("a file where a folder belongs"))
	if err := WriteDAVIS(dir, "walk", 0, plain(4, 4, 9), nil); err == nil || !strings.Contains(err.Error(), "JPEGImages") {
		t.Errorf("%v", err)
	}
	dir = t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "Annotations", "480p", "walk", "00002.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteDAVIS(dir, "walk", 2, plain(4, 4, 9), labelsWith(4, 4)); err == nil || !strings.Contains(err.Error(), "00002.png") {
		t.Errorf("%v", err)
	}
	if !isFile(filepath.Join(dir, "JPEGImages", "480p", "walk", "00002.jpg")) {
		t.Error("the picture was not written before its labels")
	}
}

// TestPaletteIsPascals compares with the colours that VOCcolormap gives (PASCAL VOC development kit; DAVIS uses it).
func TestPaletteIsPascals(t *testing.T) {
	p := palette()
	for label, want := range map[int]color.RGBA{
		0: {0, 0, 0, 255}, 1: {128, 0, 0, 255}, 2: {0, 128, 0, 255}, 3: {128, 128, 0, 255}, 4: {0, 0, 128, 255}, 7: {128, 128, 128, 255},
		8: {64, 0, 0, 255}, 15: {192, 128, 128, 255}, 20: {0, 64, 128, 255}, 255: {224, 224, 192, 255},
	} {
		if p[label] != want {
			t.Errorf("label %d is %v, want %v", label, p[label], want)
		}
	}
}

// TestPicturesComeBackAsTheyWent writes noise as JPEG of the best quality, whose error is bounded.
func TestPicturesComeBackAsTheyWent(t *testing.T) {
	f := frame.New(32, 16)
	for i := range f.Pix {
		f.Pix[i] = byte(i / 3 % 32 * 7)
	}
	var b bytes.Buffer
	if err := EncodeJPEG(&b, f, 100); err != nil {
		t.Fatal(err)
	}
	got := frame.New(2, 2)
	if err := picture.Decode(got, &b); err != nil || got.Width != 32 || got.Height != 16 {
		t.Fatalf("%dx%d, %v", got.Width, got.Height, err)
	}
	for i, v := range f.Pix {
		if d := int(v) - int(got.Pix[i]); d < -6 || d > 6 {
			t.Fatalf("byte %d came back as %d, not %d", i, got.Pix[i], v)
		}
	}
}

// TestFillPolygonsIsThePlainRule compares with asking for each cell's centre whether it lies inside, by the even-odd rule.
func TestFillPolygonsIsThePlainRule(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	const w, h = 23, 17
	for i := range 80 {
		var polygons [][]float64
		for range 1 + r.IntN(3) {
			var p []float64
			for range 3 + r.IntN(5) { // they cross themselves, and the border
				p = append(p, r.Float64()*w*1.4-w*0.2, r.Float64()*h*1.4-h*0.2)
			}
			polygons = append(polygons, p)
		}
		got, err := fillPolygons(polygons, w, h)
		if err != nil {
			t.Fatal(err)
		}
		for y := range h {
			for x := range w {
				want := uint8(0)
				for _, p := range polygons {
					if inside(p, float64(x)+0.5, float64(y)+0.5) {
						want = 1
					}
				}
				if got.At(x, y) != want {
					t.Fatalf("case %d: cell %d,%d is %d, want %d, of %v", i, x, y, got.At(x, y), want, polygons)
				}
			}
		}
	}
}

// inside counts the edges that a ray to the left of the point crosses.
func inside(p []float64, x, y float64) bool {
	odd := false
	for i := 0; i < len(p); i += 2 {
		j := (i + 2) % len(p)
		if (p[i+1] > y) != (p[j+1] > y) && p[i]+(y-p[i+1])/(p[j+1]-p[i+1])*(p[j]-p[i]) <= x {
			odd = !odd
		}
	}
	return odd
}

func TestCropMask(t *testing.T) {
	m := block(9, 7, image.Rect(6, 4, 9, 7))
	if got := ontoFrame(m, plain(8, 6, 0), picture.Upright); got.W != 8 || got.H != 6 || got.Rect != image.Rect(6, 4, 8, 6) || got.Count() != 4 {
		t.Errorf("%+v", got)
	}
	if ontoFrame(m, plain(9, 7, 0), picture.Upright) != m {
		t.Error("a mask of the right size was copied")
	}
	if got := ontoFrame(block(9, 7, image.Rect(8, 0, 9, 7)), plain(8, 6, 0), picture.Upright); !got.Rect.Empty() {
		t.Errorf("nothing is left, but %v", got.Rect)
	}
}

func TestCeilIsBounded(t *testing.T) {
	for _, c := range []struct {
		v     float64
		limit int
		want  int
	}{{-3, 9, 0}, {0.2, 9, 1}, {8.9, 9, 9}, {1e300, 9, 9}, {math.Inf(1), 9, 9}, {math.Inf(-1), 9, 0}} {
		if got := ceil(c.v, c.limit); got != c.want {
			t.Errorf("%v: %d, want %d", c.v, got, c.want)
		}
	}
}
