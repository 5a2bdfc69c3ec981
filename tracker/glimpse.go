package tracker

import (
	"math"

	"github.com/segedge/segedge/tracker/motion"
)

// glimpse is what a place is known by: the colours of its picture, which stay where a camera turns a little or zooms, and its layout, which
// stays where the light becomes another one.
type glimpse struct {
	seq     uint64
	colours palette
	layout  layout
}

func glimpseOf(e *motion.Entry) *glimpse { return &glimpse{e.Seq, paletteOf(e), layoutOf(e)} }

// another says whether two glimpses are of two places: neither the colours nor the layout agree.
func (g *glimpse) another(h *glimpse, k *Tuning) bool {
	return g.colours.common(&h.colours) < k.Half && g.layout.alike(&h.layout) < k.Half
}

// layout is how bright each cell of a grid is against those around it.
type layout [layoutSide * layoutSide]float64

func layoutOf(e *motion.Entry) (l layout) {
	var mean layout
	w, h := e.Gray.W, e.Gray.H
	for y := range layoutSide {
		for x := range layoutSide {
			x0, x1, y0, y1 := x*w/layoutSide, max((x+1)*w/layoutSide, x*w/layoutSide+1), y*h/layoutSide, max((y+1)*h/layoutSide, y*h/layoutSide+1)
			sum := 0
			for v := y0; v < y1; v++ {
				for _, b := range e.BGR[3*(v*w+x0) : 3*(v*w+x1)] {
					sum += int(b)
				}
			}
			mean[y*layoutSide+x] = float64(sum) / float64((x1-x0)*(y1-y0))
		}
	}
	for y := range layoutSide {
		for x := range layoutSide {
			sum, n := 0.0, 0.0
			for v := max(y-1, 0); v <= min(y+1, layoutSide-1); v++ {
				for u := max(x-1, 0); u <= min(x+1, layoutSide-1); u++ {
					sum += mean[v*layoutSide+u]
					n++
				}
			}
			l[y*layoutSide+x] = mean[y*layoutSide+x] - sum/n
		}
	}
	return l
}

// alike is the correlation of two layouts: 1 for the same place, about 0 for two.
func (l *layout) alike(m *layout) float64 {
	var a, b, both float64
	for i := range l {
		a, b, both = a+l[i]*l[i], b+m[i]*m[i], both+l[i]*m[i]
	}
	return both / max(math.Sqrt(a*b), 1e-9)
}

// palette is the share that each of the coarse colours has in a picture.
type palette [paletteLevels * paletteLevels * paletteLevels]float32

func paletteOf(e *motion.Entry) (p palette) {
	n := len(e.BGR) / 3
	for i := range n {
		c := e.BGR[3*i:][:3]
		p[(int(c[0])*paletteLevels>>8*paletteLevels+int(c[1])*paletteLevels>>8)*paletteLevels+int(c[2])*paletteLevels>>8] += 1 / float32(n)
	}
	return p
}

// common is the share of the picture that two palettes have in common.
func (p *palette) common(q *palette) float64 {
	var sum float32
	for i := range p {
		sum += min(p[i], q[i])
	}
	return float64(sum)
}

// glimpses are what pictures looked like of late: the newer one takes the older one's place when it is a second old, so that the older one
// is of a time before what has just changed.
type glimpses struct {
	older, newer *glimpse
	asked        *glimpse
}

// of is the glimpse of an entry, kept until another's is asked for: all that is lost is looked for in one frame.
func (a *glimpses) of(e *motion.Entry) *glimpse {
	if a.asked == nil || a.asked.seq != e.Seq {
		a.asked = glimpseOf(e)
	}
	return a.asked
}

// note looks at the newest entry once a second.
func (a *glimpses) note(e *motion.Entry, second int) {
	if a.newer == nil || e.Seq >= a.newer.seq+uint64(second) {
		a.older, a.newer = a.newer, glimpseOf(e)
	}
}

// before is what an object is known by that was in the picture until now: the picture as it was a second ago or earlier, as it was first,
// where it is younger, or, where that is of before the object was found, the one that it was found in.
func (a *glimpses) before(found *glimpse) *glimpse {
	g := a.older
	if g == nil {
		g = a.newer
	}
	if g == nil || found != nil && found.seq > g.seq {
		return found
	}
	return g
}
