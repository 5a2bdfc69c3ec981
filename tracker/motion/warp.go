package motion

import (
	"image"
	"slices"
)

// Warp says where places of one frame lay in another one: an affine map, and on a mesh how far what lies near a node has gone its own way.
type Warp struct {
	Affine
	Mesh Mesh
}

// Still is the warp that moves nothing.
var Still = Warp{Affine: Identity}

// At is where the place (x, y) lay.
func (w *Warp) At(x, y float64) (u, v float64) {
	u, v = w.Affine.At(x, y)
	if w.Mesh.w == 0 {
		return u, v
	}
	dx, dy := w.Mesh.At(x, y)
	return u + dx, v + dy
}

// Stepped is the warp of the next frame: step leads there, and local is what of it the affine motion does not explain, nil for nothing. r
// is what its mesh must cover there, over the memory of spare, which nothing else may use any more.
func (w *Warp) Stepped(k *Tuning, step Affine, local *Mesh, r image.Rectangle, spare Mesh) Warp {
	inv := step.Inverse()
	out := Warp{Affine: w.After(inv)}
	if w.Mesh.w == 0 && local == nil || r.Empty() {
		return out
	}
	out.Mesh.over(r, k.MeshStep, spare.nodes)
	m := &out.Mesh
	for j := range m.h {
		y := float64((m.y + j) * m.step)
		for i := range m.w {
			x := float64((m.x + i) * m.step)
			u, v := inv.At(x, y)
			var dx, dy float64
			if local != nil {
				lx, ly := local.At(x, y)
				u, v = u+lx, v+ly
				dx, dy = w.A*lx+w.B*ly, w.D*lx+w.E*ly
			}
			ox, oy := w.Mesh.At(u, v)
			m.nodes[j*m.w+i] = offset{float32(dx + ox), float32(dy + oy)}
		}
	}
	m.measure()
	return out
}

// Then is the warp followed by an affine map, with a mesh of its own.
func (w *Warp) Then(a Affine) Warp {
	out := Warp{Affine: a.After(w.Affine), Mesh: w.Mesh}
	out.Mesh.nodes = make([]offset, len(w.Mesh.nodes))
	for i, d := range w.Mesh.nodes {
		out.Mesh.nodes[i] = offset{float32(a.A)*d.x + float32(a.B)*d.y, float32(a.D)*d.x + float32(a.E)*d.y}
	}
	out.Mesh.measure()
	return out
}

// Clone is a copy with a mesh of its own.
func (w *Warp) Clone() Warp {
	out := *w
	out.Mesh.nodes = slices.Clone(w.Mesh.nodes)
	return out
}
