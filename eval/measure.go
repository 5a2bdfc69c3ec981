package eval

import (
	"math"

	"github.com/segedge/segedge/seg"
)

// BoundaryWidth is how far a boundary may lie from the truth and still count as found, as a share of the picture's
// diagonal (DAVIS, bound_th).
const BoundaryWidth = 0.008

// Region is the Jaccard index of a mask and the truth, J of the DAVIS benchmark: 1 where both are empty. The masks lie on one
// grid.
func Region(got, truth *seg.Mask) float64 { return got.IoU(truth) }

// Boundary is the harmonic mean of precision and recall of a mask's outline, F of the DAVIS benchmark (Perazzi and others 2016): an
// outline cell is found where the other outline passes within a disc of ceil(0.008·diagonal) cells. The masks lie on one grid.
func Boundary(got, truth *seg.Mask) float64 {
	radius := int(math.Ceil(BoundaryWidth * math.Hypot(float64(got.W), float64(got.H))))
	a, b := outlineOf(got), outlineOf(truth)
	precision, recall := 1.0, 1.0
	switch {
	case len(a) == 0 && len(b) > 0:
		recall = 0
	case len(a) > 0 && len(b) == 0:
		precision = 0
	case len(a) > 0:
		precision = near(a, b, got.W, got.H, radius)
		recall = near(b, a, got.W, got.H, radius)
	}
	if precision+recall == 0 {
		return 0
	}
	return 2 * precision * recall / (precision + recall)
}

// cell is a place on a grid.
type cell struct{ x, y int32 }

// outlineOf are the cells that differ from the one to their right, below or both (DAVIS, _seg2bmap): half a cell towards the
// origin from the true outline.
func outlineOf(m *seg.Mask) []cell {
	var out []cell
	x0, x1 := max(0, m.Rect.Min.X-1), min(m.Rect.Max.X+1, m.W)
	here, below := make([]uint8, x1-x0), make([]uint8, x1-x0)
	fill := func(dst []uint8, y int) {
		clear(dst)
		copy(dst[m.Rect.Min.X-x0:], m.Row(y))
	}
	top := max(0, m.Rect.Min.Y-1)
	fill(here, top)
	for y := top; y < m.Rect.Max.Y; y++ {
		if y+1 < m.H {
			fill(below, y+1)
		} else {
			copy(below, here) // nothing below the last row: only its right neighbours count
		}
		for i, v := range here {
			right, corner := v, below[i]
			if i+1 < len(here) {
				right, corner = here[i+1], below[i+1]
			}
			if v != right || v != below[i] || v != corner {
				out = append(out, cell{int32(x0 + i), int32(y)})
			}
		}
		here, below = below, here
	}
	return out
}

// near is the share of the cells of a that lie within a disc of the radius around any of b.
func near(a, b []cell, w, h, radius int) float64 {
	stride := w + 1
	edges := make([]int32, stride*h) // +1 where a run of covered cells begins, −1 behind its end
	for _, c := range b {
		for dy := -radius; dy <= radius; dy++ {
			y := int(c.y) + dy
			if y < 0 || y >= h {
				continue
			}
			half := int(math.Sqrt(float64(radius*radius - dy*dy)))
			edges[y*stride+max(0, int(c.x)-half)]++
			edges[y*stride+min(w, int(c.x)+half+1)]--
		}
	}
	for y := range h {
		row := edges[y*stride:][:w]
		for x := 1; x < w; x++ {
			row[x] += row[x-1]
		}
	}
	found := 0
	for _, c := range a {
		if edges[int(c.y)*stride+int(c.x)] > 0 {
			found++
		}
	}
	return float64(found) / float64(len(a))
}

// Statistics are the DAVIS benchmark's summary of a measure over an object's frames.
type Statistics struct {
	Mean   float64 `json:"mean"`
	Recall float64 `json:"recall"` // share of the frames above 0.5
	Decay  float64 `json:"decay"`  // mean of the first quarter less that of the last
}

// statistics summarises the values of one object (davis2017-evaluation, db_statistics).
func statistics(v []float64) Statistics {
	if len(v) == 0 {
		return Statistics{}
	}
	var s Statistics
	for _, x := range v {
		s.Mean += x / float64(len(v))
		if x > 0.5 {
			s.Recall += 1 / float64(len(v))
		}
	}
	const bins = 4
	bound := func(i int) int {
		return int(math.RoundToEven(1+float64(i)*float64(len(v)-1)/bins+1e-10)) - 1
	}
	s.Decay = mean(v[bound(0):bound(1)+1]) - mean(v[bound(bins-1):bound(bins)+1])
	return s
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	if len(v) == 0 {
		return 0
	}
	return sum / float64(len(v))
}
