package opencv

import (
	"fmt"
	"testing"

	"github.com/segedge/segedge/video"
)

// smooth is a picture without hard edges, where it does not matter which pixel of four chroma is taken from.
func smooth(w, h int) []byte {
	bgr := make([]byte, 3*w*h)
	for i := range w * h {
		x, y := i%w, i/w
		bgr[3*i], bgr[3*i+1], bgr[3*i+2] = byte(x*200/w+20), byte(y*200/h+20), byte((x+y)*200/(w+h)+20)
	}
	return bgr
}

func TestSameAsThePureTwin(t *testing.T) {
	const w, h = 320, 180
	bgr := smooth(w, h)
	var a, b video.Picture
	a.Resize(w, h)
	b.Resize(w, h)
	if err := FromBGR(&a, bgr); err != nil {
		t.Fatal(err)
	}
	if err := video.FromBGR(&b, bgr); err != nil {
		t.Fatal(err)
	}
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); d < -2 || d > 2 {
			t.Fatalf("byte %d: OpenCV %d, pure Go %d", i, a.Pix[i], b.Pix[i])
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, size := range [][3]int{{3, 2, 18}, {2, 3, 18}, {0, 0, 0}, {4, 4, 47}} {
		p := video.Picture{Width: size[0], Height: size[1], Pix: make([]byte, max(0, size[0]*size[1]*3/2))}
		if FromBGR(&p, make([]byte, size[2])) == nil {
			t.Errorf("%v accepted", size)
		}
	}
}

func BenchmarkFromBGR(b *testing.B) {
	for _, size := range [][2]int{{854, 480}, {1280, 720}} {
		b.Run(fmt.Sprintf("%dp", size[1]), func(b *testing.B) {
			bgr := smooth(size[0], size[1])
			var p video.Picture
			p.Resize(size[0], size[1])
			b.ReportAllocs()
			for b.Loop() {
				_ = FromBGR(&p, bgr)
			}
		})
	}
}
