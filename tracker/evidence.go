package tracker

import (
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// fusion adds up what speaks about an object in a keyframe. Its memory is kept between uses.
type fusion struct {
	sum   shape.Sum
	votes votes
	same  []bool   // blocks of a picture that look as they did
	seen  []uint16 // colours of what was answered
}

// evidence is all that speaks about an object in a keyframe.
type evidence struct {
	seq   uint64
	at    int // of its entry
	e     *motion.Entry
	prior *track      // the object's past, carried there; nil without one
	model *seg.Logits // the model's answer
	view  *look.View  // nil without features
	rests bool        // the object's picture has hardly changed for some frames, and is not the one that it is held against
	size  float64     // the object's expected size from here on, cells; 0 where nothing leads to one
}

// known is what the object looks like in the view of the evidence; nil where there is none, or nothing was learnt.
func (o *object) known(ev *evidence) *look.Likeness {
	if ev.view == nil {
		return nil
	}
	if l := o.In(ev.view); l.Known() {
		return l
	}
	return nil
}
