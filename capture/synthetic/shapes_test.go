package synthetic

import (
	"math"
	"testing"

	"github.com/segedge/segedge/testkit"
)

// covered is the sum of a shape's coverage, in pixels, and fails on a pixel outside its reach or out of range.
func covered(t *testing.T, s shape, p pose) float64 {
	t.Helper()
	rx, ry := s.reach(&p)
	row := make([]px, 400)
	sum := 0.0
	for y := range 400 {
		clear(row)
		s.span(&p, y, 0, row)
		for x, v := range row {
			if v.a < 0 || v.a > 1.0001 || v.b > top*v.a+0.01 || v.g > top*v.a+0.01 || v.r > top*v.a+0.01 || v.r < 0 {
				t.Fatalf("pixel %d,%d is %+v", x, y, v)
			}
			if v.a > 0 && (math.Abs(float64(x)+0.5-p.x) > rx*p.size+2 || math.Abs(float64(y)+0.5-p.y) > ry*p.size+2) {
				t.Fatalf("pixel %d,%d lies beyond the reach", x, y)
			}
			sum += float64(v.a)
		}
	}
	return sum
}

func posed(size, ax, ay, az float64) pose {
	sin, cos := math.Sincos(az)
	return pose{x: 200.3, y: 199.6, size: size, turn: turned(ax, ay, az), sin: float32(sin), cos: float32(cos)}
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got-want) > tolerance {
		t.Errorf("%s: %.4f, want %.4f ± %g", what, got, want, tolerance)
	}
}

func TestBallCoversItsDisc(t *testing.T) {
	testkit.Long(t)
	b := newBall(1)
	for _, r := range []float64{10, 57.3, 120} {
		got := covered(t, b, posed(r, 0.3, 1, 2))
		near(t, "ball", got/(math.Pi*r*r), 1, 0.01)
	}
}

// A convex body's shadow is the sum of its visible faces: for a cube of half side s, 4 s² times the sum of the cosines.
func TestBoxCoversItsProjection(t *testing.T) {
	testkit.Long(t)
	b := newBox(1, 32)
	for _, a := range [][3]float64{{0, 0, 0}, {0, 0, 0.5}, {0.4, 0, 0}, {0.5, 0.7, 0.2}, {2.1, -1, 3}, {math.Pi / 2, 0, 0}} {
		p := posed(60, a[0], a[1], a[2])
		cosines := 0.0
		for i := range 3 {
			cosines += math.Abs(float64(p.turn[3*i+2]))
		}
		near(t, "box", covered(t, b, p)/(4*60*60*cosines), 1, 0.01)
	}
}

func TestCarAndBirdStayInTheirReach(t *testing.T) {
	car, bird := newCar(1, 60), newBird(50)
	for _, az := range []float64{0, 0.2, -0.3} {
		if got := covered(t, car, posed(80, 0, 0, az)); got < 0.5*80*80 || got > 2*80*80 {
			t.Errorf("the car covers %.0f pixels", got)
		}
	}
	for i := range flaps {
		p := posed(80, 0, 0, 0)
		p.phase = float64(i) / flaps
		if got := covered(t, bird, p); got < 0.3*80*80 || got > 2*80*80 {
			t.Errorf("the bird covers %.0f pixels with its wings at %d", got, i)
		}
	}
}

func TestFlippedIsTheMirrorImage(t *testing.T) {
	car := newCar(1, 60)
	p := posed(80, 0, 0, 0)
	p.x, p.y = 200, 200
	q := p
	q.flip = true
	a, b := make([]px, 400), make([]px, 400)
	for y := 150; y < 215; y++ { // above the wheels, which turn
		car.span(&p, y, 0, a)
		car.span(&q, y, 0, b)
		for x := range a {
			if d := a[x].a - b[399-x].a; d > 0.01 || d < -0.01 {
				t.Fatalf("row %d: coverage %.2f at %d, %.2f in the mirror", y, a[x].a, x, b[399-x].a)
			}
		}
	}
}

// Turning a ball must carry its paint along: the colour at a place of the ball is the same wherever that place is seen.
func TestPaintTurnsWithTheBall(t *testing.T) {
	b := newBall(1)
	p, q := posed(100, 0, 0, 0), posed(100, 0, 0, 0.4)
	s, c := math.Sincos(0.4)
	for _, at := range [][2]float64{{0.3, 0.1}, {-0.5, 0.4}, {0.1, -0.7}, {0.62, 0.2}} {
		x, y := float32(at[0]), float32(at[1])
		z := float32(math.Sqrt(1 - float64(x*x+y*y)))
		tx, ty := float32(c)*x-float32(s)*y, float32(s)*x+float32(c)*y // clockwise, y being down
		u, v := b.colour(&p, x, y, z, 100), b.colour(&q, tx, ty, z, 100)
		if d := math.Abs(float64(u.r-v.r)) + math.Abs(float64(u.g-v.g)) + math.Abs(float64(u.b-v.b)); d > 3 {
			t.Errorf("at %v: %v turned to %v", at, u, v)
		}
	}
}

func TestRotationsAreOrthonormal(t *testing.T) {
	for _, a := range [][3]float64{{0, 0, 0}, {1, 2, 3}, {-0.4, 7, 0.1}} {
		m := turned(a[0], a[1], a[2])
		for i := range 3 {
			for j := range 3 {
				dot := 0.0
				for k := range 3 {
					dot += float64(m[3*i+k] * m[3*j+k])
				}
				want := 0.0
				if i == j {
					want = 1
				}
				near(t, "rows", dot, want, 1e-5)
			}
		}
	}
}

func TestLightComesFromAbove(t *testing.T) {
	up, _ := lit(0, -1, 0)
	down, shine := lit(0, 1, 0)
	if up <= down || shine != 0 {
		t.Errorf("light from above %.2f, from below %.2f with %.2f of shine", up, down, shine)
	}
	if _, shine := lit(halfX, halfY, halfZ); shine < 0.95 {
		t.Errorf("highlight %.2f where it should be full", shine)
	}
}

func TestFields(t *testing.T) {
	for name, c := range map[string]struct {
		f    field
		x, y float64
		want float64
	}{
		"disc, inside":     {disc(1, 0, 2), 1, 0, -2},
		"disc, outside":    {disc(0, 0, 1), 3, 4, 4},
		"slab, inside":     {slab(0, 0, 2, 1, 0), 0, 0, -1},
		"slab, beside":     {slab(0, 0, 2, 1, 0), 5, 0, 3},
		"slab, corner":     {slab(0, 0, 2, 1, 0), 5, 5, 5},
		"oval, edge":       {oval(0, 0, 2, 1, 0), 2, 0, 0},
		"oval, turned":     {oval(0, 0, 2, 1, math.Pi/2), 0, 2, 0},
		"oval, middle":     {oval(0, 0, 2, 1, 0), 0, 0, -1},
		"outline, inside":  {outline(0, [2]float64{0, 0}, [2]float64{4, 0}, [2]float64{4, 4}, [2]float64{0, 4}), 1, 2, -1},
		"outline, outside": {outline(0.5, [2]float64{0, 0}, [2]float64{4, 0}, [2]float64{4, 4}, [2]float64{0, 4}), -2, 2, 1.5},
		"union":            {union(disc(0, 0, 1), disc(5, 0, 1)), 5, 0, -1},
		"cut":              {cut(disc(0, 0, 2), disc(0, 0, 1)), 0, 0, 1},
		"rim":              {rim(disc(0, 0, 2), 0.5), 2, 0, -0.25},
	} {
		if got := c.f(c.x, c.y); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", name, got, c.want)
		}
	}
}

func TestSignsAreWholeOutlines(t *testing.T) {
	for name, f := range map[string]field{"star": star(0.6), "heart": heart(0.6)} {
		if f(0, 0.02) >= 0 || f(0.9, 0.9) <= 0 || math.Abs(f(0.3, 0.1)-f(-0.3, 0.1)) > 1e-9 {
			t.Errorf("%s is hollow, too large or crooked", name)
		}
	}
}

func TestCanvasPaintsAndSamples(t *testing.T) {
	c := newCanvas(1, 1, 50)
	c.paint(disc(0, 0, 0.5), plain(rgb{200, 100, 50}))
	sum := 0.0
	for _, p := range c.pix {
		sum += float64(p.a)
	}
	near(t, "painted area", sum/(50*50), math.Pi/4, 0.01)
	if p := c.at(0.1, -0.2); p != (px{50, 100, 200, 1}) {
		t.Errorf("inside: %+v", p)
	}
	for _, at := range [][2]float32{{0.8, 0}, {5, 0}, {-5, 0}, {0, 5}, {0, -5}} {
		if p := c.at(at[0], at[1]); p != (px{}) {
			t.Errorf("at %v: %+v", at, p)
		}
	}
	near(t, "on the edge", float64(c.at(0.5, 0).a), 0.5, 0.1)
}
