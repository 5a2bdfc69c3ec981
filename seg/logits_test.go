package seg

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

func randomLogits(r *rand.Rand, w, h int, extent Point) *Logits {
	l := &Logits{W: w, H: h, Extent: extent, Data: make([]float32, w*h)}
	for i := range l.Data {
		l.Data[i] = float32(r.NormFloat64() * 4)
	}
	return l
}

// at is the bilinear value of the logits under the centre of cell (x, y) of a grid of w×h, by the definition.
func (l *Logits) at(x, y, w, h int) float64 {
	u := min(max((float64(x)+0.5)/float64(w)*float64(l.W)/l.Extent.X-0.5, 0), float64(l.W-1))
	v := min(max((float64(y)+0.5)/float64(h)*float64(l.H)/l.Extent.Y-0.5, 0), float64(l.H-1))
	i, j := int(u), int(v)
	i1, j1 := min(i+1, l.W-1), min(j+1, l.H-1)
	mix := func(a, b float32, f float64) float64 { return float64(a) + (float64(b)-float64(a))*f }
	top := mix(l.Data[j*l.W+i], l.Data[j*l.W+i1], u-float64(i))
	bottom := mix(l.Data[j1*l.W+i], l.Data[j1*l.W+i1], u-float64(i))
	return top + (bottom-top)*(v-float64(j))
}

func TestCutIsTheBilinearSign(t *testing.T) {
	r := seeded()
	for range 300 {
		l := randomLogits(r, 1+r.IntN(9), 1+r.IntN(9), Point{1 + r.Float64(), 1 + r.Float64()})
		w, h, threshold := 1+r.IntN(40), 1+r.IntN(40), float32(r.IntN(3)-1)
		m := l.Cut(w, h, threshold)
		if m.W != w || m.H != h || m.Trim() != m {
			t.Fatalf("grid %dx%d stores %v", m.W, m.H, m.Rect)
		}
		for y := range h {
			for x := range w {
				d := l.at(x, y, w, h) - float64(threshold)
				if math.Abs(d) > 1e-4 && (d > 0) != (m.At(x, y) == 1) {
					t.Fatalf("%dx%d logits, extent %v, grid %dx%d, cell %d,%d: value %g above the threshold, mask %d",
						l.W, l.H, l.Extent, w, h, x, y, d, m.At(x, y))
				}
			}
		}
	}
}

func TestCutOfNothing(t *testing.T) {
	l := &Logits{W: 2, H: 2, Extent: Point{1, 1}, Data: []float32{-1, -1, 0, -1}}
	if m := l.Cut(8, 8, 0); !m.Rect.Empty() || m.W != 8 || m.H != 8 {
		t.Errorf("nothing lies above 0: %+v", m)
	}
	l.Data = []float32{5, 5, 5, 5}
	if m := l.Cut(0, 8, 0); !m.Rect.Empty() {
		t.Error("a grid without cells has no mask")
	}
	nan := float32(math.NaN())
	l.Data = []float32{nan, nan, nan, 5}
	if m := l.Cut(4, 4, 0); m.Count() != 1 || m.At(3, 3) != 1 {
		t.Errorf("what touches a NaN is outside:\n%s", text(m))
	}
}

func TestPaddingIsOutsideThePicture(t *testing.T) {
	l := &Logits{W: 4, H: 4, Extent: Point{2, 1}, Data: make([]float32, 16)}
	for i := range l.Data {
		l.Data[i] = -3
		if i%4 >= 2 {
			l.Data[i] = 9 // the padding
		}
	}
	if m := l.Cut(8, 8, 0); m.Box().X0 < 0.85 {
		t.Errorf("padding reaches into the picture: %v", m.Box())
	}
	if s := l.StabilityScore(1); s != 0 {
		t.Errorf("padding counts: stability %v", s)
	}
}

func TestStabilityScore(t *testing.T) {
	l := &Logits{W: 4, H: 1, Extent: Point{1, 1}, Data: []float32{2, 2, 0.5, -0.5}}
	if s := l.StabilityScore(1); s != 0.5 {
		t.Errorf("2 of 4 cells hold at +1: %v", s)
	}
	l.Data = []float32{9, -9, -9, -9}
	if s := l.StabilityScore(1); s != 1 {
		t.Errorf("nothing depends on the threshold: %v", s)
	}
}

func TestFinite(t *testing.T) {
	l := &Logits{W: 2, H: 1, Data: []float32{1, -1}}
	if !l.Finite() {
		t.Error("finite")
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		l.Data[1] = float32(v)
		if l.Finite() {
			t.Errorf("%v is not finite", v)
		}
	}
}

// TestLogitsOfCoverage compares each logit with the share of its cell that the mask covers, sampled finely.
func TestLogitsOfCoverage(t *testing.T) {
	r := seeded()
	const n = 64
	for range 60 {
		m := noise(r, 1+r.IntN(12), 1+r.IntN(12), 0.4)
		w, h, extent := 1+r.IntN(12), 1+r.IntN(12), Point{1 + r.Float64(), 1 + r.Float64()}
		l := LogitsOf(m, w, h, extent, 8)
		for j := range h {
			for i := range w {
				set := 0
				for s := range n * n {
					x := (float64(i) + (float64(s%n)+0.5)/n) / float64(w) * extent.X * float64(m.W)
					y := (float64(j) + (float64(s/n)+0.5)/n) / float64(h) * extent.Y * float64(m.H)
					set += int(m.At(int(x), int(y)))
				}
				want := 8 * (2*float64(set)/(n*n) - 1)
				if got := float64(l.Data[j*w+i]); math.Abs(got-want) > 1 {
					t.Fatalf("cell %d,%d of %dx%d, extent %v: %g, want %g for\n%s", i, j, w, h, extent, got, want, text(m))
				}
			}
		}
	}
}

func TestLogitsOfThenCutGivesTheMaskBack(t *testing.T) {
	for _, extent := range []Point{{1, 1}, {1, 1.7}} {
		m := disc(200, 120, Point{0.4, 0.6}, 0.25, 0.3)
		if iou := LogitsOf(m, 80, 80, extent, 8).Cut(200, 120, 0).IoU(m); iou < 0.98 {
			t.Errorf("extent %v: IoU %v with what went in", extent, iou)
		}
	}
	if l := LogitsOf(&Mask{W: 4, H: 4}, 2, 2, Point{1, 1}, 8); l.positive(-8) != (image.Rectangle{}) {
		t.Error("the logits of an empty mask are all negative")
	}
}

func BenchmarkCut(b *testing.B) {
	for name, size := range map[string][2]int{"480p": {854, 480}, "720p": {1280, 720}} {
		l := LogitsOf(disc(320, 180, Point{0.5, 0.5}, 0.2, 0.35), 80, 45, Point{1, 1}, 8)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l.Cut(size[0], size[1], 0)
			}
		})
	}
}

func BenchmarkLogitsOf(b *testing.B) {
	m := disc(854, 480, Point{0.5, 0.5}, 0.2, 0.35)
	b.ReportAllocs()
	for b.Loop() {
		LogitsOf(m, 80, 45, Point{1, 1}, 8)
	}
}

// A grid over a part of the frame cuts to the same mask as one over the whole, where it speaks.
func TestLogitsOfAPart(t *testing.T) {
	m := disc(320, 180, Point{0.5, 0.4}, 0.1, 0.1)
	l := LogitsOn(m, 60, 60, Point{0.3, 0.1}, Point{0.4, 0.6}, 8)
	if iou := l.Cut(320, 180, Threshold).IoU(m); iou < 0.98 {
		t.Errorf("IoU %.3f", iou)
	}
	if b, want := l.Box(Threshold), m.Box(); math.Abs(b.X0-want.X0) > 0.01 || math.Abs(b.Y1-want.Y1) > 0.01 {
		t.Errorf("box %v, want %v", b, want)
	}
	half := LogitsOn(m, 60, 60, Point{0.5, 0}, Point{0.5, 1}, 8)
	got := half.Cut(320, 180, Threshold)
	if r := got.Rect; r.Min.X < 160 || got.Count() < m.Count()*4/10 || got.Count() > m.Count()*6/10 {
		t.Errorf("the right half has %d of %d cells, from column %d on", got.Count(), m.Count(), r.Min.X)
	}
	if c := half.Covered(320, 180); c != image.Rect(160, 0, 320, 180) {
		t.Errorf("it speaks of %v", c)
	}
	if b := LogitsOn(&Mask{W: 320, H: 180}, 8, 8, Point{}, Point{1, 1}, 8).Box(Threshold); !b.Empty() {
		t.Errorf("an empty mask has the box %v", b)
	}
}
