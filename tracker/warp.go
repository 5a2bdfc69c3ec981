package tracker

import (
	"image"
	"math"
)

// warp says where places of one frame lay in another one: an affine map, and on a mesh how far what lies near a node has gone its own way.
type warp struct {
	affine
	mesh mesh
}

// mesh holds offsets at the nodes of a regular grid; in between they are bilinear, outside as at the edge. Without nodes there are none.
type mesh struct {
	x, y  int // the first node, in meshSteps
	w, h  int // nodes
	d     []offset
	reach float64 // of the longest offset, pixels
}

type offset struct{ x, y float32 }

const (
	meshStep  = 8  // pixels between nodes
	meshTrail = 16 // newest waypoints of a track that keep their meshes
	mostLocal = 8  // pixels in a frame that a vector may leave the affine motion by, to count as the object's own
	mostReach = 32 // pixels that a mesh may bend a mask

	localFor    = 8    // frames from a mask's own one on in which it is bent: after that, small errors would add up
	localRadius = 1.6  // distances between the vectors: how far one speaks
	localDamp   = 0.01 // weight, where a sure vector has 4, of a node's keeping to the affine motion
)

var identityWarp = warp{affine: identity}

// at is where the place (x, y) lay.
func (m *warp) at(x, y float64) (float64, float64) {
	u, v := m.affine.at(x, y)
	if m.mesh.w == 0 {
		return u, v
	}
	dx, dy := m.mesh.at(x, y)
	return u + dx, v + dy
}

func (m *mesh) at(x, y float64) (dx, dy float64) {
	if m.w == 0 {
		return 0, 0
	}
	a, b := tapAt(x/meshStep-float64(m.x), m.w), tapAt(y/meshStep-float64(m.y), m.h)
	p, q := m.d[b.i0*m.w:], m.d[b.i1*m.w:]
	top, bottom := between(p[a.i0], p[a.i1], a.f), between(q[a.i0], q[a.i1], a.f)
	d := between(top, bottom, b.f)
	return float64(d.x), float64(d.y)
}

func between(a, b offset, f float32) offset {
	return offset{a.x + (b.x-a.x)*f, a.y + (b.y-a.y)*f}
}

// over lays out the mesh for r, over the memory of spare as far as that goes; its offsets are left as they are.
func (m *mesh) over(r image.Rectangle, spare []offset) {
	m.x, m.y = floorDiv(r.Min.X), floorDiv(r.Min.Y)
	m.w, m.h = floorDiv(r.Max.X+meshStep-1)-m.x+1, floorDiv(r.Max.Y+meshStep-1)-m.y+1
	n := m.w * m.h
	if cap(spare) < n {
		spare = make([]offset, n, n+n/4)
	}
	m.d = spare[:n]
}

func floorDiv(v int) int { return int(math.Floor(float64(v) / meshStep)) }

// measure finds the reach, and holds the offsets to the most that is allowed.
func (m *mesh) measure() {
	most := 0.0
	for i := range m.d {
		d := &m.d[i]
		n := math.Hypot(float64(d.x), float64(d.y))
		if n > mostReach {
			k := float32(mostReach / n)
			d.x, d.y, n = d.x*k, d.y*k, mostReach
		}
		most = max(most, n)
	}
	m.reach = most
}

// local fills the mesh over r with the part of a step that its affine motion does not explain, by what the pairs on the object miss it by: where
// a place of the present frame lay in the frame before, less where the inverse of the motion puts it. radius is how far a pair speaks, pixels.
// weights is scratch space and comes back, grown.
func (m *mesh) local(ps []pair, motion affine, r image.Rectangle, radius float64, weights []float32) []float32 {
	m.over(r, m.d)
	clear(m.d)
	weights = grown(weights, len(m.d))
	for i := range weights {
		weights[i] = localDamp
	}
	back := motion.inverse()
	for i := range ps {
		p := &ps[i]
		x, y := back.at(p.u, p.v)
		dx, dy := p.x-x, p.y-y
		if dx*dx+dy*dy > mostLocal*mostLocal {
			continue
		}
		x0, x1 := reached(p.u, radius, m.x, m.w)
		y0, y1 := reached(p.v, radius, m.y, m.h)
		for j := y0; j < y1; j++ {
			wy := p.w * bump((float64((m.y+j)*meshStep)-p.v)/radius)
			for i := x0; i < x1; i++ {
				w := float32(wy * bump((float64((m.x+i)*meshStep)-p.u)/radius))
				k := j*m.w + i
				m.d[k].x += w * float32(dx)
				m.d[k].y += w * float32(dy)
				weights[k] += w
			}
		}
	}
	for k, w := range weights {
		m.d[k].x /= w
		m.d[k].y /= w
	}
	m.measure()
	return weights
}

// reached is the nodes of n from first on, along an axis, that are within radius of v.
func reached(v, radius float64, first, n int) (from, to int) {
	return max(int(math.Ceil((v-radius)/meshStep))-first, 0), min(int(math.Floor((v+radius)/meshStep))-first+1, n)
}

// bump falls from 1 at 0 to 0 at ±1.
func bump(v float64) float64 {
	k := 1 - v*v
	return k * k
}

// localMotion is what the pairs at hand, for which tr was just fitted over e, say about parts of it that move their own way; nil where there is too
// little to go by.
func (t *Tracker) localMotion(tr *track, e *entry) *mesh {
	first := tr.trail[0].seq
	if !t.uses(CueLocal) || len(t.pairs) < leastBend || tr.seen.inliers == 0 || max(e.seq, first)-min(e.seq, first) > localFor {
		return nil
	}
	moved := track{patch: tr.patch, back: tr.back}
	moved.back.affine = tr.back.after(tr.seen.m.inverse())
	r := moved.boundsWithin(tr.back.mesh.reach + mostLocal*tr.back.scale())
	if r.Empty() {
		return nil
	}
	radius := localRadius * float64(e.step)
	t.weights = t.local.local(t.pairs, tr.seen.m, r, radius, t.weights)
	return &t.local
}

// stepped is the warp of the next frame: step leads there, and local is what of it the affine motion does not explain, nil for nothing. r
// is what it must cover there. spare is memory that it may use.
func (m *warp) stepped(step affine, local *mesh, r image.Rectangle, spare []offset) warp {
	inv := step.inverse()
	out := warp{affine: m.affine.after(inv)}
	if m.mesh.w == 0 && local == nil || r.Empty() {
		return out
	}
	out.mesh.over(r, spare)
	for j := range out.mesh.h {
		y := float64((out.mesh.y + j) * meshStep)
		for i := range out.mesh.w {
			x := float64((out.mesh.x + i) * meshStep)
			u, v := inv.at(x, y)
			var dx, dy float64
			if local != nil {
				lx, ly := local.at(x, y)
				u, v = u+lx, v+ly
				dx, dy = m.a*lx+m.b*ly, m.d*lx+m.e*ly
			}
			ox, oy := m.mesh.at(u, v)
			out.mesh.d[j*out.mesh.w+i] = offset{float32(dx + ox), float32(dy + oy)}
		}
	}
	out.mesh.measure()
	return out
}

// before is the warp followed by an affine map.
func (m *warp) before(a affine) warp {
	out := warp{affine: a.after(m.affine), mesh: m.mesh}
	out.mesh.d = make([]offset, len(m.mesh.d))
	for i, d := range m.mesh.d {
		out.mesh.d[i] = offset{float32(a.a)*d.x + float32(a.b)*d.y, float32(a.d)*d.x + float32(a.e)*d.y}
	}
	out.mesh.measure()
	return out
}
