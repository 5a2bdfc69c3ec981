package tracker

import (
	"math"

	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// remembered is what was believed of an object in a keyframe.
type remembered struct {
	patch *shape.Patch
	seq   uint64
}

// since is two keyframes of an object's past: the older one is compared with, the newer one takes its place when it is old enough itself.
type since [2]remembered

// note takes what is believed in frame seq into account: the newer one is kept for some frames. A person's word begins the past anew.
func (p *since) note(patch *shape.Patch, seq uint64, frames int, anew bool) {
	now := remembered{patch, seq}
	switch {
	case anew || p[0].patch == nil:
		p[0], p[1] = now, now
	case seq >= p[1].seq+uint64(frames):
		p[0], p[1] = p[1], now
	}
}

// addTo adds to a sum about entry at of a scene that a place whose picture has not changed, where the scene leads it, is of the
// object now if it was, and is not if it was not: what moves onto a place changes it. Without it a mask that is said back creeps over
// a scene in which nothing moves.
func (p *since) addTo(s *shape.Sum, k *Tuning, scene *motion.Scene, at int) {
	was, e := p[0], scene.At(at)
	i, exact := scene.Find(was.seq)
	if was.patch == nil || !exact || i >= at || was.patch.W != e.Gray.W || was.patch.H != e.Gray.H {
		return
	}
	way := motion.Identity
	for n := i + 1; n <= at; n++ {
		way = scene.At(n).Scene.After(way)
	}
	back, then := way.Inverse(), scene.At(i)
	weight, r := float32(k.StillWeight), s.Rect()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.Row(y)
		for c := range row {
			x := r.Min.X + c
			fu, fv := back.At(float64(x), float64(y))
			u, v := int(math.Round(fu)), int(math.Round(fv))
			switch {
			case k.changed(e, then, x, y, u, v):
			case was.patch.Cell(u, v) > 0:
				row[c] += weight
			default:
				row[c] -= weight
			}
		}
	}
}

// changed says whether pixel (x, y) of an entry shows another thing than (u, v) of an earlier one, or that lies outside.
func (k *Tuning) changed(e, then *motion.Entry, x, y, u, v int) bool {
	w, h := e.Gray.W, e.Gray.H
	if u < 0 || v < 0 || u >= w || v >= h {
		return true
	}
	a, b := e.BGR[3*(y*w+x):][:3], then.BGR[3*(v*w+u):][:3]
	sum := 0
	for i := range a {
		d := int(a[i]) - int(b[i])
		sum += max(d, -d)
	}
	return sum > k.StillChange
}
