package lk

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/tracker/motion"
)

func noise(w, h int, seed uint64) *motion.Gray {
	r := rand.New(rand.NewPCG(seed, 2))
	g := &motion.Gray{W: w, H: h, Pix: make([]byte, w*h)}
	for i := range g.Pix {
		g.Pix[i] = byte(r.IntN(256))
	}
	return g
}

// repeated is a pixel of a picture whose edges go on for ever.
func repeated(g *motion.Gray, x, y int) float64 {
	return float64(g.Pix[min(max(y, 0), g.H-1)*g.W+min(max(x, 0), g.W-1)])
}

// sobel is the eightfold slope at a pixel.
func sobel(g *motion.Gray, x, y int) (gx, gy float64) {
	for _, k := range [3][2]int{{-1, 1}, {0, 2}, {1, 1}} {
		i, weight := k[0], float64(k[1])
		gx += weight * (repeated(g, x+1, y+i) - repeated(g, x-1, y+i))
		gy += weight * (repeated(g, x+i, y+1) - repeated(g, x+i, y-1))
	}
	return gx, gy
}

// plainStep is the Newton step by the book: the interpolated difference, pixel by pixel, in floating point.
func plainStep(a, b *motion.Gray, radius, x, y int, dx, dy float64) (sx, sy, least float64) {
	var hxx, hxy, hyy, ex, ey float64
	cx, cy := math.Floor(dx), math.Floor(dy)
	fx, fy := dx-cx, dy-cy
	for v := y - radius; v <= y+radius; v++ {
		for u := x - radius; u <= x+radius; u++ {
			p, q := u+int(cx), v+int(cy)
			there := (1-fx)*(1-fy)*repeated(b, p, q) + fx*(1-fy)*repeated(b, p+1, q) +
				(1-fx)*fy*repeated(b, p, q+1) + fx*fy*repeated(b, p+1, q+1)
			gx, gy := sobel(a, u, v)
			gx, gy = gx/8, gy/8
			e := there - repeated(a, u, v)
			hxx, hxy, hyy, ex, ey = hxx+gx*gx, hxy+gx*gy, hyy+gy*gy, ex+gx*e, ey+gy*e
		}
	}
	det := hxx*hyy - hxy*hxy
	side := float64(2*radius + 1)
	least = (hxx + hyy - math.Hypot(hxx-hyy, 2*hxy)) / 2 / (side * side)
	return (hyy*ex - hxy*ey) / det, (hxx*ey - hxy*ex) / det, least
}

// The packed sums are exact: whatever the picture, at whatever edge, a step is the one by the book.
func TestStepIsTheOneByTheBook(t *testing.T) {
	ga, gb := noise(40, 30, 1), noise(40, 30, 2)
	for i := range 60 { // the largest slopes that there are
		ga.Pix[i*20] = byte(255 * (i % 2))
	}
	for _, radius := range []int{1, 5, 6, maxRadius} {
		var a, b pyramid
		one := &Tuning{Radius: radius, LeastSide: 1 << 20}
		a.build(one, ga)
		b.build(one, gb)
		w := newWindow(radius)
		r := rand.New(rand.NewPCG(uint64(radius), 3))
		for range 300 {
			x, y := r.IntN(ga.W), r.IntN(ga.H)
			dx, dy := 12*r.Float64()-6, 12*r.Float64()-6
			w.take(&a.levels[0], x, y)
			cx, cy := floor(float32(dx)), floor(float32(dy))
			if inside := x+cx >= 0 && y+cy >= 0 && x+cx < ga.W && y+cy < ga.H; w.compare(&b.levels[0], x+cx, y+cy) != inside {
				t.Fatalf("radius %d at %d,%d by %.1f,%.1f: inside is %v", radius, x, y, dx, dy, inside)
			} else if !inside {
				continue
			}
			sx, sy := w.step(float32(dx-float64(cx)), float32(dy-float64(cy)))
			wx, wy, least := plainStep(ga, gb, radius, x, y, dx, dy)
			if math.Hypot(float64(sx)-wx, float64(sy)-wy) > 1e-3*(1+math.Hypot(wx, wy)) {
				t.Fatalf("radius %d at %d,%d by %.1f,%.1f: step %v,%v, by the book %v,%v", radius, x, y, dx, dy, sx, sy, wx, wy)
			}
			if math.Abs(float64(w.least())-least) > 1e-3*(1+least) {
				t.Fatalf("radius %d at %d,%d: least eigenvalue %v, by the book %v", radius, x, y, w.least(), least)
			}
		}
	}
}

func TestPyramidHalvesAndRepeatsItsEdges(t *testing.T) {
	g := noise(61, 49, 3)
	var p pyramid
	p.build(&Tuning{Radius: 3, LeastSide: Defaults().LeastSide}, g)
	if len(p.levels) != 2 {
		t.Fatalf("%d levels of a picture of 61×49", len(p.levels))
	}
	half := &p.levels[1]
	if half.w != 31 || half.h != 25 {
		t.Fatalf("half of 61×49 is %d×%d", half.w, half.h)
	}
	for y := range half.h {
		for x, got := range half.row(y) {
			sum := 8.0
			for i, wy := range []float64{1, 2, 1} {
				for j, wx := range []float64{1, 2, 1} {
					sum += wy * wx * repeated(g, 2*x+j-1, 2*y+i-1)
				}
			}
			if want := byte(int(sum) >> 4); got != want {
				t.Fatalf("half at %d,%d is %d, want %d", x, y, got, want)
			}
		}
	}
	for l := range p.levels {
		q := &p.levels[l]
		for y := -q.pad; y < q.h+q.pad; y++ {
			for x := -q.pad; x < q.w+q.pad; x++ {
				if q.pix[q.at(x, y)] != q.row(min(max(y, 0), q.h-1))[min(max(x, 0), q.w-1)] {
					t.Fatalf("level %d does not repeat its edge at %d,%d", l, x, y)
				}
			}
		}
	}
}

func TestPointsAnywhereAreSafe(t *testing.T) {
	f := New(Options{})
	a, b := noise(70, 50, 5), noise(70, 50, 6)
	pts := []motion.Pixel{{X: -100, Y: -100}, {X: -0.4, Y: 20}, {X: 69.4, Y: 49.4}, {X: 1e4, Y: 3}, {X: 30, Y: 1e6}, {X: 35, Y: 25}}
	dst := make([]motion.Vector, len(pts))
	if err := f.Step(a, b, pts, dst); err != nil {
		t.Fatal(err)
	}
	for i, v := range dst {
		if v.OK && (math.IsNaN(float64(v.D.X)) || math.Abs(float64(v.D.X)) > 140 || math.Abs(float64(v.D.Y)) > 100) {
			t.Errorf("point %v moves by %v", pts[i], v.D)
		}
	}
}

func TestAStepAllocatesNothing(t *testing.T) {
	f := New(Options{})
	pics := []*motion.Gray{noise(160, 120, 1), noise(160, 120, 2)}
	pts := grid(160, 120, 10)
	dst := make([]motion.Vector, len(pts))
	seq := uint64(1)
	step := func() {
		a, b := pics[seq%2], pics[(seq+1)%2]
		a.Stamp, b.Stamp = seq, seq+1
		seq++
		if err := f.Step(a, b, pts, dst); err != nil {
			t.Fatal(err)
		}
	}
	step()
	step()
	if got := testing.AllocsPerRun(50, step); got >= 1 {
		t.Errorf("a step allocates %v times", got)
	}
}
