package tracker

import (
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// A rival is what looks like a lost object and was in the picture beside it while it was still seen: another thing, however like it. Rivals
// are carried as objects are, so that they are not taken for it later either. What came into the picture since, from outside or from behind
// something, is none.

// mostRivals bounds the rivals of an object.
const mostRivals = 4

// beside says whether what was found in frame seq was elsewhere than the object when that was last answered about. Where its way back is
// not known, it may be the object.
func (t *Tracker) beside(o *object, p *shape.Patch, seq uint64) bool {
	i, found := t.scene.Find(seq)
	j, known := t.scene.Find(o.track.First())
	if o.state != seg.Lost || !found || !known || j >= i {
		return false
	}
	m := newTrack(p, seq)
	for ; i > j; i-- {
		e := t.scene.At(i)
		t.fitter.follow(m, e, false, nil, nil)
		if m.last.Pairs < t.opt.Tuning.FewPairs || m.last.Inliers < t.opt.Tuning.LeastInliers {
			return false
		}
		m.Advance(&t.opt.Tuning.Motion, m.last.Affine, nil, t.scene.At(i-1).Seq, t.opt.History)
	}
	if x, y := m.Center(); !inPicture(t.scene.At(j), x, y) {
		return false
	}
	there := track{Track: o.track.Start()}
	return there.Cover(t.readout.cut.Mask(&m.Track)) <= t.opt.Tuning.Some
}

func inPicture(e *motion.Entry, x, y float64) bool {
	return x >= 0 && y >= 0 && x < float64(e.Gray.W) && y < float64(e.Gray.H)
}

// rival says whether what was found in frame seq is a rival: nearly all of it one that is known, or a new one. A known one goes on as it
// was carried: what was found may be the object that passes in front of it.
func (t *Tracker) rival(o *object, p *shape.Patch, seq uint64) bool {
	m := newTrack(p, seq)
	mask := t.readout.cut.Mask(&m.Track)
	if slices.ContainsFunc(o.rivals, func(r *track) bool {
		there, ok := r.in(seq)
		return ok && there.Cover(mask) > t.opt.Tuning.Most
	}) {
		return true
	}
	if !t.beside(o, p, seq) {
		return false
	}
	if i, exact := t.scene.Find(seq); exact {
		t.present(o, m, i)
	}
	if len(o.rivals) == mostRivals {
		o.rivals = slices.Delete(o.rivals, 0, 1)
	}
	o.rivals = append(o.rivals, m)
	return true
}

// moveRivals takes a lost object's rivals over the newest entry, those that leave the picture away.
func (t *Tracker) moveRivals(o *object, e *motion.Entry) {
	o.rivals = slices.DeleteFunc(o.rivals, func(r *track) bool {
		t.stride(o, r, t.scene.Len()-1)
		x, y := r.Center()
		return r.last.Pairs < t.opt.Tuning.FewPairs || !inPicture(e, x, y)
	})
}
