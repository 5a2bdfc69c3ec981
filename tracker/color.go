package tracker

import (
	"cmp"
	"image/color"
	"math"
	"slices"
)

// neighbours are the objects whose colours a new one's is told from, at most: the nearest.
const neighbours = 8

// paint chooses what an object is painted in, by what it looks like now and who is around it.
func (t *Tracker) paint(o *object) {
	if t.opt.Color == nil || o.color.A > 0 {
		return
	}
	type neighbour struct {
		color color.RGBA
		far   float64
	}
	var others []neighbour
	x, y := o.track.Center()
	for _, q := range t.objects {
		if q != o && q.color.A > 0 && q.track != nil {
			u, v := q.track.Center()
			others = append(others, neighbour{q.color, math.Hypot(u-x, v-y)})
		}
	}
	slices.SortStableFunc(others, func(a, b neighbour) int { return cmp.Compare(a.far, b.far) })
	var near []color.RGBA
	for _, n := range others[:min(len(others), neighbours)] {
		near = append(near, n.color)
	}
	o.color = t.opt.Color(o.id, t.meanColor(o), near)
}

// meanColor is the mean colour of an object's pixels in the newest frame.
func (t *Tracker) meanColor(o *object) color.RGBA {
	e := t.scene.Last()
	var sum [3]int
	n := 0
	o.track.Each(func(x, y int) {
		if x < 0 || y < 0 || x >= e.Gray.W || y >= e.Gray.H {
			return
		}
		p := e.BGR[3*(y*e.Gray.W+x):][:3]
		sum[0], sum[1], sum[2] = sum[0]+int(p[2]), sum[1]+int(p[1]), sum[2]+int(p[0])
		n++
	})
	n = max(n, 1)
	return color.RGBA{uint8(sum[0] / n), uint8(sum[1] / n), uint8(sum[2] / n), 255}
}
