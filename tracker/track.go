package tracker

import (
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// track is an object's mask on its way through the frames, and what its motion has been like.
type track struct {
	shape.Track
	pace
	last    motion.Fit // the fit of the last step
	resting float64    // share of the vectors of that step that rested with the scene, and not with the object
}

// pace is what a track's motion has been like, and so what is to be expected of it.
type pace struct {
	speed  [2]float64 // of the middle against the scene, pixels a frame, smoothed
	steady int        // frames that it was measured over
	usual  float64    // vectors of its own that it has in a frame
	colour float64    // mean log-odds of the colours at them
}

func newTrack(p *shape.Patch, seq uint64) *track { return &track{Track: shape.NewTrack(p, seq)} }

// clone is an independent copy; the patch is shared.
func (m *track) clone() *track {
	c := *m
	c.Track = m.Track.Clone()
	return &c
}

// in is the track with the place that it had in frame seq, if it was there; its motion is still that of the newest frame.
func (m *track) in(seq uint64) (track, bool) {
	there, ok := m.Track.In(seq)
	return track{Track: there, last: m.last, pace: m.pace}, ok
}

// expected is the step over e that the track's speed leads to expect. Speed is against the scene: a camera that shakes takes all along.
func (m *track) expected(e *motion.Entry) (dx, dy float64) {
	dx, dy = m.carried(e)
	return dx + m.speed[0], dy + m.speed[1]
}

// carried is the step over e that the scene makes where the track's middle is.
func (m *track) carried(e *motion.Entry) (dx, dy float64) {
	x, y := m.Center()
	u, v := e.Scene.At(x, y)
	return u - x, v - y
}

// favour lets the pairs that keep an object's speed weigh more: what passes in front of it has another one. A change of speed that all
// pairs share changes nothing.
func (m *track) favour(k *Tuning, pairs []motion.Pair, e *motion.Entry) {
	dx, dy := m.expected(e)
	slack := k.SpeedSlack + k.SpeedShare*(m.speed[0]*m.speed[0]+m.speed[1]*m.speed[1])
	for i := range pairs {
		p := &pairs[i]
		u, v := p.U-p.X-dx, p.V-p.Y-dy
		p.W *= slack / (slack + u*u + v*v)
	}
}

// own leaves out the pairs that rest with the scene while the object moves, unless their colours are the object's: followed, what stands in
// front of it, or what its mask holds of the background, would take the mask along. resting is their share. Where all rest at once, in its
// colours, the object has stopped, and they are its own.
func (m *track) own(k *Tuning, pairs []motion.Pair, e *motion.Entry, colours *look.Colours) (own []motion.Pair, resting float64) {
	speed2 := m.speed[0]*m.speed[0] + m.speed[1]*m.speed[1]
	if speed2 < k.MovingSpeed*k.MovingSpeed || colours == nil || !colours.Ready() {
		return pairs, 0
	}
	n := 0
	var moving, rested float64 // log-odds of the colours
	for i, p := range pairs {
		u, v := e.Scene.At(p.X, p.Y)
		c := colours.Near(e, p.U, p.V, float32(k.Look.ColourClip))
		if (p.U-u)*m.speed[0]+(p.V-v)*m.speed[1] < k.RestSpeed*speed2 && (m.colour <= k.TellingColour || c < k.Most*m.colour) {
			rested += c
			continue
		}
		pairs[n], pairs[i] = p, pairs[n]
		moving += c
		n++
	}
	if n > 0 {
		m.accustom(k, float64(n), moving/float64(n))
	}
	rest := float64(len(pairs) - n)
	if rest > k.Most*float64(len(pairs)) && rest > k.Half*m.usual && rested > k.Half*m.colour*rest {
		m.speed, m.steady = [2]float64{}, 0
		return pairs, 0
	}
	return pairs[:n], rest / float64(max(len(pairs), 1))
}

// accustom takes n vectors with colours of that mean for usual, more and more.
func (p *pace) accustom(k *Tuning, n, colour float64) {
	if p.usual == 0 {
		p.usual, p.colour = n, colour
	}
	p.usual += k.UsualRate * (n - p.usual)
	p.colour += k.UsualRate * (colour - p.colour)
}

// measured takes the step (dx, dy) against the scene into account, by the weight of what was measured, 0..1.
func (p *pace) measured(k *Tuning, dx, dy, weight float64) {
	p.speed[0] += k.SpeedRate * weight * (dx - p.speed[0])
	p.speed[1] += k.SpeedRate * weight * (dy - p.speed[1])
	p.steady++
}

// coast holds the last fit to the track's speed, the more the fewer vectors there are, and returns the weight of the fit.
func (m *track) coast(k *Tuning, e *motion.Entry) (weight float64) {
	n := float64(m.last.Pairs) * m.last.Inliers
	weight = n / (n + float64(k.FewPairs))
	x, y := m.Center()
	u, v := m.last.At(x, y)
	dx, dy := m.expected(e)
	dx, dy = dx+weight*(u-x-dx), dy+weight*(v-y-dy)
	m.last.C += x + dx - u
	m.last.F += y + dy - v
	return weight
}
