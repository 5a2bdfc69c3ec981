package tracker

import (
	"math"
	"math/rand/v2"
	"testing"
)

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
