package motion

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
)

// Mesh holds offsets at the nodes of a regular grid; in between they are bilinear, outside as at the edge. The zero mesh has no nodes and
// bends nothing.
type Mesh struct {
	x, y  int // the first node, in steps
	w, h  int // nodes
	step  int // pixels between nodes
	nodes []offset
	reach float64
}

type offset struct{ x, y float32 }

// Empty says that a mesh bends nothing.
func (m *Mesh) Empty() bool { return m.w == 0 }

// Reach is the length of the longest offset, pixels.
func (m *Mesh) Reach() float64 { return m.reach }

// Next is the column after x on which nodes stand: up to there, offsets along a row are linear.
func (m *Mesh) Next(x int) int { return (floorDiv(x, m.step) + 1) * m.step }

// At is the offset at a place.
func (m *Mesh) At(x, y float64) (dx, dy float64) {
	if m.w == 0 {
		return 0, 0
	}
	step := float64(m.step)
	a, b := seg.TapAt(x/step-float64(m.x), m.w), seg.TapAt(y/step-float64(m.y), m.h)
	p, q := m.nodes[b.I*m.w:], m.nodes[b.J*m.w:]
	d := between(between(p[a.I], p[a.J], a.F), between(q[a.I], q[a.J], a.F), b.F)
	return float64(d.x), float64(d.y)
}

func between(a, b offset, f float32) offset {
	return offset{a.x + (b.x-a.x)*f, a.y + (b.y-a.y)*f}
}

// over lays out the mesh for r, over the memory of spare as far as that goes; its offsets are left as they are.
func (m *Mesh) over(r image.Rectangle, step int, spare []offset) {
	m.step = step
	m.x, m.y = floorDiv(r.Min.X, step), floorDiv(r.Min.Y, step)
	m.w, m.h = floorDiv(r.Max.X+step-1, step)-m.x+1, floorDiv(r.Max.Y+step-1, step)-m.y+1
	n := m.w * m.h
	if cap(spare) < n {
		spare = make([]offset, n, n+n/4)
	}
	m.nodes = spare[:n]
}

func floorDiv(v, n int) int {
	q := v / n
	if v%n < 0 {
		q--
	}
	return q
}

// measure finds the reach.
func (m *Mesh) measure() {
	m.reach = 0
	for _, d := range m.nodes {
		m.reach = max(m.reach, math.Hypot(float64(d.x), float64(d.y)))
	}
}

// Local fits what an affine motion leaves unexplained, on a mesh. It keeps its memory between fits.
type Local struct {
	mesh    Mesh
	weights []float32
}

// Fit is the mesh over r, a rectangle of the frame that the pairs lead to, of what the pairs miss the motion by: where a place of that
// frame lay in the frame before, less where the inverse of the motion puts it. Each pair speaks to the nodes within radius pixels. The mesh
// is valid until the next fit.
func (l *Local) Fit(k *Tuning, ps []Pair, motion Affine, r image.Rectangle, radius float64) *Mesh {
	m := &l.mesh
	m.over(r, k.MeshStep, m.nodes)
	clear(m.nodes)
	l.weights = slices.Grow(l.weights[:0], len(m.nodes))[:len(m.nodes)]
	for i := range l.weights {
		l.weights[i] = float32(k.MeshDamp)
	}
	back, stray := motion.Inverse(), float64(k.MeshStep) // more would fold the mesh
	for i := range ps {
		p := &ps[i]
		x, y := back.At(p.U, p.V)
		if dx, dy := p.X-x, p.Y-y; dx*dx+dy*dy <= stray*stray {
			l.add(p, float32(dx), float32(dy), radius)
		}
	}
	for k, w := range l.weights {
		m.nodes[k].x /= w
		m.nodes[k].y /= w
	}
	m.measure()
	return m
}

// add lets a pair speak to the nodes around where it ends, the nearer the more.
func (l *Local) add(p *Pair, dx, dy float32, radius float64) {
	m := &l.mesh
	x0, x1 := m.within(p.U, radius, m.x, m.w)
	y0, y1 := m.within(p.V, radius, m.y, m.h)
	for j := y0; j < y1; j++ {
		wy := p.W * bump((float64((m.y+j)*m.step)-p.V)/radius)
		for i := x0; i < x1; i++ {
			w := float32(wy * bump((float64((m.x+i)*m.step)-p.U)/radius))
			k := j*m.w + i
			m.nodes[k].x += w * dx
			m.nodes[k].y += w * dy
			l.weights[k] += w
		}
	}
}

// within is the nodes of n from first on, along an axis, that are at most radius from v.
func (m *Mesh) within(v, radius float64, first, n int) (from, to int) {
	step := float64(m.step)
	return max(int(math.Ceil((v-radius)/step))-first, 0), min(int(math.Floor((v+radius)/step))-first+1, n)
}

// bump falls from 1 at 0 to 0 at ±1 (the biweight kernel).
func bump(v float64) float64 {
	k := 1 - v*v
	return k * k
}
