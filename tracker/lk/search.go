package lk

import (
	"math"
	"sync"

	"github.com/segedge/segedge/tracker/motion"
)

// searcher is one worker: its share of a step and its scratch space.
type searcher struct {
	most  int    // iterations
	aside func() // run, for a goroutine of its own; made once, since a closure costs an allocation

	a, b *pyramid
	pts  []motion.Pixel
	dst  []motion.Vector

	maxFB, texture, still2 float32

	fine, coarse window
}

func newSearcher(k Tuning, wait *sync.WaitGroup) *searcher {
	s := &searcher{
		most: k.Iterations, maxFB: float32(k.MaxFB), texture: float32(k.MinTexture), still2: float32(k.StillStep2),
		fine: newWindow(k.Radius), coarse: newWindow(k.Coarse),
	}
	s.aside = func() {
		defer wait.Done()
		s.run()
	}
	return s
}

func (s *searcher) run() {
	for i, p := range s.pts {
		s.dst[i] = s.both(p)
	}
}

// both goes there and back.
func (s *searcher) both(p motion.Pixel) motion.Vector {
	top := &s.b.levels[0]
	x, y := min(max(round(p.X), 0), top.w-1), min(max(round(p.Y), 0), top.h-1)
	dx, dy, ok := s.search(s.a, s.b, x, y)
	if !ok {
		return motion.Vector{}
	}
	v := motion.Vector{D: motion.Pixel{X: dx, Y: dy}}
	qx, qy := round(float32(x)+dx), round(float32(y)+dy)
	if qx < 0 || qy < 0 || qx >= top.w || qy >= top.h {
		return v
	}
	// The way back starts without a guess: a guess would find its own way home.
	bx, by, ok := s.search(s.b, s.a, qx, qy)
	if !ok {
		return v
	}
	v.FB = float32(math.Sqrt(float64((dx+bx)*(dx+bx) + (dy+by)*(dy+by))))
	v.OK = v.FB <= s.maxFB
	return v
}

func round(v float32) int { return floor(v + 0.5) }

func floor(v float32) int {
	i := int(v)
	if float32(i) > v {
		i--
	}
	return i
}

// search follows pixel (x, y) of a into b, from the coarsest level to the finest. Where the finest has no texture, the
// answer of the coarser ones stands: their windows reach the edges of a flat thing.
func (s *searcher) search(a, b *pyramid, x, y int) (dx, dy float32, ok bool) {
	s.fine.take(&a.levels[0], x, y)
	flat, found := s.fine.least() < s.texture, false
	for l := len(a.levels) - 1; l > 0; l-- {
		k := float32(int(1) << l)
		from := &a.levels[l]
		u, v := min((x+(1<<l)/2)>>l, from.w-1), min((y+(1<<l)/2)>>l, from.h-1)
		if s.coarse.take(from, u, v); s.coarse.least() < s.texture {
			continue
		}
		if ix, iy, ok := s.refine(&s.coarse, &b.levels[l], u, v, dx/k, dy/k); ok {
			dx, dy, found = ix*k, iy*k, true
		}
	}
	if flat {
		return dx, dy, found
	}
	return s.refine(&s.fine, &b.levels[0], x, y, dx, dy)
}

// refine improves the displacement (x0, y0) of a window that was taken around (x, y). It is not ok where the window's middle leaves the
// picture or goes so far that the window cannot have seen the way.
func (s *searcher) refine(w *window, b *plane, x, y int, x0, y0 float32) (dx, dy float32, ok bool) {
	dx, dy = x0, y0
	cx, cy := floor(dx), floor(dy)
	if !w.compare(b, x+cx, y+cy) {
		return x0, y0, false
	}
	for range s.most {
		sx, sy := w.step(dx-float32(cx), dy-float32(cy))
		dx, dy = dx-sx, dy-sy
		if sx*sx+sy*sy < s.still2 {
			break
		}
		if nx, ny := floor(dx), floor(dy); nx != cx || ny != cy {
			cx, cy = nx, ny
			if !w.compare(b, x+cx, y+cy) {
				return x0, y0, false
			}
		}
	}
	if far := float32(2 * w.radius); abs(dx-x0) > far || abs(dy-y0) > far {
		return x0, y0, false
	}
	return dx, dy, true
}

func abs(v float32) float32 { return max(v, -v) }
