package synthetic

import (
	"math"
	"slices"
)

// The names of the objects, as Truth gives them. Their first-frame places are (0.2, 0.5), (0.4, 0.5), (0.6, 0.5) and
// (0.8, 0.5); the bird is in the presets default and crowd only.
const (
	Car    = "car"
	Ball   = "ball"
	Twin   = "twin" // the look-alike of Ball
	Block  = "block"
	Bird   = "bird"
	aspect = 16.0 / 9
)

// plan is what moves how. Immutable.
type plan struct {
	actors []actor // the farthest first
	pan    float64 // how far the camera pans, of the picture's width
	shake  float64 // how far the picture shakes, of its width
}

// actor is an object: a shape, half its size in picture heights, and its motion.
type actor struct {
	name  string
	shape shape
	size  float64
	move  motion
}

// motion is where an object is at t seconds.
type motion func(t float64) state

// preset isolates a difficulty.
type preset struct {
	car, ball, twin, block, bird motion
	shake                        float64
}

// Presets are the scenes there are: the demonstration, in which a car leaves and comes back and one ball goes behind a block; a crowd, in
// which all hide each other; and one for each difficulty that a tracker meets.
func Presets() []string {
	return []string{"default", "crowd", "calm", "crossing", "occlusion", "leave", "light", "fast", "shake"}
}

func known(name string) bool {
	return slices.Contains(Presets(), name)
}

// presetOf is the motion of a scene. In calm every object keeps to a lane of its own and nothing else happens; the
// others change one thing in it.
func presetOf(name string) preset {
	p := preset{car: calmCar, ball: calmBall, twin: calmTwin, block: calmBlock}
	switch name {
	case "default":
		return preset{car: drivingCar, ball: lawnBall, twin: passingTwin, block: standingBlock, bird: passingBird}
	case "crowd":
		return preset{car: drivingCar, ball: bouncingBall, twin: bouncingTwin, block: flyingBlock, bird: passingBird}
	case "crossing":
		p = preset{car: lowCar, ball: bouncingBall, twin: bouncingTwin, block: highBlock}
	case "occlusion":
		p = preset{car: lowCar, ball: hidingBall, twin: calmTwin, block: hidingBlock}
	case "leave":
		p.car = leavingCar
	case "fast":
		p = preset{car: faster(calmCar, 3), ball: faster(calmBall, 3), twin: faster(calmTwin, 2.5), block: faster(calmBlock, 3)}
	case "shake":
		p.shake = 0.012
	}
	return p
}

func newPlan(o Options) plan {
	const carSize, ballSize, blockSize, birdSize = 0.17, 0.11, 0.082, 0.085
	pr := presetOf(o.Preset)
	h := float64(o.Height)
	beach := newBall(mix64(o.Seed + 3))
	p := plan{pan: 0.12, shake: pr.shake}
	if pr.bird != nil {
		p.actors = append(p.actors, actor{Bird, newBird(birdSize * h), birdSize, pr.bird})
	}
	p.actors = append(p.actors,
		actor{Car, newCar(mix64(o.Seed+1), carSize*h), carSize, pr.car},
		actor{Ball, beach, ballSize, pr.ball},
		actor{Twin, beach, ballSize, pr.twin},
		actor{Block, newBox(mix64(o.Seed+2), math.Max(24, blockSize*h*1.1)), blockSize, pr.block})
	return p
}

// pose places every actor at t seconds into dst.
func (p *plan) pose(t float64, o Options, v view, dst []pose) {
	for i, a := range p.actors {
		s := a.move(t)
		s.place(&dst[i], a.shape, a.size, float64(o.Width), float64(o.Height), v)
	}
}

// view is where the camera looks in one frame, in pixels.
type view struct{ dx, dy, pan float64 }

const panPeriod = 24 // seconds

func (p *plan) view(t float64, o Options) view {
	w := float64(o.Width)
	return view{
		dx:  math.Round(p.shake * w * (0.6*math.Sin(2*math.Pi*6.3*t) + 0.4*math.Sin(2*math.Pi*10.7*t))),
		dy:  math.Round(p.shake * w * (0.6*math.Sin(2*math.Pi*7.1*t) + 0.4*math.Sin(2*math.Pi*4.9*t))),
		pan: p.pan * w * (0.5 - 0.5*math.Cos(2*math.Pi*t/panPeriod)),
	}
}

// sunOf is the brightness over time of a preset, and how dark its clouds' shadows are.
func sunOf(name string) (sun func(t float64) float64, clouds float64) {
	switch name {
	case "default", "crowd":
		return func(t float64) float64 { return 0.97 + 0.03*math.Cos(2*math.Pi*t/13) }, 0.30
	case "light":
		return flicker, 0.45
	}
	return func(float64) float64 { return 1 }, 0
}

// flicker is a lamp that fails: a step down at three seconds, a way back, a flicker, and a slow swing.
func flicker(t float64) float64 {
	switch t = math.Mod(t, 10); {
	case t < 3:
		return 1
	case t < 5:
		return 0.55 + 0.2*(t-3)
	case t < 6.5:
		return 0.9 + 0.1*math.Cos(2*math.Pi*8*t)
	}
	return 0.8 + 0.2*math.Cos(2*math.Pi*(t-6.5)/3.5)
}
