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

// Same is the object whose mask in frame seq is that of the logits, if there is one; or whose mask was that when the model was first asked
// about it there, whatever has become of it since. For the objects of kin, of which the logits may be another part or the whole, it
// suffices that one mask lies mostly in the other.
func (t *Tracker) Same(seq uint64, l *seg.Logits, kin []seg.ID) (seg.ID, bool) {
	at, exact := t.scene.Find(seq)
	if !exact {
		return 0, false
	}
	g := &t.scene.At(at).Gray
	m := t.maskOf(t.opt.Tuning.Shape.PatchOf(l, g.W, g.H), seq)
	if m.Rect.Empty() {
		return 0, false
	}
	for _, o := range t.objects {
		one := slices.Contains(kin, o.id)
		if there := t.maskAt(o, seq); there != nil && t.opt.Tuning.OneThing(there, m, one) {
			return o.id, true
		}
		if o.reply.mask != nil && o.reply.seq == seq && t.opt.Tuning.OneThing(t.maskOf(o.reply.mask, seq), m, one) {
			return o.id, true
		}
	}
	return 0, false
}

// maskOf is the mask of a patch on frame seq.
func (t *Tracker) maskOf(p *shape.Patch, seq uint64) *seg.Mask {
	alone := shape.NewTrack(p, seq)
	return t.readout.cut.Mask(&alone)
}

// OneThing says whether two masks are of one thing: they overlap by half. Those of kin, of which one may be a part of the other, are, too,
// where one lies all but wholly in the other.
func (k *Tuning) OneThing(a, b *seg.Mask, kin bool) bool {
	return a.IoU(b) >= k.Half || kin && a.Nested(b) >= k.Most
}
