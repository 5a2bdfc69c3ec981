package tracker

import (
	"image"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// object is one thing that is followed.
type object struct {
	id      seg.ID
	name    string
	state   seg.State
	since   uint64 // the frame that it took this state in
	born    uint64
	anchors []anchor // what a person said, oldest first
	asked   bool     // a person's prompt waits for its answer
	given   bool     // the track is a mask that a person gave, and no model is asked about it
	undo    []memento
	queried uint64 // the newest keyframe that QueryPart asked about
	other   bool   // the next routine question is of the other kind, where there are two: they take turns
	emerged uint64 // the frame in which it was last asked about where it should come out from behind another

	belief
	cover    *object // the one that hides a part of it in this frame
	coasting bool    // it is occluded, and expected where its speed takes it
	found    int     // finds in a row that may be it
	due      uint64  // the last frame in which it was expected to be hidden

	appearance

	misses int // frames in which little spoke for the object, less those in which much did
	doubts int // answers refused in a row

	mask    *seg.Mask // of the present frame, made when first wanted
	shown   *seg.Object
	updated uint64 // frame of the last change reported
}

// belief is the mask that is believed in: what undo brings back.
type belief struct {
	track      *track // nil before the first accepted answer
	key        uint64 // the frame of that answer
	iou, stab  float64
	candidates []rival
	offered    uint64      // the frame of the prompt that they answered
	offeredAt  image.Point // where the object was then, cells
}

// anchor is a prompt, the frame it was given on or has been carried to, and the trust that is left in it.
type anchor struct {
	prompt seg.Prompt
	seq    uint64
	trust  float64
	dead   bool // lost its place
	words  string
}

// rival is another valid answer; it moves with the believed one.
type rival struct {
	patch     *patch
	base      motion.Affine // from the frame of the believed one's patch to that of its own
	iou, stab float64
}

// memento is what undo brings back.
type memento struct {
	anchors []anchor
	belief
	appearance
	state seg.State
	waits bool // what a person said after it waits for its answer
}

const (
	maxUndo    = 8
	maxAnchors = 64
)

func (o *object) remember() {
	m := memento{anchors: slices.Clone(o.anchors), belief: o.belief, appearance: o.appearance.clone(), state: o.state}
	if o.track != nil {
		m.track = o.track.clone()
	}
	if len(o.undo) == maxUndo {
		o.undo = o.undo[:copy(o.undo, o.undo[1:])]
	}
	o.undo = append(o.undo, m)
}

// retract takes back what a person said since the model last answered, because it could not be asked or was not believed. The prompt that an object
// was made for stays: whoever made the object ends it.
func (o *object) retract() {
	i := slices.IndexFunc(o.undo, func(m memento) bool { return m.waits })
	if i < 0 {
		return
	}
	o.anchors, o.asked = o.undo[i].anchors, o.track == nil
	o.undo = slices.Delete(o.undo, i, len(o.undo))
}

// answered notes that nothing which a person said waits any longer.
func (o *object) answered() {
	o.asked = false
	for i := range o.undo {
		o.undo[i].waits = false
	}
}

// become changes the state.
func (o *object) become(s seg.State, now uint64) {
	if o.state != s {
		o.state, o.since, o.mask = s, now, nil
	}
}

// currentMask is the mask in the present frame, nil while there is none to believe.
func (t *Tracker) currentMask(o *object) *seg.Mask {
	switch {
	case o.state == seg.Ended:
		return o.mask // the last one
	case o.track == nil || o.state == seg.Lost || o.state == seg.Tentative || t.scene.Len() == 0:
		return nil
	}
	if o.mask == nil {
		o.mask = t.snapped(o)
		if o.cover != nil && o.cover.track != nil {
			o.mask = without(o.mask, o.cover.track)
		}
	}
	return o.mask
}

// without is a mask less what a track covers.
func without(m *seg.Mask, t *track) *seg.Mask {
	i := 0
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			if m.Bits[i] != 0 && t.value(float64(x), float64(y)) > 0 {
				m.Bits[i] = 0
			}
			i++
		}
	}
	return m.Trim()
}

// snapshot is the object as the world sees it in the newest frame.
func (t *Tracker) snapshot(o *object) seg.Object {
	now := t.Newest()
	s := seg.Object{
		ID: o.id, Name: o.name, State: o.state, Mask: t.currentMask(o), PredictedIoU: o.iou, Stability: o.stab,
		Keyframe: o.key, Age: int(now - min(now, o.born)),
	}
	if n := len(o.anchors); n > 0 {
		s.Prompt = o.anchors[n-1].words
	}
	if o.key > 0 {
		s.MaskAge = int(now - min(now, o.key))
	}
	if s.Mask == nil {
		return s
	}
	for _, c := range o.candidates {
		var m *seg.Mask
		m, t.steps = (&track{patch: c.patch, back: o.track.back.Then(&t.tuning.Motion, c.base)}).mask(t.steps)
		s.Candidates = append(s.Candidates, seg.ObjectCandidate{Mask: m, PredictedIoU: c.iou, Stability: c.stab})
	}
	return s
}
