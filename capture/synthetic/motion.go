package synthetic

import "math"

// sway runs to and fro around mid, reach to each side, once in period seconds. It is at start when t is 0, going
// right if right is set, else left.
func sway(t, mid, reach, period, start float64, right bool) float64 {
	phase := math.Asin((start - mid) / reach)
	if right {
		return mid + reach*math.Sin(phase+2*math.Pi*t/period)
	}
	return mid + reach*math.Sin(phase-2*math.Pi*t/period)
}

// bounce is the height, 0 to high, of something that bounces once in period seconds; phase in periods.
func bounce(t, high, period, phase float64) float64 {
	_, k := math.Modf(t/period + phase)
	return 4 * high * k * (1 - k)
}

// settle moves from the middle of the picture to a lane within a second.
func settle(t, lane float64) float64 { return 0.5 + (lane-0.5)*smooth(0, 1, t) }

// roll is the turn of a wheel of a radius, in picture heights, that rolled dx picture widths to the right.
func roll(dx, radius float64) float64 { return dx * aspect / radius }

// faster runs a motion k times as fast, and its turning half as much again.
func faster(m motion, k float64) motion {
	return func(t float64) state {
		s, slow := m(k*t), m(1.5*t)
		s.ax, s.ay, s.az = slow.ax, slow.ay, slow.az
		return s
	}
}

// drive is a car on the path whose wheels turn with the way.
func drive(x, y float64, flip bool) state {
	s := state{x: x, y: y, scale: 1, phase: x * aspect / (2 * math.Pi * tyre * 0.17), flip: flip, ground: y + 0.079}
	if flip {
		s.phase = -s.phase
	}
	s.y -= 0.0025 * (1 + math.Sin(9*2*math.Pi*x)) // the springs
	return s
}

// shuttle is the place of something that goes beyond both edges and comes back, at a speed in widths a second.
func shuttle(t, speed, start, low, high float64) (x float64, back bool) {
	span := high - low
	d := math.Mod(start-low+speed*t, 2*span)
	if d <= span {
		return low + d, false
	}
	return high - (d - span), true
}

func drivingCar(t float64) state {
	x, back := shuttle(t, 0.125, 0.2, -0.16, 1.16)
	return drive(x, 0.5, back)
}

func leavingCar(t float64) state {
	x, back := shuttle(t, 0.24, 0.2, -0.25, 1.25)
	return drive(x, 0.5, back)
}

func calmCar(t float64) state {
	return drive(sway(t, 0.5, 0.36, 9, 0.2, true), 0.5, false)
}

func lowCar(t float64) state {
	return drive(sway(t, 0.5, 0.36, 9, 0.2, true), settle(t, 0.9), false)
}

// bounced is a beach ball at x that is y above the ground at the given height.
func bounced(t, x, above, ground, spin float64) state {
	s := state{x: x, y: ground - 0.11 - above, scale: 1, ground: ground, az: roll(x, 0.11) * 0.7, ax: spin * t, ay: 0.5 + 0.3*t}
	return s
}

// onLawn is the height of the lawn where the two balls bounce.
const onLawn = 0.74

// The first frame finds both balls at the height 0.5: 0.13 above the lawn, one rising and one falling.
const high = 0.26

func bouncingBall(t float64) state {
	return bounced(t, sway(t, 0.5, 0.32, 8, 0.4, false), bounce(t, high, 1.3, 0.1464), onLawn, 0.7)
}

func bouncingTwin(t float64) state {
	s := bounced(t, sway(t, 0.5, 0.32, 8, 0.6, true), bounce(t, high, 1.6, 0.8536), onLawn, -0.6)
	s.ay += 2
	return s
}

func calmBall(t float64) state {
	x := sway(t, 0.27, 0.16, 5, 0.4, true)
	return state{x: x, y: settle(t, 0.80), scale: 1 + 0.08*math.Sin(t), ground: settle(t, 0.80) + 0.11, az: roll(x, 0.11), ay: 0.4}
}

func calmTwin(t float64) state {
	x := sway(t, 0.5, 0.36, 8, 0.6, false)
	return state{x: x, y: settle(t, 0.2) + 0.04*math.Sin(2*t)*smooth(0, 1, t), scale: 1, ground: 0.66, az: 1.4 * t, ax: 0.6 * t, ay: 1}
}

func calmBlock(t float64) state {
	return tumble(t, sway(t, 0.74, 0.13, 6, 0.8, false), settle(t, 0.80)+0.03*math.Sin(1.7*t)*smooth(0, 1, t), 0.96)
}

func highBlock(t float64) state {
	return tumble(t, sway(t, 0.5, 0.36, 9, 0.8, false), settle(t, 0.17), 0.6)
}

func flyingBlock(t float64) state {
	s := tumble(t, 0.56+0.24*math.Cos(2*math.Pi*t/9), 0.34+0.16*math.Cos(2*math.Pi*t/6.5), 0.86)
	s.scale += 0.12 * math.Sin(2*math.Pi*t/7)
	return s
}

func tumble(t, x, y, ground float64) state {
	return state{x: x, y: y, scale: 1, ground: ground, ax: 0.55 + 0.9*t, ay: 0.7 + 0.62*t, az: 0.2 + 0.35*t}
}

// hidingBlock stands large and still, but for a slow turn, so that a ball can pass behind all of it.
func hidingBlock(t float64) state {
	s := tumble(0.12*t, 0.8-0.2*smooth(0, 2, t)+0.02*math.Sin(t), 0.5, 0.75)
	s.scale = 1 + 0.9*smooth(0, 2, t)
	return s
}

func hidingBall(t float64) state {
	x := sway(t, 0.55, 0.36, 7, 0.4, false)
	return state{x: x, y: 0.5 + 0.03*math.Sin(2*t), scale: 0.85, ground: 0.66, az: roll(x, 0.11), ax: 0.3 * t, ay: 0.4}
}

// lawnBall bounces in the foreground, over which the car drives past.
func lawnBall(t float64) state {
	s := bounced(t, sway(t, 0.42, 0.28, 12, 0.4, false), 0, 0.11+settle(t, 0.84), 0.4)
	s.y -= bounce(t, 0.2, 1.8, 0) * smooth(0, 1, t)
	return s
}

// standingBlock grows until it is large enough to hide a ball, and stands in the sky.
func standingBlock(t float64) state {
	s := tumble(0.3*t, 0.8-0.18*smooth(0, 2, t)+0.02*math.Sin(t), settle(t, 0.25), 0.66)
	s.scale = 1 + 0.8*smooth(0, 2, t)
	return s
}

// passingTwin floats to and fro in the sky, behind the block.
func passingTwin(t float64) state {
	x := sway(t, 0.5, 0.36, 12, 0.6, false)
	return state{x: x, y: settle(t, 0.25) + 0.02*math.Sin(2*t)*smooth(0, 1, t), scale: 1, ground: 0.66, az: 0.9 * t, ax: 0.4 * t, ay: 1}
}

func passingBird(t float64) state {
	x, back := shuttle(t+2.2, 0.16, 0.1, -0.35, 1.35)
	return state{x: x, y: 0.15 + 0.05*math.Sin(1.3*t), scale: 1, phase: 2.2*t - math.Floor(2.2*t), flip: back, az: 0.08 * math.Cos(1.3*t)}
}
