// Package synthetic renders a small park: a toy car, two beach balls, a tumbling toy block and a bird over a panning
// lawn, under passing clouds, with sensor noise — and knows the exact visible mask of each of them in every frame. It is
// the demonstration source and the ground truth of many tests. It is not a physics engine: everything is a closed
// function of the frame's number and the seed, so any frame can be asked for at any time.
package synthetic

import (
	"fmt"
	"sync"
	"time"

	"github.com/segedge/segedge/frame"
)

// Defaults of Options.
const (
	DefaultWidth  = 1280
	DefaultHeight = 720
	DefaultFPS    = 30
	DefaultPreset = "default"
	DefaultNoise  = 2.0
)

// Options says what to render. The zero value is the demonstration at 1280×720, 30 frames a second.
type Options struct {
	Width, Height int     // pixels, even, 64 to 8192; 0 for the default
	FPS           float64 // frames a second, 1 to 240; 0 for the default
	Seed          uint64  // texture, noise and clouds; the motion does not depend on it
	Preset        string  // one of Presets; "" for the default
	Noise         float64 // standard deviation of the sensor noise in grey levels, at most 3; 0 for the default, negative for none
}

// Scene is a scene ready to be rendered. It holds its textures (about 20 MB at 720p). Safe for concurrent use.
type Scene struct {
	o      Options
	plan   plan
	ground *backdrop
	light  *light

	mu   sync.Mutex // guards the scratch of Render
	work scratch
}

// scratch is what one rendering needs and keeps between frames.
type scratch struct {
	poses []pose
	row   []px
	shade []uint64
}

// New prepares a scene; it takes a fraction of a second. It fails on a size, rate or preset out of range.
func New(o Options) (*Scene, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	s := &Scene{o: o, plan: newPlan(o), light: newLight(o)}
	s.ground = newBackdrop(o, s.plan.pan, s.plan.shake)
	s.work = s.newScratch()
	return s, nil
}

// Validate reports what New would refuse, without the cost of painting.
func (o Options) Validate() error { return o.fill() }

func (o *Options) fill() error {
	setDefault(&o.Width, DefaultWidth)
	setDefault(&o.Height, DefaultHeight)
	setDefault(&o.FPS, DefaultFPS)
	setDefault(&o.Preset, DefaultPreset)
	setDefault(&o.Noise, DefaultNoise)
	o.Noise = min(max(o.Noise, 0), 3)
	if o.Width%2 != 0 || o.Height%2 != 0 || min(o.Width, o.Height) < 64 || max(o.Width, o.Height) > 8192 {
		return fmt.Errorf("synthetic scene: size %dx%d: both sides must be even and between 64 and 8192", o.Width, o.Height)
	}
	if !(o.FPS >= 1 && o.FPS <= 240) {
		return fmt.Errorf("synthetic scene: %g frames a second: must lie between 1 and 240", o.FPS)
	}
	if !known(o.Preset) {
		return fmt.Errorf("synthetic scene: no preset %q; there are %v", o.Preset, Presets())
	}
	return nil
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

func (s *Scene) newScratch() scratch {
	return scratch{
		poses: make([]pose, len(s.plan.actors)),
		row:   make([]px, s.o.Width),
		shade: make([]uint64, s.light.shadeLen()),
	}
}

// Options are the options in force, defaults filled in.
func (s *Scene) Options() Options { return s.o }

// Time is the moment of frame n, from frame 0.
func (s *Scene) Time(n uint64) time.Duration {
	return time.Duration(float64(n) / s.o.FPS * float64(time.Second))
}

// Render draws frame n, n from 0, into dst, resizing it, and sets its PTS. The same options and n give the same bytes
// on one architecture; another may differ in the last bit where it fuses multiplications.
func (s *Scene) Render(n uint64, dst *frame.Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dst.Resize(s.o.Width, s.o.Height)
	dst.PTS = s.Time(n)
	t := s.seconds(n)
	v := s.plan.view(t, s.o)
	s.plan.pose(t, s.o, v, s.work.poses)
	sun := s.light.prepare(t, s.work.shade)
	for y := range s.o.Height {
		row := dst.Pix[y*dst.Stride():][:dst.Stride()]
		s.ground.copyRow(row, y, v)
		s.drawShadows(row, y)
		s.drawActors(row, y)
		s.light.apply(row, n, y, sun, s.work.shade)
	}
}

func (s *Scene) seconds(n uint64) float64 { return float64(n) / s.o.FPS }

// drawActors paints row y of every object, the farthest first.
func (s *Scene) drawActors(row []byte, y int) {
	for i := range s.plan.actors {
		p := &s.work.poses[i]
		if y < p.y0 || y >= p.y1 {
			continue
		}
		x0, x1 := max(p.x0, 0), min(p.x1, s.o.Width)
		if x0 >= x1 {
			continue
		}
		buf := s.work.row[:x1-x0]
		clear(buf)
		s.plan.actors[i].shape.span(p, y, x0, buf)
		blend(row[3*x0:3*x1], buf)
	}
}

// drawShadows darkens the lawn under the objects: a soft ellipse where each touches, or would touch, the ground.
func (s *Scene) drawShadows(row []byte, y int) {
	for i := range s.work.poses {
		s.work.poses[i].shade(row, y, s.o.Width)
	}
}
