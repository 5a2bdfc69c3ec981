// Package lk measures optical flow in pure Go: pyramidal Lucas–Kanade in its inverse-compositional form (Baker and Matthews, "Lucas-Kanade
// 20 Years On", IJCV 2004), forwards and backwards. It implements motion.Flow. It is no dense flow and keeps no tracks.
package lk

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/segedge/segedge/tracker/motion"
)

// Options sets a Flow up. A zero field takes the default that its comment names.
type Options struct {
	Radius     int     // half the window's side on the finest level, pixels: a window of 2·Radius+1, at most 9; 6
	Coarse     int     // the same on the levels above, at most 9; 5
	Levels     int     // of the pyramid at most; 4
	Iterations int     // a level at most; 10
	MaxFB      float32 // forward-backward error up to which a vector is OK, pixels; 1.5
	MinTexture float32 // least eigenvalue of the window's structure tensor, per pixel, in grey steps squared; 0.8
	Workers    int     // goroutines that share the points, never more than GOMAXPROCS; 2
}

// Flow measures motion. One goroutine uses it; the workers it starts have ended when Step returns.
type Flow struct {
	opt  Options
	a, b *pyramid
	work []*searcher
	wait sync.WaitGroup
}

var _ motion.Flow = (*Flow)(nil)

// New makes a Flow.
func New(o Options) *Flow {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&o.Radius, 6)
	set(&o.Coarse, 5)
	set(&o.Levels, 4)
	set(&o.Iterations, 10)
	set(&o.Workers, 2)
	if o.MaxFB <= 0 {
		o.MaxFB = 1.5
	}
	if o.MinTexture <= 0 {
		o.MinTexture = 0.8
	}
	o.Radius, o.Coarse = min(o.Radius, maxRadius), min(o.Coarse, maxRadius)
	f := &Flow{opt: o, a: &pyramid{}, b: &pyramid{}}
	for range min(o.Workers, runtime.GOMAXPROCS(0)) {
		f.work = append(f.work, newSearcher(o, &f.wait))
	}
	return f
}

// Step writes the motion of each point from prev to next into dst. Points are taken at their nearest pixel of the picture.
func (f *Flow) Step(prev, next *motion.Gray, pts []motion.Pixel, dst []motion.Vector) error {
	if prev.W != next.W || prev.H != next.H || len(prev.Pix) != prev.W*prev.H || len(next.Pix) != next.W*next.H {
		return fmt.Errorf("lk: pictures of %dx%d and %dx%d do not match", prev.W, prev.H, next.W, next.H)
	}
	if len(dst) != len(pts) {
		return fmt.Errorf("lk: %d places for %d points", len(dst), len(pts))
	}
	if len(pts) == 0 {
		return nil
	}
	if prev.Stamp != 0 && f.b.stamp == prev.Stamp {
		f.a, f.b = f.b, f.a
	}
	pad := max(f.opt.Radius, f.opt.Coarse) + 2
	f.a.build(prev, f.opt.Levels, pad)
	f.b.build(next, f.opt.Levels, pad)
	n := len(f.work)
	for i, s := range f.work {
		lo, hi := i*len(pts)/n, (i+1)*len(pts)/n
		s.a, s.b, s.pts, s.dst = f.a, f.b, pts[lo:hi], dst[lo:hi]
		if i > 0 {
			f.wait.Add(1)
			go s.aside()
		}
	}
	f.work[0].run()
	f.wait.Wait()
	return nil
}
