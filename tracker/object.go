package tracker

import (
	"image"
	"image/color"
	"slices"
	"time"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/look"
	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// object is one thing that is followed.
type object struct {
	id         seg.ID
	name       string
	color      color.RGBA // what it is painted in
	state      seg.State
	stateSince uint64 // the frame that it took this state in
	born       uint64
	made, seen time.Time // when the frames were captured in which it was made, and last visible
	anchors    []anchor  // what a person said, oldest first
	asked      bool      // a person's prompt waits for its answer
	given      bool      // the track is a mask that a person gave, and no model is asked about it
	undo       []memento
	queried    uint64  // the newest keyframe that QueryPart asked about
	alternate  bool    // the next routine question is of the other kind, where there are two: they take turns
	emerged    uint64  // the frame in which it was last asked about where it should come out from behind another
	suspect    *anchor // where it may be, to be asked about; nil for nowhere

	belief
	cover     *object  // the one that hides a part of it in this frame
	coasting  bool     // it is occluded, and expected where its speed takes it
	returning bool     // it was restored, and has not been found since, nor reported lost
	away      bool     // the picture that it was in went away, and it has not been found since
	picture   *glimpse // that picture; of one that is seen, the picture that it was found in
	rivals    []*track // what looks like it, and is known to be something else, while it is lost
	due       uint64   // the last frame in which it was expected to be hidden

	appearance
	reply reply

	misses  int    // frames in which little spoke for the object, less those in which much did
	doubts  int    // answers refused in a row
	doubted uint64 // the newest frame when the first of them came

	mask     *seg.Mask // of the present frame, made when first wanted
	shown    *seg.Object
	updated  uint64 // frame of the last change reported
	compared uint64 // and of the last look for one
}

// belief is the mask that is believed in.
type belief struct {
	track      *track     // nil before the first accepted answer
	vouched    bool       // it is one that a person gave: no model need see anything there
	past       past       // keyframes that the present one is compared with
	still      *reference // and the picture in which it has rested since; nil for none
	key        uint64     // the newest frame that was answered about
	iou, stab  float64
	candidates []candidate
	offered    uint64      // the frame of the prompt that they answered
	offeredAt  image.Point // where the object was then, cells
}

// reply is what the model answered to a person's newest prompt, or to what was looked for: the frame, and the mask there.
type reply struct {
	seq  uint64
	mask *shape.Patch
}

// appearance is what was learnt of how an object looks and how large it is.
type appearance struct {
	look.Look
	area float64 // usual size, cells
	size float64 // in the frame of the present patch, that the motion leads to expect, cells; 0: nothing yet
	base float64 // share of the colours inside the mask that were the object's own on the last keyframe
}

// clone is an independent copy.
func (a *appearance) clone() appearance {
	c := *a
	c.Look = a.Look.Clone()
	return c
}

// anchor is a prompt, the frame it was given on or has been carried to, and the trust that is left in it.
type anchor struct {
	prompt seg.Prompt
	seq    uint64
	trust  float64
	dead   bool // lost its place
	words  string
}

func anchorOf(p seg.Prompt, seq uint64) anchor {
	return anchor{prompt: p.Clone(), seq: seq, trust: 1, words: p.Summary()}
}

// candidate is another valid answer to an ambiguous prompt; it moves with the believed one.
type candidate struct {
	patch     *shape.Patch
	offset    motion.Affine // from the frame of the believed one's patch to that of its own
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

// What is kept of an object's past, at most.
const (
	maxUndo    = 8
	maxAnchors = 64
)

// visible says that the object has a mask of what the camera sees now.
func (o *object) visible() bool { return o.track != nil && o.state.Visible() }

// in is the object's track as it was in frame seq, if the object is visible and was there then.
func (o *object) in(seq uint64) (track, bool) {
	if !o.visible() {
		return track{}, false
	}
	return o.track.in(seq)
}

// sizeAt is the size that the object is expected to have where its track is, cells.
func (a *appearance) sizeAt(m *track) float64 {
	s := m.Back.Scale()
	return a.size / max(s*s, 1e-3)
}

// become changes the state.
func (o *object) become(s seg.State, now uint64) {
	if o.state != s {
		o.state, o.stateSince, o.mask = s, now, nil
	}
}

// say adds what a person said.
func (o *object) say(a anchor) {
	if len(o.anchors) == maxAnchors {
		o.anchors = o.anchors[:copy(o.anchors, o.anchors[1:])]
	}
	o.anchors = append(o.anchors, a)
}

// unbox drops the boxes of what was not meant, once one of several things was chosen.
func (o *object) unbox() {
	for i := range o.anchors {
		if p := &o.anchors[i].prompt; len(p.Others) > 0 {
			p.Box, p.Others = nil, nil
		}
	}
}

// remember keeps the present for undo.
func (o *object) remember(waits bool) {
	m := memento{anchors: slices.Clone(o.anchors), belief: o.belief, appearance: o.appearance.clone(), state: o.state, waits: waits}
	if o.track != nil {
		m.track = o.track.clone()
	}
	if len(o.undo) == maxUndo {
		o.undo = o.undo[:copy(o.undo, o.undo[1:])]
	}
	o.undo = append(o.undo, m)
}

// retract takes back what a person said since the model last answered, because it could not be asked or was not believed. The prompt that
// an object was made for stays: whoever made the object ends it.
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
