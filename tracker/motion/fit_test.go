package motion

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tuned is what the product is shipped with.
var tuned = func() *Tuning {
	t := Defaults()
	return &t
}()

func moved(m Affine, n int, outliers float64, r *rand.Rand) []Pair {
	ps := make([]Pair, n)
	for i := range ps {
		x, y := 40*r.Float64(), 30*r.Float64()
		u, v := m.At(x, y)
		u, v = u+0.1*r.NormFloat64(), v+0.1*r.NormFloat64()
		if float64(i) < outliers*float64(n) {
			u, v = x+20*r.NormFloat64(), y+20*r.NormFloat64()
		}
		ps[i] = Pair{x, y, u, v, 1}
	}
	return ps
}

func TestFitFindsTheMotionThatMostPairsShare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	want := Affine{1.04 * math.Cos(0.08), -1.04 * math.Sin(0.08), 5, 1.04 * math.Sin(0.08), 1.04 * math.Cos(0.08), -3}
	for _, outliers := range []float64{0, 0.2, 0.4} {
		f := tuned.Fit(moved(want, 80, outliers, r))
		x, y := f.At(20, 15)
		u, v := want.At(20, 15)
		if math.Hypot(x-u, y-v) > 0.3 || math.Abs(f.Scale()-1.04) > 0.02 {
			t.Errorf("with %.0f %% outliers: %+v, want %+v", 100*outliers, f.Affine, want)
		}
		if math.Abs(f.Inliers-(1-outliers)) > 0.12 {
			t.Errorf("with %.0f %% outliers %.2f are called inliers", 100*outliers, f.Inliers)
		}
	}
}

func TestFitOfLittle(t *testing.T) {
	if f := tuned.Fit(nil); f.Affine != Identity || f.Pairs != 0 {
		t.Errorf("nothing gives %+v", f)
	}
	f := tuned.Fit([]Pair{{10, 10, 13, 9, 1}})
	if x, y := f.At(0, 0); math.Hypot(x-3, y+1) > 0.05 {
		t.Errorf("one pair gives %+v", f.Affine)
	}
	flat := []Pair{{5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}}
	if f := tuned.Fit(flat); math.Abs(f.Scale()-1) > 0.01 {
		t.Errorf("pairs at one place change the scale to %v", f.Scale())
	}
}

func TestAffineInverse(t *testing.T) {
	m := Affine{1.1, 0.2, -4, -0.1, 0.9, 7}
	both := m.After(m.Inverse())
	for _, p := range [][2]float64{{0, 0}, {30, -5}, {100, 200}} {
		if x, y := both.At(p[0], p[1]); math.Hypot(x-p[0], y-p[1]) > 1e-9 {
			t.Errorf("there and back moves %v to %v, %v", p, x, y)
		}
	}
	if (Affine{}).Inverse() != Identity {
		t.Error("a map without an inverse gives the Identity")
	}
}

// A fit to pairs that stretch and shear explains them; a few wild ones, or too few at all, leave it a similarity.
func TestFitsBendAsFarAsTheirPairsAgree(t *testing.T) {
	want := Affine{1.06, 0.05, 2, -0.02, 0.95, -1}
	pairs := func(n int) (ps []Pair) {
		for i := range n {
			x, y := float64(i%8)*12, float64(i/8)*12
			u, v := want.At(x, y)
			ps = append(ps, Pair{x, y, u, v, 1})
		}
		return ps
	}
	miss := func(f Fit) (worst float64) {
		for _, p := range pairs(64) {
			worst = max(worst, math.Sqrt(f.Miss2(p)))
		}
		return worst
	}
	ps := pairs(64)
	f := tuned.Fit(ps)
	stiff := miss(f)
	f = tuned.Bend(f, ps)
	if got := miss(f); got > stiff/2 {
		t.Errorf("the worst pair is missed by %.2f pixels, by a similarity %.2f", got, stiff)
	}
	few := pairs(tuned.BendPairs - 1)
	g := tuned.Fit(few)
	was := g.Affine
	if g = tuned.Bend(g, few); g.Affine != was {
		t.Error("a handful of pairs bends the fit")
	}
	wild := append(pairs(64), Pair{10, 10, 60, -40, 1}, Pair{80, 20, 10, 90, 1})
	h := tuned.Fit(wild)
	h = tuned.Bend(h, wild)
	if got := miss(h); got > stiff/2 {
		t.Errorf("two wild pairs take it %.2f pixels away", got)
	}
	line := []Pair{}
	for i := range 40 { // nothing is known across a line
		line = append(line, Pair{float64(i) * 3, 50, float64(i)*3 + 1, 50, 1})
	}
	l := tuned.Fit(line)
	if l = tuned.Bend(l, line); math.Abs(l.A*l.E-l.B*l.D) < 0.9 || l.A-l.A != 0 {
		t.Errorf("a line collapses the fit to %+v", l.Affine)
	}
}
