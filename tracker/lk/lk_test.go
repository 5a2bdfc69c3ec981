package lk

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/tracker/motion"
)

// texture is a smooth random picture that is defined everywhere, so that it can be moved by any amount.
type texture struct{ waves [24][4]float64 }

func newTexture(seed uint64) *texture {
	r := rand.New(rand.NewPCG(seed, 1))
	t := &texture{}
	for i := range t.waves {
		f, a := 0.02+0.5*r.Float64(), 2*math.Pi*r.Float64()
		t.waves[i] = [4]float64{f * math.Cos(a), f * math.Sin(a), 2 * math.Pi * r.Float64(), 1 / (0.1 + 4*f)}
	}
	return t
}

func (t *texture) at(x, y float64) float64 {
	s := 128.0
	for _, w := range t.waves {
		s += 8 * w[3] * math.Sin(w[0]*x+w[1]*y+w[2])
	}
	return min(max(s, 0), 255)
}

func (t *texture) picture(w, h int, dx, dy float64) *motion.Gray {
	g := &motion.Gray{W: w, H: h, Pix: make([]byte, w*h)}
	for y := range h {
		for x := range w {
			g.Pix[y*w+x] = byte(math.Round(t.at(float64(x)-dx, float64(y)-dy)))
		}
	}
	return g
}

func grid(w, h, step int) (pts []motion.Pixel) {
	for y := step / 2; y < h; y += step {
		for x := step / 2; x < w; x += step {
			pts = append(pts, motion.Pixel{X: float32(x), Y: float32(y)})
		}
	}
	return pts
}

func TestFlowFindsShifts(t *testing.T) {
	tex, f := newTexture(3), New(Options{})
	prev := tex.picture(240, 160, 0, 0)
	pts := grid(240, 160, 12)
	dst := make([]motion.Vector, len(pts))
	for _, d := range [][2]float64{{0, 0}, {0.4, -0.3}, {3.5, 2.25}, {-9, 7}} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			if err := f.Step(prev, tex.picture(240, 160, d[0], d[1]), pts, dst); err != nil {
				t.Fatal(err)
			}
			inside, good := 0, 0
			for i, p := range pts {
				x, y := float64(p.X)+d[0], float64(p.Y)+d[1]
				if x < 0 || y < 0 || x >= 240 || y >= 160 {
					if dst[i].OK && math.Hypot(float64(dst[i].D.X)-d[0], float64(dst[i].D.Y)-d[1]) > 2 {
						t.Logf("point %v outside answered %+v", p, dst[i])
					}
					continue
				}
				inside++
				if dst[i].OK && math.Hypot(float64(dst[i].D.X)-d[0], float64(dst[i].D.Y)-d[1]) < 0.2 {
					good++
				}
			}
			if good < inside*85/100 {
				t.Errorf("%d of %d points found", good, inside)
			}
		})
	}
}

func TestFlowRefusesWhatItCannotKnow(t *testing.T) {
	f := New(Options{})
	flat := &motion.Gray{W: 64, H: 48, Pix: make([]byte, 64*48)}
	pts := grid(64, 48, 8)
	dst := make([]motion.Vector, len(pts))
	if err := f.Step(flat, flat, pts, dst); err != nil {
		t.Fatal(err)
	}
	for i, v := range dst {
		if v.OK {
			t.Fatalf("point %v of a flat picture is OK", pts[i])
		}
	}
	if f.Step(flat, &motion.Gray{W: 2, H: 2, Pix: make([]byte, 4)}, pts, dst) == nil {
		t.Error("pictures of two sizes are accepted")
	}
	if f.Step(flat, flat, pts, dst[:1]) == nil {
		t.Error("too short a result is accepted")
	}
	unrelated := New(Options{})
	ok := 0
	one, other, pts := newTexture(1).picture(160, 120, 0, 0), newTexture(2).picture(160, 120, 0, 0), grid(160, 120, 8)
	_ = unrelated.Step(one, other, pts, dst[:0])
	dst = make([]motion.Vector, len(pts))
	if err := unrelated.Step(one, other, pts, dst); err != nil {
		t.Fatal(err)
	}
	for _, v := range dst {
		if v.OK {
			ok++
		}
	}
	if ok > len(dst)/3 {
		t.Errorf("%d of %d points follow between unrelated pictures", ok, len(dst))
	}
}

func TestStampsSaveOnlyWork(t *testing.T) {
	tex := newTexture(5)
	pts := grid(160, 120, 10)
	kept, fresh := New(Options{}), New(Options{})
	a, b := make([]motion.Vector, len(pts)), make([]motion.Vector, len(pts))
	for i := range 5 {
		prev, next := tex.picture(160, 120, float64(2*i), 0), tex.picture(160, 120, float64(2*i+2), 0)
		prev.Stamp, next.Stamp = uint64(i+1), uint64(i+2)
		if err := kept.Step(prev, next, pts, a); err != nil {
			t.Fatal(err)
		}
		prev.Stamp, next.Stamp = 0, 0
		if err := fresh.Step(prev, next, pts, b); err != nil {
			t.Fatal(err)
		}
		for j := range a {
			if a[j] != b[j] {
				t.Fatalf("step %d, point %v: %+v with stamps, %+v without", i, pts[j], a[j], b[j])
			}
		}
	}
}

func BenchmarkStep(b *testing.B) {
	tex, f := newTexture(3), New(Options{})
	pics := []*motion.Gray{tex.picture(384, 216, 0, 0), tex.picture(384, 216, 3, 2)}
	for _, n := range []int{14, 10, 8} {
		pts := grid(384, 216, n)
		dst := make([]motion.Vector, len(pts))
		b.Run(fmt.Sprintf("points=%d", len(pts)), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				pics[i%2].Stamp, pics[(i+1)%2].Stamp = uint64(i+1), uint64(i+2)
				if err := f.Step(pics[i%2], pics[(i+1)%2], pts, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A tuning that is given is copied and held to what the sums can take; without one the defaults hold.
func TestATuningIsGivenOrTheDefaults(t *testing.T) {
	k := Defaults()
	k.Radius, k.MaxFB = 99, 0.25
	f := New(Options{Tuning: &k, Workers: 1})
	k.MaxFB = 7
	if f.tuning.Radius != maxRadius || f.work[0].maxFB != 0.25 || f.work[0].fine.radius != maxRadius || len(f.work) != 1 {
		t.Errorf("it searches by %+v", f.tuning)
	}
	if plain := New(Options{}); plain.tuning != Defaults() {
		t.Errorf("without one it searches by %+v", plain.tuning)
	}
}
