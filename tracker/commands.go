package tracker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// Errors of commands.
var (
	ErrNoObject    = errors.New("no such object, or it has ended")
	ErrNoCandidate = errors.New("the object has no such candidate")
	ErrNothing     = errors.New("there is nothing to undo")
	ErrNoMask      = errors.New("the object has no mask yet")
)

// Add makes a tentative object from a prompt that was given on frame seq. It stays tentative until an answer is accepted; object.new is
// reported then. With MaxObjects alive it returns 0.
func (t *Tracker) Add(name string, p seg.Prompt, seq uint64) seg.ID {
	if len(t.objects) >= t.opt.MaxObjects {
		return 0
	}
	o := &object{id: t.opt.NextID(), name: name, born: seq, anchors: []anchor{anchorOf(p, seq)}, asked: true}
	t.objects = append(t.objects, o)
	if at, ok := t.scene.Find(seq); p.Mask != nil && len(p.Clicks) == 0 && ok {
		g := &t.scene.At(at).Gray
		o.track, o.given = newTrack(patchOf(p.Mask, g.W, g.H), seq), true
		t.replay(o.track, at, t.scene.Len()-1)
	}
	return o.id
}

// Refine adds clicks, or a new box, mask or text, given on frame seq, to what the object was prompted with.
func (t *Tracker) Refine(id seg.ID, p seg.Prompt, seq uint64) error {
	o := t.find(id)
	if o == nil {
		return ErrNoObject
	}
	o.remember()
	o.undo[len(o.undo)-1].waits = true
	if len(o.anchors) == maxAnchors {
		o.anchors = o.anchors[:copy(o.anchors, o.anchors[1:])]
	}
	o.anchors = append(o.anchors, anchorOf(p, seq))
	o.asked = true
	return nil
}

func anchorOf(p seg.Prompt, seq uint64) anchor {
	return anchor{prompt: p.Clone(), seq: seq, trust: 1, words: p.Summary()}
}

// Choose makes the n-th candidate the object's mask.
func (t *Tracker) Choose(id seg.ID, candidate int) error {
	o := t.find(id)
	if o == nil {
		return ErrNoObject
	}
	if candidate < 0 || candidate >= len(o.candidates) || o.track == nil {
		return fmt.Errorf("%w: %d of %d", ErrNoCandidate, candidate, len(o.candidates))
	}
	o.remember()
	c := o.candidates[candidate]
	tr := *o.track.clone()
	tr.patch, tr.back = c.patch, tr.back.Then(&t.tuning.Motion, c.base)
	for i := range tr.trail {
		tr.trail[i].back = tr.trail[i].back.Then(&t.tuning.Motion, c.base)
	}
	o.track, o.iou, o.stab, o.candidates, o.mask = &tr, c.iou, c.stab, nil, nil
	o.area, o.body = float64(c.patch.area()), 0
	o.forget() // what was learnt was another thing
	t.change(seg.ObjectUpdated, o)
	return nil
}

// Undo takes the last refinement or choice back.
func (t *Tracker) Undo(id seg.ID) error {
	o := t.find(id)
	if o == nil {
		return ErrNoObject
	}
	n := len(o.undo)
	if n == 0 {
		return ErrNothing
	}
	m := o.undo[n-1]
	o.undo = o.undo[:n-1]
	o.anchors, o.belief, o.appearance, o.mask = m.anchors, m.belief, m.appearance, nil
	o.misses, o.doubts, o.found = 0, 0, 0
	if o.track == nil { // the first prompt had no answer yet when it was refined
		o.become(seg.Tentative, t.Newest())
		o.asked = true
		return nil
	}
	o.asked = slices.ContainsFunc(o.undo, func(m memento) bool { return m.waits })
	if t.catchUp(o) && m.state.Visible() {
		o.coasting = false
		o.become(m.state, t.Newest())
		t.change(seg.ObjectUpdated, o)
	}
	return nil
}

// catchUp replays what a track has missed. What the history no longer holds cannot be replayed: the object is lost then.
func (t *Tracker) catchUp(o *object) bool {
	last := o.track.trail[len(o.track.trail)-1].seq
	at, exact := t.scene.Find(last)
	if !exact {
		t.lose(o, t.Newest())
		return false
	}
	t.replay(o.track, at, t.scene.Len()-1)
	return true
}

// Confirm says that what is shown is right: candidates go, doubts are dropped.
func (t *Tracker) Confirm(id seg.ID) error {
	o := t.find(id)
	if o == nil {
		return ErrNoObject
	}
	if t.currentMask(o) == nil {
		return ErrNoMask
	}
	o.candidates, o.misses, o.doubts = nil, 0, 0
	o.become(seg.Tracking, t.Newest())
	t.change(seg.ObjectUpdated, o)
	return nil
}

// Reject says that what is shown is not the object: it becomes lost and is searched for.
func (t *Tracker) Reject(id seg.ID) error {
	o := t.find(id)
	if o == nil {
		return ErrNoObject
	}
	if o.track == nil {
		return ErrNoMask
	}
	t.lose(o, t.Newest())
	return nil
}

// Rename gives the object another name.
func (t *Tracker) Rename(id seg.ID, name string) error {
	o := t.find(id)
	if o == nil {
		return ErrNoObject
	}
	o.name = name
	t.change(seg.ObjectUpdated, o)
	return nil
}

// Remove ends the object.
func (t *Tracker) Remove(id seg.ID) error {
	o := t.find(id)
	if o == nil {
		return ErrNoObject
	}
	t.end(o)
	t.objects = slices.DeleteFunc(t.objects, func(x *object) bool { return x == o })
	return nil
}

// Clear ends every object.
func (t *Tracker) Clear() {
	for _, o := range t.objects {
		t.end(o)
	}
	clear(t.objects)
	t.objects = t.objects[:0]
}

// Flush forgets the scene's history: the frame size changed, or the source was opened again. Objects keep their ids; those that were
// seen are lost until the model finds them again.
func (t *Tracker) Flush() {
	now := t.Newest()
	for _, o := range t.objects {
		if o.state != seg.Tentative && o.state != seg.Lost {
			t.lose(o, now)
		}
		o.undo = nil
	}
	t.scene.Clear()
}

// regrid puts what is known of the objects on the grid of the newest frame, where that has another size: the masks that they had, from which they
// are looked for, and a person's mask that waits for its answer. It is stretched with the picture.
func (t *Tracker) regrid(e *motion.Entry) {
	for _, o := range t.objects {
		if o.track == nil || o.track.patch.w == e.Gray.W && o.track.patch.h == e.Gray.H {
			continue
		}
		p := o.track.patch
		l := o.track.logits(p.w, p.h, seg.Point{}, seg.Point{X: 1, Y: 1})
		k := float64(e.Gray.W*e.Gray.H) / float64(p.w*p.h)
		o.track, o.mask, o.candidates = newTrack(patchOf(l, e.Gray.W, e.Gray.H), e.Seq), nil, nil
		o.area, o.body = o.area*k, o.body*k
	}
}
