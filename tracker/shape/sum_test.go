package shape

import (
	"image"
	"math"
	"testing"

	"github.com/segedge/segedge/seg"
)

var grid = image.Rect(0, 0, 60, 40)

func (s *Sum) at(x, y int) float32 { return s.Row(y)[x-s.Rect().Min.X] }

func TestASumAddsWhatAMapSaysWhereItSpeaks(t *testing.T) {
	l := seg.LogitsOn(rect(60, 40, image.Rect(20, 10, 40, 30)), 20, 20, seg.Point{X: 0.25, Y: 0}, seg.Point{X: 0.5, Y: 1}, 5)
	var s Sum
	s.Reset(60, 40, grid)
	s.AddMap(l, 0.5, 3)
	for _, c := range []struct {
		what string
		x, y int
		want float32
	}{{"inside, clipped", 30, 20, 1.5}, {"outside, clipped", 17, 3, -1.5}, {"beside the map", 5, 20, 0}, {"beyond it", 55, 20, 0}} {
		if got := s.at(c.x, c.y); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	part := image.Rect(25, 5, 50, 60)
	s.Reset(60, 40, part)
	s.AddMap(l, 1, 8)
	if s.Rect() != part.Intersect(grid) || s.at(30, 20) != 5 || s.at(49, 20) != 0 {
		t.Errorf("in a part %v: %v and %v", s.Rect(), s.at(30, 20), s.at(49, 20))
	}
	b := s.Box()
	if math.Abs(b.X0-25.0/60) > 1e-9 || math.Abs(b.Y1-1) > 1e-9 {
		t.Errorf("its box is %+v", b)
	}
	s.Reset(60, 40, image.Rect(0, 0, 10, 10))
	if s.AddMap(l, 1, 8); s.at(5, 5) != 0 {
		t.Error("a map that speaks of another part adds something")
	}
}

// A prior is sure in the middle and says nothing at its edge, which may be off.
func TestAPriorKnowsItsEdgeToAFewPixels(t *testing.T) {
	var s Sum
	s.Reset(60, 40, grid)
	s.AddPrior(track(square(20, 10, 20)), 2, 1, 6)
	if v := s.at(30, 20); v < 4 {
		t.Errorf("in the middle %.2f", v)
	}
	if v := s.at(5, 5); v > -4 {
		t.Errorf("far outside %.2f", v)
	}
	if in, out := s.at(21, 20), s.at(18, 20); in < 0 || out > 0 || in > 1.5 || out < -1.5 {
		t.Errorf("at the edge %.2f inside and %.2f outside", in, out)
	}
}

func TestWhatAnotherHidesIsBelievedAsItWas(t *testing.T) {
	own, other := track(square(5, 5, 20)), track(square(15, 5, 20))
	var s Sum
	s.Reset(60, 40, grid)
	for y := range 40 {
		for x := range s.Row(y) {
			s.Row(y)[x] = -1
		}
	}
	s.Keep(other, own)
	for _, c := range []struct {
		x    int
		want float32
		what string
	}{
		{10, -1, "where the other is not"},
		{20, 6, "where it hides the object"},
		{30, Outside / Scale, "where it hides what was no part of it"},
	} {
		if got := s.at(c.x, 10); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	s.Reset(60, 40, grid)
	s.Exclude(other, own, 4)
	if a, b := s.at(20, 10), s.at(30, 10); a != 0 || b != -4 {
		t.Errorf("an object in front loses %v of itself and %v of what is behind, want 0 and -4", a, b)
	}
	s.Reset(60, 40, grid)
	s.Exclude(other, nil, 4)
	if a, b := s.at(20, 10), s.at(30, 10); a != -4 || b != -4 {
		t.Errorf("of two of which neither is in front one loses %v and %v to the other, want -4", a, b)
	}
	s.Reset(60, 40, image.Rect(40, 20, 50, 30))
	s.Exclude(other, nil, 4)
	if s.Keep(other, own); s.at(45, 25) != 0 {
		t.Error("what is elsewhere changes something")
	}
}

func TestALimitLeavesTheSurest(t *testing.T) {
	var s Sum
	s.Reset(60, 40, grid)
	for y := 10; y < 30; y++ {
		for x := 10; x < 50; x++ {
			s.Row(y)[x] = float32(x) / 10 // surer to the right
		}
	}
	if n := s.Limit(400); n != 800 {
		t.Errorf("%d cells were above 0, want 800", n)
	}
	m := s.Mask()
	if n := m.Count(); n > 400 || n < 300 || m.Rect.Max.X != 50 {
		t.Errorf("%d cells are left, of 400, in %v", n, m.Rect)
	}
	if n := s.Limit(1000); n != m.Count() || s.Mask().Count() != n {
		t.Errorf("a limit that is kept changes %d to %d", m.Count(), s.Mask().Count())
	}
}

func TestASumBecomesAPatch(t *testing.T) {
	var s Sum
	s.Reset(60, 40, grid)
	for y := range 40 {
		for x := range s.Row(y) {
			s.Row(y)[x] = -2
		}
	}
	for y := 10; y < 20; y++ {
		for x := 20; x < 40; x++ {
			s.Row(y)[x] = 3
		}
	}
	p := tuned.Patch(&s)
	if p.Rect != image.Rect(20, 10, 40, 20).Inset(-tuned.Margin) || p.Area() != 200 || p.Cell(30, 15) != 24 || p.Cell(15, 15) != -16 {
		t.Errorf("it is kept in %v with %d cells, %d inside, %d beside", p.Rect, p.Area(), p.Cell(30, 15), p.Cell(15, 15))
	}
	s.Reset(60, 40, grid)
	if p := tuned.Patch(&s); p.Area() != 0 || !p.Rect.Empty() || s.Mask().Count() != 0 {
		t.Error("nothing becomes something")
	}
}

func TestBoxBlurKeepsTheSumAndTransposes(t *testing.T) {
	src := make([]float32, 6*4)
	src[2*6+3] = 1
	a, b := make([]float32, 24), make([]float32, 24)
	boxBlur(a, src, 6, 4, 1)
	boxBlur(b, a, 4, 6, 1)
	sum := float32(0)
	for _, v := range b {
		sum += v
	}
	if math.Abs(float64(sum-1)) > 1e-5 || b[2*6+3] < 0.11 || b[0] != 0 {
		t.Errorf("sum %v, middle %v", sum, b[2*6+3])
	}
	boxBlur(b, a, 0, 6, 1) // nothing to blur is no fault
}

func TestChancesAndLogitsAreInverse(t *testing.T) {
	for _, steps := range []int{-40, -8, 0, 8, 40} {
		got := logits[int(chances[steps+128]*float32(len(logits)-1)+0.5)]
		if math.Abs(float64(got)-float64(steps)/Scale) > 0.1 {
			t.Errorf("%d steps come back as %.2f logits", steps, got)
		}
	}
}

func TestASumKeepsItsMemory(t *testing.T) {
	l := seg.LogitsOf(rect(60, 40, image.Rect(20, 10, 40, 30)), 30, 20, seg.Point{X: 1, Y: 1}, 5)
	tr := track(square(20, 10, 20))
	var s Sum
	add := func() {
		s.Reset(60, 40, grid)
		s.AddMap(l, 1, 6)
		s.AddPrior(tr, 4, 1, 6)
		s.Limit(300)
	}
	add()
	if n := testing.AllocsPerRun(20, add); n > 0 {
		t.Errorf("it allocates %.0f times", n)
	}
}
