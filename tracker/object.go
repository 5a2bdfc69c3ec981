package tracker

import "github.com/segedge/segedge/seg"

// object is one thing that is followed. Its masks all move by the one track of the believed one.
type object struct {
	id         seg.ID
	name       string
	state      seg.State
	born       uint64
	anchors    []anchor // what a person said, oldest first
	asked      bool     // a person's prompt waits for its answer
	track      *track   // nil before the first accepted answer
	key        uint64
	iou, stab  float64
	candidates []rival
	undo       []memento
	mask       *seg.Mask // of the present frame, made when first wanted
	misses     int       // frames in which nothing spoke for the object
	failures   int       // model failures in a row
	shown      *seg.Object
	updated    uint64 // frame of the last change reported
	lostAt     uint64
}

// anchor is a prompt and the frame it was given on.
type anchor struct {
	prompt seg.Prompt
	seq    uint64
}

// rival is another valid answer; it moves with the believed one.
type rival struct {
	patch     *patch
	iou, stab float64
}

// memento is what undo brings back.
type memento struct {
	anchors    []anchor
	track      *track
	key        uint64
	iou, stab  float64
	candidates []rival
}

const maxUndo = 8

func (o *object) remember() {
	m := memento{append([]anchor(nil), o.anchors...), nil, o.key, o.iou, o.stab, o.candidates}
	if o.track != nil {
		t := *o.track
		m.track = &t
	}
	if len(o.undo) == maxUndo {
		copy(o.undo, o.undo[1:])
		o.undo = o.undo[:maxUndo-1]
	}
	o.undo = append(o.undo, m)
}

// currentMask is the mask in the present frame, nil while there is none to believe.
func (o *object) currentMask() *seg.Mask {
	if o.track == nil || o.state == seg.Lost || o.state == seg.Tentative {
		return nil
	}
	if o.mask == nil {
		o.mask = o.track.mask()
	}
	return o.mask
}

// snapshot is the object as the world sees it at frame now.
func (o *object) snapshot(now uint64) seg.Object {
	s := seg.Object{
		ID: o.id, Name: o.name, State: o.state, Mask: o.currentMask(), PredictedIoU: o.iou, Stability: o.stab,
		Keyframe: o.key, Age: int(now - min(now, o.born)),
	}
	if n := len(o.anchors); n > 0 {
		s.Prompt = o.anchors[n-1].prompt.Summary()
	}
	if o.key > 0 {
		s.MaskAge = int(now - min(now, o.key))
	}
	for _, c := range o.candidates {
		t := *o.track
		t.patch = c.patch
		s.Candidates = append(s.Candidates, seg.ObjectCandidate{Mask: t.mask(), PredictedIoU: c.iou, Stability: c.stab})
	}
	return s
}
