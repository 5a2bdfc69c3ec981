package look

import "math"

// spread is how the features of the whole scene vary: mean and covariance, with old frames forgotten, and the covariance's Cholesky
// factor after scaling to unit variances and a ridge. All objects share it: telling an object from the rest then costs one solve
// (Fisher's linear discriminant, 1936, with the total covariance).
type spread struct {
	n      int
	mean   []float64
	cov    []float64 // n×n, upper triangle
	scale  []float64 // 1/standard deviation
	factor []float64 // n×n, lower triangle
	cell   []float64
	frames int
	phase  int
}

func newSpread(n int) spread {
	return spread{
		n: n, mean: make([]float64, n), cov: make([]float64, n*n),
		scale: make([]float64, n), factor: make([]float64, n*n), cell: make([]float64, n),
	}
}

// see takes a keyframe's features into account: of the first one all cells, of a later one some.
func (s *spread) see(v *View, k *Tuning) {
	if n := v.channels(); n != s.n {
		*s = newSpread(n)
	}
	part, keep := 1, 0.0
	if s.frames > 0 {
		part, keep = spreadPart, k.Keep
	}
	s.frames++
	s.phase = (s.phase + 1) % part
	s.gather(v, part, keep)
	s.factorise(k.SpreadRidge)
}

func (s *spread) gather(v *View, part int, keep float64) {
	coarse := v.coarsest()
	w, h := inPicture(coarse)
	cells := (w*h - s.phase + part - 1) / part
	weight := (1 - keep) / float64(max(1, cells))
	for i := range s.cov {
		s.cov[i] *= keep
	}
	for i := range s.mean {
		s.mean[i] *= keep
	}
	for c := s.phase; c < w*h; c += part {
		x, y := float64(c%w)+0.5, float64(c/w)+0.5
		v.at(coarse.Origin.X+x/float64(coarse.W)*coarse.Extent.X, coarse.Origin.Y+y/float64(coarse.H)*coarse.Extent.Y, s.cell)
		for i, a := range s.cell {
			s.mean[i] += weight * a
			a *= weight
			row := s.cov[i*s.n:][:s.n]
			for j := i; j < s.n; j++ {
				row[j] += a * s.cell[j]
			}
		}
	}
}

// factorise is Cholesky's, of the correlations with a ridge on their diagonal.
func (s *spread) factorise(ridge float64) {
	n := s.n
	for i := range n {
		s.scale[i] = 1 / math.Sqrt(max(s.cov[i*n+i]-s.mean[i]*s.mean[i], 1e-9))
	}
	for i := range n {
		for j := range i + 1 {
			sum := (s.cov[j*n+i] - s.mean[i]*s.mean[j]) * s.scale[i] * s.scale[j]
			if i == j {
				sum = 1 + ridge
			}
			a, b := s.factor[i*n:][:j], s.factor[j*n:][:j]
			for k := range a {
				sum -= a[k] * b[k]
			}
			if i == j {
				s.factor[i*n+i] = math.Sqrt(max(sum, 1e-6))
			} else {
				s.factor[i*n+j] = sum / s.factor[j*n+j]
			}
		}
	}
}

// solve is Σ⁻¹·d, written over d.
func (s *spread) solve(d []float64) {
	n := s.n
	for i := range n {
		sum := d[i] * s.scale[i]
		for k := range i {
			sum -= s.factor[i*n+k] * d[k]
		}
		d[i] = sum / s.factor[i*n+i]
	}
	for i := n - 1; i >= 0; i-- {
		sum := d[i]
		for k := i + 1; k < n; k++ {
			sum -= s.factor[k*n+i] * d[k]
		}
		d[i] = sum / s.factor[i*n+i]
	}
	for i := range d {
		d[i] *= s.scale[i]
	}
}
