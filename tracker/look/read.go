package look

import (
	"image"
	"slices"

	"github.com/segedge/segedge/seg"
)

// Learn takes the features inside and outside a mask of the view's frame into account.
func (m *Memory) Learn(l *Likeness, v *View, mask *seg.Mask) {
	n := v.channels()
	if len(l.late[0]) != n {
		*l = Likeness{weights: make([]float64, n)}
		for k := range 2 {
			l.first[k], l.late[k] = make([]float64, n), make([]float64, n)
		}
	}
	keep := m.tuning.Keep
	if l.frames == 0 {
		keep = 0
	}
	if !m.means(l, v, v.covered(mask), keep) {
		return
	}
	if l.frames == 0 {
		copy(l.first[0], l.late[0])
		copy(l.first[1], l.late[1])
	}
	l.frames++
	anchor := m.tuning.Anchor
	for i := range n {
		l.weights[i] = l.mean(1, i, anchor) - l.mean(0, i, anchor)
	}
	m.spreadOf(v).solve(l.weights)
	l.calibrate(anchor)
}

// means moves the newer means towards this frame's. It is false when one side is empty.
func (m *Memory) means(l *Likeness, v *View, cover [][]float32, keep float64) bool {
	k := 0
	for i := range v.maps {
		f := &v.maps[i]
		c := cover[i]
		in, all := 0.0, v.in[i]
		m.cells = m.cells[:0]
		for j, a := range c {
			if a > 0 { // not outside, nor padding
				in += float64(a)
				m.cells = append(m.cells, int32(j))
			}
		}
		if in < leastSide || all-in < leastSide {
			return false
		}
		for ch := range f.C {
			sumIn, sum := 0.0, v.sums[k]
			plane := f.Data[ch*len(c):][:len(c)]
			for _, j := range m.cells {
				sumIn += float64(c[j]) * float64(plane[j])
			}
			l.late[1][k] = keep*l.late[1][k] + (1-keep)*sumIn/in
			l.late[0][k] = keep*l.late[0][k] + (1-keep)*(sum-sumIn)/(all-in)
			k++
		}
	}
	return true
}

// Read is how much each cell of a view looks like the object, on the finest map's grid: about 1 for the object, −1 for the rest, and
// without meaning outside of the box. It is the caller's to change until the next reading.
func (m *Memory) Read(l *Likeness, v *View, box seg.Box) *Map {
	scores := m.scored(l, v, box)
	fine := 0
	for i := range scores {
		if scores[i].W > scores[fine].W {
			fine = i
		}
	}
	out := &scores[fine]
	r := cellsIn(out, box)
	for i := range scores {
		if i != fine {
			addScaled(out, &scores[i], r)
		}
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := out.Data[y*out.W:][r.Min.X:r.Max.X]
		for i, s := range row {
			row[i] = float32(l.gain * (float64(s) - l.bias))
		}
	}
	return &Map{out}
}

// Resemblance is the mean likeness of the cells whose middle a mask covers, about 1 for the object itself; not ok without any.
func (m *Memory) Resemblance(l *Likeness, v *View, mask *seg.Mask) (mean float64, ok bool) {
	read := m.Read(l, v, mask.Box())
	sum, n := 0.0, 0.0
	for i, s := range read.Data {
		if x, y := read.Middle(i); mask.Contains(seg.Point{X: x, Y: y}) {
			sum += float64(s)
			n++
		}
	}
	return sum / max(n, 1), n > 0
}

// scored is the score of each map's cells in a box, by the weights alone.
func (m *Memory) scored(l *Likeness, v *View, box seg.Box) []seg.Logits {
	for len(m.scores) < len(v.maps) {
		m.scores = append(m.scores, seg.Logits{})
	}
	scores := m.scores[:len(v.maps)]
	k := 0
	for i := range v.maps {
		f := &v.maps[i]
		o := &scores[i]
		o.W, o.H, o.Origin, o.Extent = f.W, f.H, f.Origin, f.Extent
		o.Data = slices.Grow(o.Data[:0], f.W*f.H)[:f.W*f.H]
		clear(o.Data)
		r := cellsIn(o, box)
		for ch := range f.C {
			w := float32(l.weights[k])
			k++
			for y := r.Min.Y; y < r.Max.Y; y++ {
				src := f.Data[(ch*f.H+y)*f.W:][r.Min.X:r.Max.X]
				dst := o.Data[y*f.W:][r.Min.X:r.Max.X]
				for j, x := range src {
					dst[j] += w * x
				}
			}
		}
	}
	return scores
}

// cellsIn are the cells of a map that a box touches, and two more on each side for what is read between cells.
func cellsIn(l *seg.Logits, b seg.Box) image.Rectangle {
	kx, ky := float64(l.W)/l.Extent.X, float64(l.H)/l.Extent.Y
	x0, y0 := int((b.X0-l.Origin.X)*kx)-2, int((b.Y0-l.Origin.Y)*ky)-2
	x1, y1 := int((b.X1-l.Origin.X)*kx)+3, int((b.Y1-l.Origin.Y)*ky)+3
	return image.Rect(x0, y0, x1, y1).Intersect(image.Rect(0, 0, l.W, l.H))
}

// addScaled adds src, bilinearly, to the cells r of a finer map of the same extent.
func addScaled(dst, src *seg.Logits, r image.Rectangle) {
	kx, ky := float64(src.W)/float64(dst.W), float64(src.H)/float64(dst.H)
	for j := r.Min.Y; j < r.Max.Y; j++ {
		t := seg.TapAt((float64(j)+0.5)*ky-0.5, src.H)
		p, q := src.Data[t.I*src.W:][:src.W], src.Data[t.J*src.W:][:src.W]
		row := dst.Data[j*dst.W:][:dst.W]
		for i := r.Min.X; i < r.Max.X; i++ {
			c := seg.TapAt((float64(i)+0.5)*kx-0.5, src.W)
			top := p[c.I] + (p[c.J]-p[c.I])*c.F
			bottom := q[c.I] + (q[c.J]-q[c.I])*c.F
			row[i] += top + (bottom-top)*t.F
		}
	}
}
