// Package lk measures optical flow in pure Go: pyramidal Lucas–Kanade in its inverse-compositional form (Baker and Matthews, "Lucas-Kanade
// 20 Years On", IJCV 2004), forwards and backwards. It implements motion.Flow. It is no dense flow and keeps no tracks.
package lk

import (
	"runtime"
	"sync"

	"github.com/segedge/segedge/tracker/motion"
)

// Options sets a Flow up. A zero field takes the default that its comment names.
type Options struct {
	Tuning  *Tuning // the numbers that it searches by; copied; Defaults()
	Workers int     // goroutines that share the points, never more than GOMAXPROCS; 2
}

// Flow measures motion. One goroutine uses it; the workers it starts have ended when Step returns.
type Flow struct {
	tuning Tuning
	a, b   *pyramid
	work   []*searcher
	wait   sync.WaitGroup
}

var _ motion.Flow = (*Flow)(nil)

// New makes a Flow.
func New(o Options) *Flow {
	k := Defaults()
	if o.Tuning != nil {
		k = *o.Tuning
	}
	if o.Workers <= 0 {
		o.Workers = 2
	}
	k.Radius, k.Coarse = min(k.Radius, maxRadius), min(k.Coarse, maxRadius)
	f := &Flow{tuning: k, a: &pyramid{}, b: &pyramid{}}
	for range min(o.Workers, runtime.GOMAXPROCS(0)) {
		f.work = append(f.work, newSearcher(k, &f.wait))
	}
	return f
}

// Step writes the motion of each point from prev to next into dst. Points are taken at their nearest pixel of the picture.
func (f *Flow) Step(prev, next *motion.Gray, pts []motion.Pixel, dst []motion.Vector) error {
	if err := motion.CheckStep(prev, next, pts, dst); err != nil {
		return err
	}
	if len(pts) == 0 {
		return nil
	}
	if prev.Stamp != 0 && f.b.stamp == prev.Stamp {
		f.a, f.b = f.b, f.a
	}
	f.a.build(&f.tuning, prev)
	f.b.build(&f.tuning, next)
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
