package shape

import "github.com/segedge/segedge/seg"

// ShareUnder is the share of a track's mask that another's covers.
func (t *Track) ShareUnder(other *Track) float64 {
	r := t.Bounds()
	n, both := 0, 0
	for y := r.Min.Y; y < r.Max.Y; y += shareStep {
		for x := r.Min.X; x < r.Max.X; x += shareStep {
			if t.Value(float64(x), float64(y)) <= 0 {
				continue
			}
			n++
			if other.Value(float64(x), float64(y)) > 0 {
				both++
			}
		}
	}
	return float64(both) / float64(max(n, 1))
}

// Cover is the share of a mask that the track covers.
func (t *Track) Cover(m *seg.Mask) float64 {
	n, both := 0, 0
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y += overlapStep {
		for i, b := range m.Row(y) {
			if b != 0 {
				n++
				if t.Value(float64(m.Rect.Min.X+i), float64(y)) > 0 {
					both++
				}
			}
		}
	}
	return float64(both) / float64(max(n, 1))
}

// CutFrom takes what the track covers out of a mask that nobody else has seen yet, and returns what is left.
func (t *Track) CutFrom(m *seg.Mask) *seg.Mask {
	i := 0
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			if m.Bits[i] != 0 && t.Value(float64(x), float64(y)) > 0 {
				m.Bits[i] = 0
			}
			i++
		}
	}
	return m.Trim()
}

// Each calls do for about samples places on the track's mask in the present frame, evenly spread, and returns how many cells of it each
// stands for.
func (t *Track) Each(do func(x, y int)) (cells int) {
	r := t.Bounds()
	step := 1
	for r.Dx()/step*(r.Dy()/step) > samples {
		step++
	}
	for y := r.Min.Y + step/2; y < r.Max.Y; y += step {
		for x := r.Min.X + step/2; x < r.Max.X; x += step {
			if t.Value(float64(x), float64(y)) > 0 {
				do(x, y)
			}
		}
	}
	return step * step
}
