package flow

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/tracker/motion"
)

// picture is smooth noise moved by (dx, dy) pixels.
func picture(w, h int, dx, dy float64) *motion.Gray {
	r := rand.New(rand.NewPCG(4, 4))
	var waves [20][4]float64
	for i := range waves {
		f, a := 0.03+0.4*r.Float64(), 2*math.Pi*r.Float64()
		waves[i] = [4]float64{f * math.Cos(a), f * math.Sin(a), 2 * math.Pi * r.Float64(), 6 / (0.2 + 3*f)}
	}
	g := &motion.Gray{W: w, H: h, Pix: make([]byte, w*h)}
	for y := range h {
		for x := range w {
			v := 128.0
			for _, k := range waves {
				v += k[3] * math.Sin(k[0]*(float64(x)-dx)+k[1]*(float64(y)-dy)+k[2])
			}
			g.Pix[y*w+x] = byte(min(max(v, 0), 255))
		}
	}
	return g
}

func points(w, h int) (pts []motion.Pixel) {
	for y := 20; y < h-20; y += 16 {
		for x := 20; x < w-20; x += 16 {
			pts = append(pts, motion.Pixel{X: float32(x), Y: float32(y)})
		}
	}
	return pts
}

func TestFlowFindsAShiftAndKeepsItsMemory(t *testing.T) {
	f := New(Options{})
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	pts := points(240, 160)
	dst := make([]motion.Vector, len(pts))
	for n := range 4 {
		prev, next := picture(240, 160, 3*float64(n), float64(n)), picture(240, 160, 3*float64(n+1), float64(n+1))
		prev.Stamp, next.Stamp = uint64(n+1), uint64(n+2)
		if err := f.Step(prev, next, pts, dst); err != nil {
			t.Fatal(err)
		}
		good := 0
		for _, v := range dst {
			if v.OK && math.Hypot(float64(v.D.X)-3, float64(v.D.Y)-1) < 0.3 {
				good++
			}
		}
		if good < len(pts)*9/10 {
			t.Errorf("step %d: %d of %d points found", n, good, len(pts))
		}
	}
	if got := testing.AllocsPerRun(10, func() { _ = f.Step(picture0, picture0, pts, dst) }); got > 2 {
		t.Errorf("a step allocates %v times", got)
	}
}

var picture0 = picture(240, 160, 0, 0)

func TestFlowRefusesWhatDoesNotMatch(t *testing.T) {
	f := New(Options{})
	defer func() { _ = f.Close() }()
	pts := points(240, 160)
	if f.Step(picture0, picture(120, 80, 0, 0), pts, make([]motion.Vector, len(pts))) == nil {
		t.Error("two sizes are accepted")
	}
	if f.Step(picture0, picture0, pts, nil) == nil {
		t.Error("no place for the answers is accepted")
	}
	if err := f.Step(picture0, picture0, nil, nil); err != nil {
		t.Errorf("no points at all: %v", err)
	}
}

func BenchmarkStep(b *testing.B) {
	f := New(Options{})
	defer func() { _ = f.Close() }()
	pics := []*motion.Gray{picture(384, 216, 0, 0), picture(384, 216, 2, 1)}
	var pts []motion.Pixel
	for y := 5; y < 216; y += 10 {
		for x := 5; x < 384; x += 10 {
			pts = append(pts, motion.Pixel{X: float32(x), Y: float32(y)})
		}
	}
	dst := make([]motion.Vector, len(pts))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		pics[i%2].Stamp, pics[(i+1)%2].Stamp = uint64(i+1), uint64(i+2)
		if err := f.Step(pics[i%2], pics[(i+1)%2], pts, dst); err != nil {
			b.Fatal(err)
		}
	}
}
