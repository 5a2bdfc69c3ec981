package look

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segedge/segedge/seg"
)

func TestSpreadSolvesItsCovariance(t *testing.T) {
	const n, ridge = 5, 0.02
	r := rand.New(rand.NewPCG(7, 7))
	s := newSpread(n)
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
	s.factorise(ridge)
	d := []float64{1, -2, 0.5, 3, 1}
	w := append([]float64(nil), d...)
	s.solve(w)
	for i := range n { // Σ·w must be d again, but for the ridge
		sum := s.cov[i*n+i] * ridge * w[i]
		for j := range n {
			sum += s.cov[min(i, j)*n+max(i, j)] * w[j]
		}
		if math.Abs(sum-d[i]) > 1e-6 {
			t.Errorf("row %d: %v, want %v", i, sum, d[i])
		}
	}
}

// The spread is that of the cells in the picture, the first keyframe's all of them; the padding does not count.
func TestASpreadSeesThePictureAlone(t *testing.T) {
	f := seg.Features{W: 4, H: 4, C: 1, Extent: seg.Point{X: 1, Y: 2}, Data: make([]float32, 16)}
	for i := range f.Data {
		f.Data[i] = float32(i % 2)
		if i >= 8 {
			f.Data[i] = 1000
		}
	}
	var v View
	v.fill(1, "", []seg.Features{f}, 0.95)
	var s spread
	s.see(&v, tuned)
	if math.Abs(s.mean[0]-0.5) > 1e-9 || math.Abs(s.cov[0]-0.5) > 1e-9 {
		t.Errorf("mean %v and square %v, want a half each", s.mean[0], s.cov[0])
	}
	if v.in[0] != 8 || v.sums[0] != 4 {
		t.Errorf("%v cells with a sum of %v, want 8 and 4", v.in[0], v.sums[0])
	}
	for range 50 { // the old is forgotten, part by part
		s.see(&v, tuned)
	}
	if math.Abs(s.mean[0]-0.5) > 0.3 || s.frames != 51 {
		t.Errorf("after %d keyframes the mean is %v", s.frames, s.mean[0])
	}
}
