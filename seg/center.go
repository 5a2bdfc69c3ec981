package seg

import (
	"image"
	"math"
)

// Center is the middle of the cell that lies deepest in the mask, and the middle of the picture for an empty one. It is
// where a person would click, unlike the centroid, which may lie outside.
func (m *Mask) Center() Point {
	p, _ := m.Deepest()
	return p
}

// Deepest is the middle of the cell that is farthest from any cell outside, and its distance in cells: the maximum of the
// exact Euclidean distance transform, where the picture's edge counts as outside; the first in scan order where several
// are. The distance is 0 for an empty mask.
func (m *Mask) Deepest() (p Point, distance float64) {
	dx, dy := m.Rect.Dx(), m.Rect.Dy()
	best, at := int64(0), image.Point{}
	up := m.columnDistances()
	e := envelope{v: make([]int, dx+2), z: make([]float64, dx+3), f: make([]int64, dx+2)}
	for j := range dy {
		for i, d := range up[j*dx:][:dx] {
			e.f[i+1] = int64(d) * int64(d)
		}
		if x, d := e.deepest(); d > best {
			best, at = d, image.Pt(m.Rect.Min.X+x-1, m.Rect.Min.Y+j)
		}
	}
	if best == 0 {
		return Point{0.5, 0.5}, 0
	}
	return Point{(float64(at.X) + 0.5) / float64(m.W), (float64(at.Y) + 0.5) / float64(m.H)}, math.Sqrt(float64(best))
}

// columnDistances is, for each stored cell, the distance to the nearest cell outside in its own column.
func (m *Mask) columnDistances() []int32 {
	dx := m.Rect.Dx()
	d := make([]int32, len(m.Bits))
	for i, b := range m.Bits {
		if b == 0 {
			continue
		}
		d[i] = 1
		if i >= dx {
			d[i] += d[i-dx]
		}
	}
	for i := len(d) - 1; i >= 0; i-- {
		if m.Bits[i] == 0 {
			continue
		}
		below := int32(0)
		if i+dx < len(d) {
			below = d[i+dx]
		}
		d[i] = min(d[i], below+1)
	}
	return d
}

// envelope computes one row of the exact squared distance transform as the lower envelope of parabolas (Felzenszwalb and
// Huttenlocher 2012). f holds the squared column distances, with a 0 before and behind the row.
type envelope struct {
	v []int
	z []float64
	f []int64
}

// deepest is the first place of the largest squared distance, and that distance.
func (e *envelope) deepest() (at int, d int64) {
	k := 0
	e.v[0], e.z[0], e.z[1] = 0, math.Inf(-1), math.Inf(1)
	for q := 1; q < len(e.f); q++ {
		s := e.meet(q, e.v[k])
		for s <= e.z[k] {
			k--
			s = e.meet(q, e.v[k])
		}
		k++
		e.v[k], e.z[k], e.z[k+1] = q, s, math.Inf(1)
	}
	k, d = 0, -1
	for q := 1; q < len(e.f)-1; q++ {
		for e.z[k+1] < float64(q) {
			k++
		}
		step := int64(q - e.v[k])
		if v := step*step + e.f[e.v[k]]; v > d {
			at, d = q, v
		}
	}
	return at, d
}

// meet is where the parabolas at p and q cross.
func (e *envelope) meet(q, p int) float64 {
	return float64(e.f[q]+int64(q)*int64(q)-e.f[p]-int64(p)*int64(p)) / float64(2*(q-p))
}
