package tracker

import (
	"math"
	"testing"
)

// A fit to pairs that stretch and shear explains them; a few wild ones, or too few at all, leave it a similarity.
func TestFitsBendAsFarAsTheirPairsAgree(t *testing.T) {
	want := affine{1.06, 0.05, 2, -0.02, 0.95, -1}
	pairs := func(n int) (ps []pair) {
		for i := range n {
			x, y := float64(i%8)*12, float64(i/8)*12
			u, v := want.at(x, y)
			ps = append(ps, pair{x, y, u, v, 1})
		}
		return ps
	}
	miss := func(f fitted) (worst float64) {
		for _, p := range pairs(64) {
			worst = max(worst, math.Sqrt(f.m.miss2(p)))
		}
		return worst
	}
	ps := pairs(64)
	f := fit(ps)
	stiff := miss(f)
	f.bend(ps)
	if got := miss(f); got > stiff/2 {
		t.Errorf("the worst pair is missed by %.2f pixels, by a similarity %.2f", got, stiff)
	}
	few := pairs(leastBend - 1)
	g := fit(few)
	was := g.m
	if g.bend(few); g.m != was {
		t.Error("a handful of pairs bends the fit")
	}
	wild := append(pairs(64), pair{10, 10, 60, -40, 1}, pair{80, 20, 10, 90, 1})
	h := fit(wild)
	h.bend(wild)
	if got := miss(h); got > stiff/2 {
		t.Errorf("two wild pairs take it %.2f pixels away", got)
	}
	line := []pair{}
	for i := range 40 { // nothing is known across a line
		line = append(line, pair{float64(i) * 3, 50, float64(i)*3 + 1, 50, 1})
	}
	l := fit(line)
	if l.bend(line); math.Abs(l.m.a*l.m.e-l.m.b*l.m.d) < 0.9 || l.m.a-l.m.a != 0 {
		t.Errorf("a line collapses the fit to %+v", l.m)
	}
}
