package frame

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// plainShrink is the definition: each new pixel is the mean of the area it covers.
func plainShrink(src *Frame, w, h int) []float64 {
	out := make([]float64, 3*w*h)
	sx, sy := float64(src.Width)/float64(w), float64(src.Height)/float64(h)
	for y := range h {
		for x := range w {
			for c := range 3 {
				sum := 0.0
				for j := int(float64(y) * sy); j < src.Height && float64(j) < float64(y+1)*sy; j++ {
					wy := math.Min(float64(j+1), float64(y+1)*sy) - math.Max(float64(j), float64(y)*sy)
					for i := int(float64(x) * sx); i < src.Width && float64(i) < float64(x+1)*sx; i++ {
						wx := math.Min(float64(i+1), float64(x+1)*sx) - math.Max(float64(i), float64(x)*sx)
						sum += wx * wy * float64(src.Pix[j*src.Stride()+3*i+c])
					}
				}
				out[3*(y*w+x)+c] = sum / (sx * sy)
			}
		}
	}
	return out
}

func noise(w, h int) *Frame {
	f := New(w, h)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range f.Pix {
		f.Pix[i] = byte(r.Uint32())
	}
	return f
}

func TestShrinkIsTheMeanOfTheArea(t *testing.T) {
	var s Shrinker
	for _, c := range []struct{ w, h, nw, nh int }{
		{64, 36, 16, 9}, {854, 480, 320, 180}, {50, 40, 49, 39}, {40, 30, 40, 10}, {30, 30, 30, 30}, {100, 10, 3, 1},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			src, dst := noise(c.w, c.h), New(1, 1)
			src.Seq = 7
			s.Shrink(dst, src, c.nw, c.nh)
			if dst.Seq != 7 || dst.Width != c.nw || dst.Height != c.nh {
				t.Fatalf("meta %+v", dst.Meta)
			}
			for i, want := range plainShrink(src, c.nw, c.nh) {
				if math.Abs(float64(dst.Pix[i])-want) > 1.5 {
					t.Fatalf("byte %d is %d, the area's mean %.2f", i, dst.Pix[i], want)
				}
			}
		})
	}
}

func TestShrinkKeepsFlatColours(t *testing.T) {
	var s Shrinker
	src, dst := New(100, 70), New(1, 1)
	for i := range src.Pix {
		src.Pix[i] = 255
	}
	s.Shrink(dst, src, 33, 17)
	for i, v := range dst.Pix {
		if v != 255 {
			t.Fatalf("byte %d of a white frame became %d", i, v)
		}
	}
}

func TestShrinkNeverEnlarges(t *testing.T) {
	var s Shrinker
	dst := New(1, 1)
	s.Shrink(dst, noise(10, 8), 100, 100)
	if dst.Width != 10 || dst.Height != 8 {
		t.Errorf("became %dx%d", dst.Width, dst.Height)
	}
}

func BenchmarkShrink720p(b *testing.B) {
	var s Shrinker
	src, dst := noise(1280, 720), New(320, 180)
	b.ReportAllocs()
	for b.Loop() {
		s.Shrink(dst, src, 320, 180)
	}
}

func BenchmarkShrink480p(b *testing.B) {
	var s Shrinker
	src, dst := noise(854, 480), New(320, 180)
	b.ReportAllocs()
	for b.Loop() {
		s.Shrink(dst, src, 320, 180)
	}
}

func TestShrinkPartIsTheShrunkPart(t *testing.T) {
	src := noise(64, 48)
	src.Seq = 7
	var s Shrinker
	for _, r := range []image.Rectangle{image.Rect(0, 0, 64, 48), image.Rect(10, 6, 42, 30), image.Rect(63, 47, 64, 48), image.Rect(3, 0, 64, 5)} {
		part := New(r.Dx(), r.Dy())
		for y := range r.Dy() {
			copy(part.Pix[y*part.Stride():][:part.Stride()], src.Pix[(r.Min.Y+y)*src.Stride()+3*r.Min.X:])
		}
		for _, size := range [][2]int{{r.Dx(), r.Dy()}, {max(1, r.Dx()/2), max(1, r.Dy()/3)}} {
			want, got := New(1, 1), New(1, 1)
			new(Shrinker).Shrink(want, part, size[0], size[1])
			s.ShrinkPart(got, src, r, size[0], size[1])
			if got.Seq != 7 || got.Width != want.Width || got.Height != want.Height || !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%v to %v differs from the same picture cut out first", r, size)
			}
		}
	}
}
