package video

import (
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
)

func TestFromBGRIsBT601(t *testing.T) {
	for name, c := range map[string]struct {
		bgr     [3]byte
		y, u, v float64 // BT.601, limited range
	}{
		"black": {[3]byte{0, 0, 0}, 16, 128, 128}, "white": {[3]byte{255, 255, 255}, 235, 128, 128},
		"red": {[3]byte{0, 0, 255}, 81, 90, 240}, "green": {[3]byte{0, 255, 0}, 145, 54, 34}, "blue": {[3]byte{255, 0, 0}, 41, 240, 110},
	} {
		var p Picture
		p.Resize(4, 2)
		bgr := make([]byte, 24)
		for i := range bgr {
			bgr[i] = c.bgr[i%3]
		}
		if err := FromBGR(&p, bgr); err != nil {
			t.Fatal(err)
		}
		y, u, v := p.Planes()
		if len(y) != 8 || len(u) != 2 || len(v) != 2 {
			t.Fatalf("planes of %d, %d, %d", len(y), len(u), len(v))
		}
		for i, want := range []float64{c.y, c.u, c.v} {
			for _, got := range [][]byte{y, u, v}[i] {
				if math.Abs(float64(got)-want) > 1.5 {
					t.Errorf("%s: plane %d is %d, want %.0f", name, i, got, want)
				}
			}
		}
	}
}

// TestFromBGRComesBack converts a smooth picture there and back: the colours of every place survive.
func TestFromBGRComesBack(t *testing.T) {
	const w, h = 64, 32
	bgr := make([]byte, 3*w*h)
	for i := range w * h {
		x, y := i%w, i/w
		bgr[3*i], bgr[3*i+1], bgr[3*i+2] = byte(4*x), byte(255-8*y/2), byte(2*x+3*y)
	}
	var p Picture
	p.Resize(w, h)
	if err := FromBGR(&p, bgr); err != nil {
		t.Fatal(err)
	}
	y, u, v := p.Planes()
	for i := range w * h {
		c := i / w / 2 * (w / 2)
		c += i % w / 2
		full := func(n byte) uint8 { return uint8(min(max((float64(n)-16)*255/219, 0), 255)) }
		chroma := func(n byte) uint8 { return uint8(min(max((float64(n)-128)*255/224+128, 0), 255)) }
		r, g, b := color.YCbCrToRGB(full(y[i]), chroma(u[c]), chroma(v[c]))
		for k, d := range []int{int(b) - int(bgr[3*i]), int(g) - int(bgr[3*i+1]), int(r) - int(bgr[3*i+2])} {
			if d < -10 || d > 10 {
				t.Fatalf("pixel %d channel %d is off by %d", i, k, d)
			}
		}
	}
}

func TestFromBGRRefuses(t *testing.T) {
	for _, size := range [][3]int{{3, 2, 18}, {2, 3, 18}, {0, 0, 0}, {4, 4, 47}} {
		p := Picture{Width: size[0], Height: size[1], Pix: make([]byte, 64)}
		if FromBGR(&p, make([]byte, size[2])) == nil {
			t.Errorf("%v accepted", size)
		}
	}
}

func TestPictureKeepsItsBuffer(t *testing.T) {
	var p Picture
	p.Resize(8, 8)
	first := &p.Pix[0]
	p.Resize(4, 4)
	if &p.Pix[0] != first || len(p.Pix) != 24 {
		t.Error("a smaller picture must reuse the buffer")
	}
}

func BenchmarkFromBGR(b *testing.B) {
	for _, h := range []int{480, 720} {
		b.Run(map[int]string{480: "480p", 720: "720p"}[h], func(b *testing.B) {
			w := map[int]int{480: 854, 720: 1280}[h]
			bgr := make([]byte, 3*w*h)
			for i := range bgr {
				bgr[i] = byte(rand.Uint32())
			}
			var p Picture
			p.Resize(w, h)
			b.ReportAllocs()
			for b.Loop() {
				_ = FromBGR(&p, bgr)
			}
		})
	}
}
