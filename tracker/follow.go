package tracker

import (
	"image"
	"math"

	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// fitter fits tracks to the motion of the scene. Its memory is kept between fits.
type fitter struct {
	tuning *Tuning
	rigid  bool // parts of an object are not told apart
	pairs  []motion.Pair
	hiders []shape.Track // what may hide the track in hand
	closer []motion.Pixel
	local  motion.Local
}

// follow fits the vectors of e that start on a track's patch, that no hider may have hidden and that do not, by their colours, rest with
// the scene while the object moves, and returns them; they are valid until the next fit. Without enough of them the scene's own motion
// stands in, and the fit has no inliers. Colours may be nil: then nothing rests.
func (f *fitter) follow(m *track, e *motion.Entry, forward bool, hiders []shape.Track, colours *look.Colours) []motion.Pair {
	k := f.tuning
	f.pairs = f.pairs[:0]
	r := m.Bounds()
	for i := range e.Vectors {
		p, ok := k.Motion.Pair(e, i, forward)
		if ok && (image.Point{X: int(p.X), Y: int(p.Y)}).In(r) && k.shows(&m.Track, p.X, p.Y, hiders) {
			f.pairs = append(f.pairs, p)
		}
	}
	pairs := f.pairs
	m.resting = 0
	if forward && m.steady >= k.SteadyAfter {
		m.favour(k, pairs, e)
		pairs, m.resting = m.own(k, pairs, e, colours)
	}
	m.last = k.Motion.Bend(k.Motion.Fit(pairs), pairs)
	if len(pairs) < k.FewPairs || m.last.Inliers < k.LeastInliers {
		m.last.Affine, m.last.Inliers = e.WholeMotion(forward), 0
	}
	return pairs
}

// parts is what the pairs to which m was just fitted over e say about parts of it that move their own way; nil where there is too little to
// go by. It is valid until the next call.
func (f *fitter) parts(m *track, e *motion.Entry, pairs []motion.Pair) *motion.Mesh {
	k := &f.tuning.Motion
	first := m.First()
	if f.rigid || len(pairs) < k.BendPairs || m.last.Inliers == 0 || max(e.Seq, first)-min(e.Seq, first) > uint64(f.tuning.Fresh) {
		return nil
	}
	r := m.BoundsAfter(m.last.Affine, float64(k.MeshStep))
	if r.Empty() {
		return nil
	}
	return f.local.Fit(k, pairs, m.last.Affine, r, k.MeshRadius*float64(e.Spacing))
}

// shows says whether a place is on a track's mask, and no hider may hide it.
func (k *Tuning) shows(m *shape.Track, x, y float64, hiders []shape.Track) bool {
	if m.Value(x, y) <= 0 {
		return false
	}
	for i := range hiders {
		if k.hides(&hiders[i], x, y) {
			return false
		}
	}
	return true
}

// hides says whether a track covers a place, or one so near that a vector measured there may be the track's.
func (k *Tuning) hides(m *shape.Track, x, y float64) bool {
	d := k.HideMargin
	return m.Value(x, y) > 0 || m.Value(x+d, y) > 0 || m.Value(x-d, y) > 0 || m.Value(x, y+d) > 0 || m.Value(x, y-d) > 0
}

// closerPoints adds about n points on what shows of a track that hiders may partly hide, twice as many at most: none where the grid, of
// that spacing, has as many there.
func (f *fitter) closerPoints(pts []motion.Pixel, m *shape.Track, hiders []shape.Track, spacing, n int) []motion.Pixel {
	k := f.tuning
	rough := 0
	k.eachShown(m, hiders, closerRough, func(int, int) { rough++ })
	area := rough * closerRough * closerRough
	if area >= n*spacing*spacing {
		return pts
	}
	most := len(pts) + 2*n
	step := max(closerStep, min(spacing-1, int(math.Sqrt(float64(area)/float64(n)))))
	k.eachShown(m, hiders, step, func(x, y int) {
		if len(pts) < most {
			pts = append(pts, motion.Pixel{X: float32(x), Y: float32(y)})
		}
	})
	return pts
}

// eachShown calls do for every step-th place of a track that no hider may hide.
func (k *Tuning) eachShown(m *shape.Track, hiders []shape.Track, step int, do func(x, y int)) {
	r := m.Bounds()
	for y := r.Min.Y + step/2; y < r.Max.Y; y += step {
		for x := r.Min.X + step/2; x < r.Max.X; x += step {
			if k.shows(m, float64(x), float64(y), hiders) {
				do(x, y)
			}
		}
	}
}
