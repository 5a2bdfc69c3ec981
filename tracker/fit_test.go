package tracker

import (
	"math"
	"math/rand/v2"
	"testing"
)

func moved(m affine, n int, outliers float64, r *rand.Rand) []pair {
	ps := make([]pair, n)
	for i := range ps {
		x, y := 40*r.Float64(), 30*r.Float64()
		u, v := m.at(x, y)
		u, v = u+0.1*r.NormFloat64(), v+0.1*r.NormFloat64()
		if float64(i) < outliers*float64(n) {
			u, v = x+20*r.NormFloat64(), y+20*r.NormFloat64()
		}
		ps[i] = pair{x, y, u, v, 1}
	}
	return ps
}

func TestFitFindsTheMotionThatMostPairsShare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	want := affine{1.04 * math.Cos(0.08), -1.04 * math.Sin(0.08), 5, 1.04 * math.Sin(0.08), 1.04 * math.Cos(0.08), -3}
	for _, outliers := range []float64{0, 0.2, 0.4} {
		f := fit(moved(want, 80, outliers, r))
		x, y := f.m.at(20, 15)
		u, v := want.at(20, 15)
		if math.Hypot(x-u, y-v) > 0.3 || math.Abs(f.m.scale()-1.04) > 0.02 {
			t.Errorf("with %.0f %% outliers: %+v, want %+v", 100*outliers, f.m, want)
		}
		if math.Abs(f.inliers-(1-outliers)) > 0.12 {
			t.Errorf("with %.0f %% outliers %.2f are called inliers", 100*outliers, f.inliers)
		}
	}
}

func TestFitOfLittle(t *testing.T) {
	if f := fit(nil); f.m != identity || f.n != 0 {
		t.Errorf("nothing gives %+v", f)
	}
	f := fit([]pair{{10, 10, 13, 9, 1}})
	if x, y := f.m.at(0, 0); math.Hypot(x-3, y+1) > 0.05 {
		t.Errorf("one pair gives %+v", f.m)
	}
	flat := []pair{{5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}, {5, 5, 6, 5, 1}}
	if f := fit(flat); math.Abs(f.m.scale()-1) > 0.01 {
		t.Errorf("pairs at one place change the scale to %v", f.m.scale())
	}
}

func TestAffineInverse(t *testing.T) {
	m := affine{1.1, 0.2, -4, -0.1, 0.9, 7}
	both := m.after(m.inverse())
	for _, p := range [][2]float64{{0, 0}, {30, -5}, {100, 200}} {
		if x, y := both.at(p[0], p[1]); math.Hypot(x-p[0], y-p[1]) > 1e-9 {
			t.Errorf("there and back moves %v to %v, %v", p, x, y)
		}
	}
	if (affine{}).inverse() != identity {
		t.Error("a map without an inverse gives the identity")
	}
}

func TestHistoryIsARing(t *testing.T) {
	h := newHistory(4)
	if h.newest() != nil {
		t.Error("an empty history has a newest entry")
	}
	for seq := uint64(1); seq <= 9; seq += 2 { // 1 3 5 7 9
		h.push().seq = seq
	}
	for _, c := range []struct {
		seq   uint64
		at    int
		exact bool
	}{{2, -1, false}, {3, 0, true}, {6, 1, false}, {9, 3, true}, {99, 3, false}} {
		if at, exact := h.find(c.seq); at != c.at || exact != c.exact {
			t.Errorf("find(%d) = %d, %v, want %d, %v", c.seq, at, exact, c.at, c.exact)
		}
	}
	h.drop()
	if h.newest().seq != 7 {
		t.Errorf("newest after drop is %d", h.newest().seq)
	}
	h.clear()
	if at, _ := h.find(7); at != -1 {
		t.Error("cleared, yet found")
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
}

func TestSpreadSolvesItsCovariance(t *testing.T) {
	const n = 5
	r := rand.New(rand.NewPCG(7, 7))
	s := spread{n: n, mean: make([]float64, n), cov: make([]float64, n*n), scale: make([]float64, n), factor: make([]float64, n*n)}
	for range 400 {
		var x [n]float64
		for i := range x {
			x[i] = r.NormFloat64() * float64(i+1)
			if i > 0 {
				x[i] += 0.5 * x[i-1]
			}
		}
		for i := range n {
			for j := i; j < n; j++ {
				s.cov[i*n+j] += x[i] * x[j] / 400
			}
		}
	}
	s.factorise()
	d := []float64{1, -2, 0.5, 3, 1}
	w := append([]float64(nil), d...)
	s.solve(w)
	for i := range n { // Σ·w must be d again, but for the ridge
		sum := s.cov[i*n+i] * spreadRidge * w[i]
		for j := range n {
			sum += s.cov[min(i, j)*n+max(i, j)] * w[j]
		}
		if math.Abs(sum-d[i]) > 1e-6 {
			t.Errorf("row %d: %v, want %v", i, sum, d[i])
		}
	}
}
