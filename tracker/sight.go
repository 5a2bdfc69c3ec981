package tracker

import (
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
)

// sight is what the encoder saw in one keyframe: its feature maps, copied.
type sight struct {
	seq   uint64
	model string // whose features they are
	crop  bool   // of a part of the frame, where things look larger
	maps  []seg.Features
	sums  []float64 // of each channel over the cells in the picture, map by map
	in    []float64 // the number of these cells, by map
}

// addUp adds up what all objects need alike.
func (s *sight) addUp() {
	s.sums, s.in = s.sums[:0], s.in[:0]
	for i := range s.maps {
		m := &s.maps[i]
		w, h := inPicture(m)
		s.in = append(s.in, float64(w*h))
		for ch := range m.C {
			sum := 0.0
			for y := range h {
				for _, x := range m.Data[(ch*m.H+y)*m.W:][:w] {
					sum += float64(x)
				}
			}
			s.sums = append(s.sums, sum)
		}
	}
}

// cropExtent is the extent below which a map cannot be one of the whole picture.
const cropExtent = 0.95

func (s *sight) fill(seq uint64, fs []seg.Features) {
	s.seq, s.crop = seq, fs[0].Origin != (seg.Point{}) || fs[0].Extent.X < cropExtent
	for len(s.maps) < len(fs) {
		s.maps = append(s.maps, seg.Features{})
	}
	s.maps = s.maps[:len(fs)]
	for i, f := range fs {
		data := append(s.maps[i].Data[:0], f.Data...)
		s.maps[i] = f
		s.maps[i].Data = data
	}
}

// channels is the number of values that all maps have for a place.
func (s *sight) channels() int {
	n := 0
	for i := range s.maps {
		n += s.maps[i].C
	}
	return n
}

// spread is how the features of the whole scene vary: mean and covariance, with old frames forgotten, and the covariance's Cholesky
// factor after scaling to unit variances and a ridge. All objects share it: telling an object from the rest then costs one solve
// (Fisher's linear discriminant with the total covariance).
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

const (
	spreadKeep  = 0.9  // of the old covariance at each keyframe
	spreadRidge = 0.02 // added to the unit variances
	spreadPart  = 4    // a later keyframe contributes every 4th cell
)

// see takes a keyframe's features into account.
func (s *spread) see(v *sight) {
	n := v.channels()
	if n != s.n {
		*s = spread{n: n, mean: make([]float64, n), cov: make([]float64, n*n), scale: make([]float64, n), factor: make([]float64, n*n), cell: make([]float64, n)}
	}
	part, keep := 1, 0.0
	if s.frames > 0 {
		part, keep = spreadPart, spreadKeep
	}
	s.frames++
	s.phase = (s.phase + 1) % part
	s.gather(v, part, keep)
	s.factorise()
}

func (s *spread) gather(v *sight, part int, keep float64) {
	coarse := &v.maps[0]
	for i := range v.maps {
		if v.maps[i].W < coarse.W {
			coarse = &v.maps[i]
		}
	}
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

// at writes the features at a normalised place: of each map the mean of the cells that a cell of the coarsest map covers.
func (s *sight) at(x, y float64, dst []float64) {
	k := 0
	for i := range s.maps {
		m := &s.maps[i]
		u, v := int((x-m.Origin.X)/m.Extent.X*float64(m.W)), int((y-m.Origin.Y)/m.Extent.Y*float64(m.H))
		u, v = min(max(u, 0), m.W-1), min(max(v, 0), m.H-1)
		for c := range m.C {
			dst[k] = float64(m.Data[(c*m.H+v)*m.W+u])
			k++
		}
	}
}

func (s *spread) factorise() {
	n := s.n
	for i := range n {
		s.scale[i] = 1 / math.Sqrt(max(s.cov[i*n+i]-s.mean[i]*s.mean[i], 1e-9))
	}
	for i := range n {
		for j := range i + 1 {
			sum := (s.cov[j*n+i] - s.mean[i]*s.mean[j]) * s.scale[i] * s.scale[j]
			if i == j {
				sum = 1 + spreadRidge
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

// maxSights bounds the keyframes whose features are kept.
const maxSights = 4

// See takes the features of keyframe seq, for the answers about it that follow. It copies them. A model without features is
// followed as well, but objects are then told apart by colour alone.
func (t *Tracker) See(seq uint64, fs []seg.Features) {
	if !t.uses(CueFeatures) || len(fs) == 0 || !slices.ContainsFunc(fs, func(f seg.Features) bool { return f.Valid() }) {
		return
	}
	v := &sight{}
	if len(t.sights) == maxSights {
		v = t.sights[0]
		t.sights = t.sights[:copy(t.sights, t.sights[1:])]
	}
	v.fill(seq, fs)
	v.model = t.model
	v.addUp()
	t.sights = append(t.sights, v)
	t.spreadOf(v).see(v)
	t.learnAside(v)
}

func (t *Tracker) sightOf(seq uint64) *sight {
	for _, v := range t.sights {
		if v.seq == seq {
			return v
		}
	}
	return nil
}

// UseModel says whose answers and features come from now on. What objects look like is kept by model, so that a change back finds it again.
func (t *Tracker) UseModel(identity string) {
	if identity != t.model {
		t.model, t.sights = identity, nil
	}
}
