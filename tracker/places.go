package tracker

import (
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/shape"
)

// Place is where an object was in a frame.
type Place struct {
	ID    seg.ID
	State seg.State
	Box   seg.Box // of its mask; empty where it was not in the picture, is lost, or has no mask yet
}

// Places appends where every object was in frame seq, as far as the history reaches. What is hidden is where it is believed to be.
func (t *Tracker) Places(seq uint64, dst []Place) []Place {
	for _, o := range t.objects {
		p := Place{ID: o.id, State: o.state}
		if m := t.maskAt(o, seq); m != nil {
			p.Box = m.Box()
		}
		dst = append(dst, p)
	}
	return dst
}

// maskAt is the mask that an object had in frame seq; nil where it had none.
func (t *Tracker) maskAt(o *object, seq uint64) *seg.Mask {
	if o.track == nil || o.state == seg.Lost || o.state == seg.Tentative || o.state == seg.Ended {
		return nil
	}
	m, ok := t.trackAt(o, seq)
	if !ok || m.Bounds().Empty() {
		return nil
	}
	if mask := t.readout.cut.Mask(&m.Track); !mask.Rect.Empty() {
		return mask
	}
	return nil
}

// Two masks are of one thing from this IoU on; those of one kind from this share of the smaller one on.
const (
	sameIoU   = 0.5
	sameShare = 0.7
)

// Same is the object whose mask in frame seq is that of the logits, if there is one. For the objects of kin, of which the logits may be
// another part or the whole, it suffices that one mask lies mostly in the other.
func (t *Tracker) Same(seq uint64, l *seg.Logits, kin []seg.ID) (seg.ID, bool) {
	at, exact := t.scene.Find(seq)
	if !exact {
		return 0, false
	}
	g := &t.scene.At(at).Gray
	alone := shape.NewTrack(t.tuning.Shape.PatchOf(l, g.W, g.H), seq)
	m := t.readout.cut.Mask(&alone)
	for _, o := range t.objects {
		there := t.maskAt(o, seq)
		if there == nil || m.Rect.Empty() {
			continue
		}
		iou := there.IoU(m)
		a, b := float64(there.Count()), float64(m.Count())
		both := iou * (a + b) / (1 + iou)
		if iou >= sameIoU || slices.Contains(kin, o.id) && both >= sameShare*min(a, b) {
			return o.id, true
		}
	}
	return 0, false
}

// Suspect has the next Query that names the object, which is hidden or lost, ask about a box of frame seq in which it may be. It is taken
// for it only if it looks like it.
func (t *Tracker) Suspect(id seg.ID, b seg.Box, seq uint64) error {
	return t.on(id, func(o *object) error {
		a := anchorOf(seg.Prompt{Box: &b, Single: true}, seq)
		o.suspect = &a
		return nil
	})
}

// querySuspect appends the question about where a hidden or lost object may be, which is asked once.
func (t *Tracker) querySuspect(o *object, seq uint64, dst []Query) []Query {
	a := o.suspect
	o.suspect = nil
	if o.track == nil || o.asked || o.state != seg.Lost && o.state != seg.Occluded {
		return dst
	}
	p, trust, err := t.Carry(a.prompt, a.seq, seq)
	if err != nil || trust < promptTrust {
		return dst
	}
	return append(dst, Query{o.id, p})
}
