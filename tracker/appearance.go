package tracker

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/seg"
)

// likeness is what an object looks like to the encoder, and what is around it: the mean features of both, of the first mask and of the
// newer ones.
type likeness struct {
	first, late [2][]float64 // [outside, inside]
	frames      int
	usual       float64 // resemblance of the masks that were believed, about 1
	weights     []float64
	bias, gain  float64
	score       []seg.Logits // by map, scratch
	cells       []int32      // inside, scratch
}

const (
	likeKeep   = 0.9 // of the newer means at each keyframe
	likeAnchor = 0.5 // what the first mask weighs beside the newer ones
)

// learn takes the features inside and outside a mask into account. cover is the share of each cell that the mask covers, by map.
func (l *likeness) learn(v *sight, s *spread, cover [][]float32) {
	n := v.channels()
	if len(l.late[0]) != n {
		*l = likeness{weights: make([]float64, n)}
		for k := range 2 {
			l.first[k], l.late[k] = make([]float64, n), make([]float64, n)
		}
	}
	keep := likeKeep
	if l.frames == 0 {
		keep = 0
	}
	if !l.means(v, cover, keep) {
		return
	}
	if l.frames == 0 {
		copy(l.first[0], l.late[0])
		copy(l.first[1], l.late[1])
	}
	l.frames++
	for i := range n {
		in := likeAnchor*l.first[1][i] + (1-likeAnchor)*l.late[1][i]
		out := likeAnchor*l.first[0][i] + (1-likeAnchor)*l.late[0][i]
		l.weights[i] = in - out
	}
	s.solve(l.weights)
	l.calibrate()
}

// means moves the newer means towards this frame's. It is false when one side is empty.
func (l *likeness) means(v *sight, cover [][]float32, keep float64) bool {
	k := 0
	for i := range v.maps {
		m := &v.maps[i]
		c := cover[i]
		in, all := 0.0, v.in[i]
		l.cells = l.cells[:0]
		for j, a := range c {
			if a > 0 { // not outside, nor padding
				in += float64(a)
				l.cells = append(l.cells, int32(j))
			}
		}
		if in < 0.5 || all-in < 0.5 {
			return false
		}
		for ch := range m.C {
			sumIn, sum := 0.0, v.sums[k]
			plane := m.Data[ch*len(c):][:len(c)]
			for _, j := range l.cells {
				sumIn += float64(c[j]) * float64(plane[j])
			}
			l.late[1][k] = keep*l.late[1][k] + (1-keep)*sumIn/in
			l.late[0][k] = keep*l.late[0][k] + (1-keep)*(sum-sumIn)/(all-in)
			k++
		}
	}
	return true
}

// calibrate turns scores into a scale where the mean of the outside is −1 and that of the inside 1.
func (l *likeness) calibrate() {
	var mean [2]float64
	for k := range mean {
		for i, w := range l.weights {
			mean[k] += w * (likeAnchor*l.first[k][i] + (1-likeAnchor)*l.late[k][i])
		}
	}
	l.bias, l.gain = (mean[0]+mean[1])/2, 0
	if d := mean[1] - mean[0]; d > 1e-9 {
		l.gain = 2 / d
	}
}

// odds is how much each cell of a keyframe looks like the object, on the finest map's grid: about 1 for the object, −1 for the rest, and 0 where
// nobody asked: outside of the box. It is valid until the next call.
func (l *likeness) odds(v *sight, box seg.Box) *seg.Logits {
	sc := l.raw(v, box)
	fine := 0
	for i := range sc {
		if sc[i].W > sc[fine].W {
			fine = i
		}
	}
	out := &sc[fine]
	r := cellsIn(out, box)
	for i := range sc {
		if i != fine {
			addScaled(out, &sc[i], r)
		}
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := out.Data[y*out.W:][r.Min.X:r.Max.X]
		for i, s := range row {
			row[i] = float32(l.gain * (float64(s) - l.bias))
		}
	}
	return out
}

// cellsIn are the cells of a map that a box touches, and two more on each side for what is read between cells.
func cellsIn(l *seg.Logits, b seg.Box) image.Rectangle {
	kx, ky := float64(l.W)/l.Extent.X, float64(l.H)/l.Extent.Y
	return image.Rect(int((b.X0-l.Origin.X)*kx)-2, int((b.Y0-l.Origin.Y)*ky)-2, int((b.X1-l.Origin.X)*kx)+3, int((b.Y1-l.Origin.Y)*ky)+3).Intersect(image.Rect(0, 0, l.W, l.H))
}

// everywhere is the box of the whole frame and its padding.
var everywhere = seg.Box{X1: 2, Y1: 2}

// addScaled adds src, bilinearly, to the cells r of a finer map of the same extent.
func addScaled(dst, src *seg.Logits, r image.Rectangle) {
	kx, ky := float64(src.W)/float64(dst.W), float64(src.H)/float64(dst.H)
	for j := r.Min.Y; j < r.Max.Y; j++ {
		t := tapAt((float64(j)+0.5)*ky-0.5, src.H)
		p, q := src.Data[t.i0*src.W:][:src.W], src.Data[t.i1*src.W:][:src.W]
		row := dst.Data[j*dst.W:][:dst.W]
		for i := r.Min.X; i < r.Max.X; i++ {
			c := tapAt((float64(i)+0.5)*kx-0.5, src.W)
			top := p[c.i0] + (p[c.i1]-p[c.i0])*c.f
			bottom := q[c.i0] + (q[c.i1]-q[c.i0])*c.f
			row[i] += top + (bottom-top)*t.f
		}
	}
}

// raw is the score of each map's cells in a box.
func (l *likeness) raw(v *sight, box seg.Box) []seg.Logits {
	for len(l.score) < len(v.maps) {
		l.score = append(l.score, seg.Logits{})
	}
	l.score = l.score[:len(v.maps)]
	k := 0
	for i := range v.maps {
		m := &v.maps[i]
		o := &l.score[i]
		o.W, o.H, o.Origin, o.Extent = m.W, m.H, m.Origin, m.Extent
		if cap(o.Data) < m.W*m.H {
			o.Data = make([]float32, m.W*m.H)
		}
		o.Data = o.Data[:m.W*m.H]
		clear(o.Data)
		r := cellsIn(o, box)
		for ch := range m.C {
			w := float32(l.weights[k])
			k++
			for y := r.Min.Y; y < r.Max.Y; y++ {
				src := m.Data[(ch*m.H+y)*m.W:][r.Min.X:r.Max.X]
				dst := o.Data[y*m.W:][r.Min.X:r.Max.X]
				for j, x := range src {
					dst[j] += w * x
				}
			}
		}
	}
	return l.score
}

// inPicture is the number of columns and rows of a map whose centres lie in the picture.
func inPicture(f *seg.Features) (w, h int) {
	return min(f.W, int(math.Ceil(float64(f.W)/f.Extent.X*(1-f.Origin.X)-0.5))), min(f.H, int(math.Ceil(float64(f.H)/f.Extent.Y*(1-f.Origin.Y)-0.5)))
}

// covers is the share of each map's cells that a mask covers; -1 in the padding.
func covers(v *sight, m *seg.Mask) [][]float32 {
	out := make([][]float32, len(v.maps))
	for i := range v.maps {
		f := &v.maps[i]
		l := seg.LogitsOn(m, f.W, f.H, f.Origin, f.Extent, 1)
		w, h := inPicture(f)
		for j := range l.Data {
			if j%f.W >= w || j/f.W >= h {
				l.Data[j] = -1
				continue
			}
			l.Data[j] = (l.Data[j] + 1) / 2
		}
		out[i] = l.Data
	}
	return out
}

// What is learnt from crops and from whole frames is kept apart: a thing that fills the encoder's picture looks unlike itself far away.
const whole, cropped = 0, 1

func (v *sight) scale() int {
	if v.crop {
		return cropped
	}
	return whole
}

// appearance is what was learnt of how an object looks. Undo brings it back along with the mask.
type appearance struct {
	looks []look
	paint palette
	area  float64 // usual size, cells
	body  float64 // size in the frame of the present patch that the motion leads to expect, cells
	base  float64 // how well the colours inside the mask fitted on the last keyframe, 0..1
}

// look is what an object looks like to one model, by scale: another model's features are other numbers.
type look struct {
	model string
	like  [2]likeness
}

// maxModels bounds the models whose looks, of an object, and spreads, of the scene, are kept.
const maxModels = 4

// likeIn is what the object looks like to a sight's model at its scale; nothing yet where that has other features than were learnt.
func (a *appearance) likeIn(v *sight) *likeness {
	i := slices.IndexFunc(a.looks, func(l look) bool { return l.model == v.model })
	if i < 0 {
		if len(a.looks) == maxModels {
			a.looks = slices.Delete(a.looks, 0, 1)
		}
		i = len(a.looks)
		a.looks = append(a.looks, look{model: v.model})
	}
	l := &a.looks[i].like[v.scale()]
	if l.frames > 0 && len(l.weights) != v.channels() {
		*l = likeness{}
	}
	return l
}

// clone is an independent copy.
func (a *appearance) clone() appearance {
	c := *a
	c.looks = slices.Clone(a.looks)
	for i := range c.looks {
		for k := range c.looks[i].like {
			c.looks[i].like[k] = a.looks[i].like[k].clone()
		}
	}
	c.paint = a.paint.clone()
	return c
}

func (l *likeness) clone() likeness {
	c := *l
	for k := range 2 {
		c.first[k], c.late[k] = slices.Clone(l.first[k]), slices.Clone(l.late[k])
	}
	c.weights, c.score, c.cells = slices.Clone(l.weights), nil, nil
	return c
}

// spreadOf is how the features of a sight's model vary at its scale.
func (t *Tracker) spreadOf(v *sight) *spread {
	i := slices.IndexFunc(t.spreads, func(s modelSpread) bool { return s.model == v.model })
	if i < 0 {
		if len(t.spreads) == maxModels {
			t.spreads = slices.Delete(t.spreads, 0, 1)
		}
		i = len(t.spreads)
		t.spreads = append(t.spreads, modelSpread{model: v.model})
	}
	return &t.spreads[i].spread[v.scale()]
}

// modelSpread is the spread of one model's features, by scale.
type modelSpread struct {
	model  string
	spread [2]spread
}

// forget drops what was learnt of an object that turned out to be another thing.
func (a *appearance) forget() {
	a.paint.ready, a.looks = false, nil
}
