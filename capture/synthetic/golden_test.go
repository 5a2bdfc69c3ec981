package synthetic

import (
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/testkit"
)

var update = flag.Bool("update", false, "write the golden pictures anew")

// The picture is compared with a tolerance: an architecture that fuses multiplications may round differently.
func TestGoldenPicture(t *testing.T) {
	testkit.Long(t)
	s, err := New(Options{Width: 256, Height: 144, Noise: -1})
	if err != nil {
		t.Fatal(err)
	}
	f := frame.New(2, 2)
	s.Render(75, f)
	path := filepath.Join("testdata", "default-75.png")
	if *update {
		writePNG(t, path, f)
	}
	want := readPNG(t, path)
	sum := 0
	for y := range f.Height {
		for x := range f.Width {
			r, g, b, _ := want.At(x, y).RGBA()
			i := y*f.Stride() + 3*x
			for c, v := range []uint32{b, g, r} {
				d := int(f.Pix[i+c]) - int(v>>8)
				sum += max(d, -d)
			}
		}
	}
	if mean := float64(sum) / float64(len(f.Pix)); mean > 0.05 {
		t.Errorf("%s: differs by %.3f grey levels on average; look at it, and run the test with -update if it should", path, mean)
	}
}

func writePNG(t *testing.T, path string, f *frame.Frame) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, f.Width, f.Height))
	for i := range f.Width * f.Height {
		img.SetNRGBA(i%f.Width, i/f.Width, color.NRGBA{R: f.Pix[3*i+2], G: f.Pix[3*i+1], B: f.Pix[3*i], A: 255})
	}
	w, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := png.Encode(w, img); err != nil {
		t.Fatal(err)
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	img, err := png.Decode(r)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
