package e2e

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// still makes a folder of images that hardly change: a red square on a green ground with some texture, so that motion can be measured.
// There are as many as a test may last; the source does not loop.
func still(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	first := filepath.Join(dir, "img_0000.png")
	img := image.NewRGBA(image.Rect(0, 0, 640, 360))
	for y := range 360 {
		for x := range 640 {
			n := uint8((x/7*31 + y/5*17) % 13)
			c := color.RGBA{60 + n, 104 + n, 60 + n, 255}
			if x >= 240 && x < 400 && y >= 100 && y < 260 {
				c = color.RGBA{190 + n, 30 + n, 30 + n, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	f, err := os.Create(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < 4000; i++ { // more than two minutes at 30 frames a second
		if err := os.Link(first, filepath.Join(dir, "img_"+digits(i)+".png")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func digits(i int) string {
	return string([]byte{byte('0' + i/1000%10), byte('0' + i/100%10), byte('0' + i/10%10), byte('0' + i%10)})
}
