package tracker

import "github.com/segedge/segedge/tracker/motion"

// pace is what a track's motion has been like, and so what is to be expected of it.
type pace struct {
	drift  [2]float64 // speed of the middle against the scene, pixels a frame, smoothed
	steady int        // frames that it was measured over
	usual  float64    // vectors of its own that it has in a frame
	hue    float64    // mean log odds of the colours at them
}

const (
	steadyAfter = 4   // frames after which a track's speed is worth something
	driftRate   = 0.3 // at which it follows
)

// expected is the step over e that the track's speed leads to expect, pixels. Against the scene: a camera that shakes takes all along.
func (t *track) expected(e *motion.Entry) (dx, dy float64) {
	dx, dy = t.carried(e)
	return dx + t.drift[0], dy + t.drift[1]
}

// carried is the step over e that the scene makes where the track's middle is, pixels.
func (t *track) carried(e *motion.Entry) (dx, dy float64) {
	x, y := t.center()
	u, v := e.Scene.At(x, y)
	return u - x, v - y
}

// favour lets the pairs that keep an object's speed weigh more: what passes in front of it has another one. A change of speed that all pairs
// share changes nothing.
func (t *track) favour(pairs []motion.Pair, e *motion.Entry) {
	dx, dy := t.expected(e)
	slack := favourSlack + 0.25*(t.drift[0]*t.drift[0]+t.drift[1]*t.drift[1])
	for i := range pairs {
		p := &pairs[i]
		u, v := p.U-p.X-dx, p.V-p.Y-dy
		p.W *= slack / (slack + u*u + v*v)
	}
}

// favourSlack is the squared change of speed, in pixels a frame, at which a pair weighs half.
const favourSlack = 4

// What rests with the scene while an object moves is what stands in front of it, or what its mask holds of the background: followed, it would
// take the mask along. But an object may stop.
const (
	movingSpeed = 3    // pixels a frame against the scene from which on rest is told from motion
	leastPace   = 0.4  // of its speed: what has less of it rests
	ownHue      = 0.7  // of the usual log odds of its colours: what has more is its own all the same
	stopShare   = 0.7  // of the vectors, and
	stopUsual   = 0.6  // of as many as usual, that rest, and
	stopHue     = 0.45 // of the usual log odds: then it has stopped
)

// own leaves out the pairs that rest with the scene while the object moves, unless their colours are the object's. Where all rest at once, in its
// colours, the object has stopped, and they are its own.
func (t *track) own(pairs []motion.Pair, e *motion.Entry, paint *palette) []motion.Pair {
	speed2 := t.drift[0]*t.drift[0] + t.drift[1]*t.drift[1]
	if speed2 < movingSpeed*movingSpeed || paint == nil || !paint.ready {
		return pairs
	}
	n := 0
	var hue, rested float64
	for i, p := range pairs {
		u, v := e.Scene.At(p.X, p.Y)
		h := paint.near(e, p.U, p.V)
		if (p.U-u)*t.drift[0]+(p.V-v)*t.drift[1] < leastPace*speed2 && (t.hue <= 0 || h < ownHue*t.hue) {
			rested += h
			continue
		}
		pairs[n], pairs[i] = p, pairs[n]
		hue += h
		n++
	}
	if n > 0 {
		t.accustom(float64(n), hue/float64(n))
	}
	rest := float64(len(pairs) - n)
	if rest > stopShare*float64(len(pairs)) && rest > stopUsual*t.usual && rested > stopHue*t.hue*rest {
		t.drift, t.steady = [2]float64{}, 0
		return pairs
	}
	t.resting = rest / float64(max(len(pairs), 1))
	return pairs[:n]
}

// accustom takes n vectors with colours of that mean for usual, more and more.
func (p *pace) accustom(n, hue float64) {
	if p.usual == 0 {
		p.usual, p.hue = n, hue
	}
	p.usual += accustomRate * (n - p.usual)
	p.hue += accustomRate * (hue - p.hue)
}

const accustomRate = 0.1

// Shares of resting vectors.
const (
	restingSome = 0.3 // from which on the speed steadies the fit, and nothing bends
	restingHalf = 0.5 // from which on an answer may be about what stands in front
)
