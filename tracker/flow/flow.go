// Package flow measures optical flow with OpenCV: pyramidal Lucas–Kanade (Bouguet 2000), forwards and backwards. It implements motion.Flow
// and needs cgo. It is what tracker/lk, which the agent uses, is measured against: segedge bench --flow opencv.
package flow

import (
	"fmt"
	"image"
	"math"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/tracker/motion"
)

// Options sets a Flow up. A zero field takes the default that its comment names.
type Options struct {
	Window     int     // the window's side, pixels, odd; 15
	Levels     int     // of the pyramid above the picture; 3
	Iterations int     // a level at most; 10
	MaxFB      float32 // forward-backward error up to which a vector is OK, pixels; 1.5
	MinTexture float64 // OpenCV's minEigThreshold; 1e-4
}

// Flow measures motion. One goroutine uses it. All its matrices are C memory of its own, filled by copying (a reduced grey picture is some
// 80 kB), and live until Close.
type Flow struct {
	opt        Options
	prev, next gocv.Mat
	stamp      uint64 // of the picture in next
	from, to   gocv.Mat
	home       gocv.Mat
	there      gocv.Mat // status and error of the way there
	thereErr   gocv.Mat
	back       gocv.Mat
	backErr    gocv.Mat
	until      gocv.TermCriteria
}

var _ motion.Flow = (*Flow)(nil)

// New makes a Flow. Close frees it.
func New(o Options) *Flow {
	if o.Window <= 0 {
		o.Window = 15
	}
	if o.Levels <= 0 {
		o.Levels = 3
	}
	if o.Iterations <= 0 {
		o.Iterations = 10
	}
	if o.MaxFB <= 0 {
		o.MaxFB = 1.5
	}
	if o.MinTexture <= 0 {
		o.MinTexture = 1e-4
	}
	f := &Flow{opt: o, until: gocv.NewTermCriteria(gocv.Count|gocv.EPS, o.Iterations, 0.03)}
	for _, m := range f.mats() {
		*m = gocv.NewMat()
	}
	return f
}

func (f *Flow) mats() []*gocv.Mat {
	return []*gocv.Mat{&f.prev, &f.next, &f.from, &f.to, &f.home, &f.there, &f.thereErr, &f.back, &f.backErr}
}

// Close frees the matrices.
func (f *Flow) Close() error {
	for _, m := range f.mats() {
		if err := m.Close(); err != nil {
			return fmt.Errorf("flow: %w", err)
		}
	}
	return nil
}

// Step writes the motion of each point from prev to next into dst.
func (f *Flow) Step(prev, next *motion.Gray, pts []motion.Pixel, dst []motion.Vector) error {
	if err := motion.CheckStep(prev, next, pts, dst); err != nil {
		return err
	}
	if len(pts) == 0 {
		return nil
	}
	if prev.Stamp != 0 && prev.Stamp == f.stamp {
		f.prev, f.next = f.next, f.prev
	} else if err := load(&f.prev, prev); err != nil {
		return err
	}
	if err := load(&f.next, next); err != nil {
		return err
	}
	f.stamp = next.Stamp
	if err := f.setPoints(pts); err != nil {
		return err
	}
	win, eig := image.Pt(f.opt.Window, f.opt.Window), f.opt.MinTexture
	gocv.CalcOpticalFlowPyrLKWithParams(f.prev, f.next, f.from, f.to, &f.there, &f.thereErr, win, f.opt.Levels, f.until, 0, eig)
	gocv.CalcOpticalFlowPyrLKWithParams(f.next, f.prev, f.to, f.home, &f.back, &f.backErr, win, f.opt.Levels, f.until, 0, eig)
	return f.vectors(pts, dst)
}

func load(m *gocv.Mat, g *motion.Gray) error {
	if m.Rows() != g.H || m.Cols() != g.W {
		if err := m.Close(); err != nil {
			return fmt.Errorf("flow: %w", err)
		}
		*m = gocv.NewMatWithSize(g.H, g.W, gocv.MatTypeCV8U)
	}
	pix, err := m.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	copy(pix, g.Pix)
	return nil
}

func (f *Flow) setPoints(pts []motion.Pixel) error {
	if f.from.Rows() != len(pts) {
		if err := f.from.Close(); err != nil {
			return fmt.Errorf("flow: %w", err)
		}
		f.from = gocv.NewMatWithSize(len(pts), 1, gocv.MatTypeCV32FC2)
	}
	xy, err := f.from.DataPtrFloat32()
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	for i, p := range pts {
		xy[2*i], xy[2*i+1] = p.X, p.Y
	}
	return nil
}

func (f *Flow) vectors(pts []motion.Pixel, dst []motion.Vector) error {
	to, err := f.to.DataPtrFloat32()
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	home, err := f.home.DataPtrFloat32()
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	there, err := f.there.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	back, err := f.back.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("flow: %w", err)
	}
	for i, p := range pts {
		v := motion.Vector{D: motion.Pixel{X: to[2*i] - p.X, Y: to[2*i+1] - p.Y}}
		v.FB = float32(math.Hypot(float64(home[2*i]-p.X), float64(home[2*i+1]-p.Y)))
		v.OK = there[i] == 1 && back[i] == 1 && v.FB <= f.opt.MaxFB
		dst[i] = v
	}
	return nil
}
