package synthetic

import (
	"image"

	"github.com/segedge/segedge/seg"
)

// Object is what the scene knows of an object in one frame.
type Object struct {
	Name    string
	Mask    *seg.Mask // at the size of the frame: the pixels that show it, where it covers at least half of one
	Visible float64   // the part of the object that is neither hidden nor outside the picture, 0..1
}

// Truth is every object of frame n, the nearest first: exact, since the renderer's own coverage decides it. Shadows do
// not belong to an object.
func (s *Scene) Truth(n uint64) []Object {
	w, h := s.o.Width, s.o.Height
	t := s.seconds(n)
	poses := make([]pose, len(s.plan.actors))
	s.plan.pose(t, s.o, s.plan.view(t, s.o), poses)
	taken := make([]bool, w*h)
	objects := make([]Object, 0, len(poses))
	for i := len(poses) - 1; i >= 0; i-- {
		a := s.plan.actors[i]
		objects = append(objects, silhouette(a, &poses[i], w, h, taken))
	}
	return objects
}

// silhouette is the part of an actor that no nearer one has taken.
func silhouette(a actor, p *pose, w, h int, taken []bool) Object {
	m := seg.NewMask(w, h, image.Rect(p.x0, p.y0, p.x1, p.y1))
	row := make([]px, p.x1-p.x0)
	all, shown := 0, 0
	for y := p.y0; y < p.y1; y++ {
		clear(row)
		a.shape.span(p, y, p.x0, row)
		for i := range row {
			if row[i].a < 0.5 {
				continue
			}
			all++
			x := p.x0 + i
			if x < 0 || x >= w || y < 0 || y >= h || taken[y*w+x] {
				continue
			}
			taken[y*w+x] = true
			shown++
			m.Row(y)[x-m.Rect.Min.X] = 1
		}
	}
	o := Object{Name: a.name, Mask: m.Trim()}
	if all > 0 {
		o.Visible = float64(shown) / float64(all)
	}
	return o
}
