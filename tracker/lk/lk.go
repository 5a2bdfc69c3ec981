// Package lk measures optical flow in pure Go: pyramidal Lucas–Kanade in its inverse-compositional form (Baker and Matthews, "Lucas-Kanade 20
// Years On", IJCV 2004), forwards and backwards. It implements tracker.Flow. It is no dense flow and keeps no tracks.
package lk

import (
	"fmt"
	"math"
	"sync"

	"github.com/segedge/segedge/tracker"
)

// Options sets a Flow up. A zero field takes the default that its comment names.
type Options struct {
	Radius     int     // half the window's side, pixels: a window of 2·Radius+1; 5
	Levels     int     // of the pyramid at most; 5
	Iterations int     // a level at most; 8
	MaxFB      float32 // forward-backward error up to which a vector is OK, pixels; 1.5
	MinTexture float32 // least eigenvalue of the window's structure tensor, per pixel, in grey steps squared; 0.8
	Workers    int     // goroutines that share the points; 2
}

// Flow measures motion. One goroutine uses it; the workers it starts have ended when Step returns.
type Flow struct {
	opt  Options
	a, b *pyramid
	work []*searcher
}

var _ tracker.Flow = (*Flow)(nil)

// New makes a Flow.
func New(o Options) *Flow {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.Radius, 5)
	set(&o.Levels, 5)
	set(&o.Iterations, 8)
	set(&o.Workers, 2)
	if o.MaxFB <= 0 {
		o.MaxFB = 1.5
	}
	if o.MinTexture <= 0 {
		o.MinTexture = 0.8
	}
	f := &Flow{opt: o, a: &pyramid{}, b: &pyramid{}}
	for range o.Workers {
		f.work = append(f.work, newSearcher(o))
	}
	return f
}

// Step writes the motion of each point from prev to next into dst. Points are taken at their nearest pixel.
func (f *Flow) Step(prev, next *tracker.Gray, pts []tracker.Pixel, dst []tracker.Vector) error {
	if prev.W != next.W || prev.H != next.H || len(prev.Pix) != prev.W*prev.H || len(next.Pix) != next.W*next.H {
		return fmt.Errorf("lk: pictures of %dx%d and %dx%d do not match", prev.W, prev.H, next.W, next.H)
	}
	if len(dst) != len(pts) {
		return fmt.Errorf("lk: %d places for %d points", len(dst), len(pts))
	}
	if prev.Stamp != 0 && f.b.stamp == prev.Stamp {
		f.a, f.b = f.b, f.a
	}
	f.a.build(prev, f.opt.Levels)
	f.b.build(next, f.opt.Levels)
	var wg sync.WaitGroup
	n := len(f.work)
	for i, s := range f.work[1:] {
		lo, hi := (i+1)*len(pts)/n, (i+2)*len(pts)/n
		wg.Go(func() { s.run(f.a, f.b, pts[lo:hi], dst[lo:hi]) })
	}
	f.work[0].run(f.a, f.b, pts[:len(pts)/n], dst[:len(pts)/n])
	wg.Wait()
	return nil
}

// searcher is one worker's scratch space.
type searcher struct {
	opt    Options
	side   int
	tmpl   []int32 // the window in the first picture, in 1/32 grey steps
	gx, gy []int32 // its gradients
}

func newSearcher(o Options) *searcher {
	n := (2*o.Radius + 1) * (2*o.Radius + 1)
	return &searcher{opt: o, side: 2*o.Radius + 1, tmpl: make([]int32, n), gx: make([]int32, n), gy: make([]int32, n)}
}

func (s *searcher) run(a, b *pyramid, pts []tracker.Pixel, dst []tracker.Vector) {
	for i, p := range pts {
		dst[i] = s.both(a, b, p)
	}
}

// both goes there and back.
func (s *searcher) both(a, b *pyramid, p tracker.Pixel) tracker.Vector {
	x, y := int(p.X+0.5), int(p.Y+0.5)
	dx, dy, ok := s.search(a, b, x, y, 0, 0, len(a.levels)-1)
	if !ok {
		return tracker.Vector{}
	}
	v := tracker.Vector{D: tracker.Pixel{X: dx, Y: dy}}
	qx, qy := int(math.Round(float64(float32(x)+dx))), int(math.Round(float64(float32(y)+dy)))
	top := &b.levels[0]
	if qx < 0 || qy < 0 || qx >= top.w || qy >= top.h {
		return v
	}
	// The way back starts without a guess: a guess would find its own way home.
	bx, by, ok := s.search(b, a, qx, qy, 0, 0, len(a.levels)-1)
	if !ok {
		return v
	}
	v.FB = float32(math.Hypot(float64(dx+bx), float64(dy+by)))
	v.OK = v.FB <= s.opt.MaxFB
	return v
}

// search follows pixel (x, y) of a into b, from the coarsest level to the finest.
func (s *searcher) search(a, b *pyramid, x, y int, dx, dy float32, from int) (float32, float32, bool) {
	ok := false
	for l := from; l >= 0; l-- {
		k := float32(int(1) << l)
		ix, iy, good := s.level(&a.levels[l], &b.levels[l], (x+(1<<l)/2)>>l, (y+(1<<l)/2)>>l, dx/k, dy/k)
		if good || l > 0 {
			dx, dy = ix*k, iy*k
		}
		ok = good
	}
	return dx, dy, ok
}

// level refines the displacement of the window around (x, y) on one level. It is not ok where the window has no texture or leaves the
// picture.
func (s *searcher) level(a, b *plane, x, y int, dx, dy float32) (float32, float32, bool) {
	hxx, hxy, hyy := s.window(a, x, y)
	n := float32(len(s.tmpl))
	tr, det := float32(hxx+hyy), float32(hxx)*float32(hyy)-float32(hxy)*float32(hxy)
	least := (tr - float32(math.Sqrt(float64(max(0, tr*tr-4*det))))) / 2
	if least < s.opt.MinTexture*4*n || det <= 0 { // gradients are doubled
		return dx, dy, false
	}
	x0, y0 := dx, dy
	for range s.opt.Iterations {
		ex, ey, ok := s.mismatch(b, x, y, dx, dy)
		if !ok {
			return x0, y0, false
		}
		// Solve H·step = −gradient; the doubled gradients and the 1/32 steps cancel to 2/32.
		sx := (float32(hyy)*ex - float32(hxy)*ey) / det / 16
		sy := (float32(hxx)*ey - float32(hxy)*ex) / det / 16
		dx, dy = dx-sx, dy-sy
		if sx*sx+sy*sy < 0.0009 {
			break
		}
	}
	r := float32(s.opt.Radius)
	if abs(dx-x0) > 2*r || abs(dy-y0) > 2*r {
		return x0, y0, false
	}
	return dx, dy, true
}

// window copies the template around (x, y) with its gradients, edges repeated, and returns the structure tensor.
func (s *searcher) window(a *plane, x, y int) (hxx, hxy, hyy int64) {
	r := s.opt.Radius
	inside := x-r-1 >= 0 && y-r-1 >= 0 && x+r+1 < a.w && y+r+1 < a.h
	i := 0
	for v := y - r; v <= y+r; v++ {
		if inside {
			row := a.pix[v*a.w+x-r-1:][:s.side+2]
			up := a.pix[(v-1)*a.w+x-r:][:s.side]
			down := a.pix[(v+1)*a.w+x-r:][:s.side]
			for u := range up {
				gx, gy := int32(row[u+2])-int32(row[u]), int32(down[u])-int32(up[u])
				s.tmpl[i], s.gx[i], s.gy[i] = int32(row[u+1])<<5, gx, gy
				hxx, hxy, hyy = hxx+int64(gx*gx), hxy+int64(gx*gy), hyy+int64(gy*gy)
				i++
			}
			continue
		}
		for u := x - r; u <= x+r; u++ {
			gx, gy := a.get(u+1, v)-a.get(u-1, v), a.get(u, v+1)-a.get(u, v-1)
			s.tmpl[i], s.gx[i], s.gy[i] = a.get(u, v)<<5, gx, gy
			hxx, hxy, hyy = hxx+int64(gx*gx), hxy+int64(gx*gy), hyy+int64(gy*gy)
			i++
		}
	}
	return hxx, hxy, hyy
}

func (p *plane) get(x, y int) int32 {
	return int32(p.pix[min(max(y, 0), p.h-1)*p.w+min(max(x, 0), p.w-1)])
}

// mismatch is the gradient-weighted difference between the window moved by (dx, dy) in b and the template. It is not ok where the window's
// middle leaves the picture.
func (s *searcher) mismatch(b *plane, x, y int, dx, dy float32) (ex, ey float32, ok bool) {
	fx, fy := math.Floor(float64(dx)), math.Floor(float64(dy))
	cx, cy := x+int(fx), y+int(fy)
	if cx < 0 || cy < 0 || cx >= b.w || cy >= b.h {
		return 0, 0, false
	}
	ax, ay := int32((dx-float32(fx))*128), int32((dy-float32(fy))*128)
	w00, w01, w10, w11 := (128-ax)*(128-ay), ax*(128-ay), (128-ax)*ay, ax*ay
	r := s.opt.Radius
	var sx, sy int64
	if cx-r >= 0 && cy-r >= 0 && cx+r+1 < b.w && cy+r+1 < b.h {
		for v := range s.side {
			r0 := b.pix[(cy-r+v)*b.w+cx-r:][:s.side+1]
			r1 := b.pix[(cy-r+v+1)*b.w+cx-r:][:s.side+1]
			tm, gx, gy := s.tmpl[v*s.side:][:s.side], s.gx[v*s.side:][:s.side], s.gy[v*s.side:][:s.side]
			p0, p1 := int32(r0[0]), int32(r1[0])
			for u := range tm {
				q0, q1 := int32(r0[u+1]), int32(r1[u+1])
				e := (p0*w00+q0*w01+p1*w10+q1*w11)>>9 - tm[u]
				sx += int64(e * gx[u])
				sy += int64(e * gy[u])
				p0, p1 = q0, q1
			}
		}
		return float32(sx), float32(sy), true
	}
	i := 0
	for v := cy - r; v <= cy+r; v++ {
		for u := cx - r; u <= cx+r; u++ {
			e := (b.get(u, v)*w00+b.get(u+1, v)*w01+b.get(u, v+1)*w10+b.get(u+1, v+1)*w11)>>9 - s.tmpl[i]
			sx += int64(e * s.gx[i])
			sy += int64(e * s.gy[i])
			i++
		}
	}
	return float32(sx), float32(sy), true
}

func abs(v float32) float32 { return max(v, -v) }
