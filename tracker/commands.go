package tracker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/segedge/segedge/seg"
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
	o := &object{id: t.opt.NextID(), name: name, born: seq, made: t.clock.captured, anchors: []anchor{anchorOf(p, seq)}, asked: true}
	t.objects = append(t.objects, o)
	if at, ok := t.scene.Find(seq); p.Mask != nil && len(p.Clicks) == 0 && ok {
		g := &t.scene.At(at).Gray
		o.track, o.given = newTrack(t.opt.Tuning.Shape.PatchOf(p.Mask, g.W, g.H), seq), true
		t.replay(o.track, at, t.scene.Len()-1)
	}
	return o.id
}

// on does something to an object, or says that there is none.
func (t *Tracker) on(id seg.ID, do func(o *object) error) error {
	o := t.objects.find(id)
	if o == nil {
		return ErrNoObject
	}
	return do(o)
}

// Refine adds clicks, or a new box, mask or text, given on frame seq, to what the object was prompted with.
func (t *Tracker) Refine(id seg.ID, p seg.Prompt, seq uint64) error {
	return t.on(id, func(o *object) error {
		o.remember(true)
		o.say(anchorOf(p, seq))
		o.asked = true
		return nil
	})
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

// Retract takes back what a person said about an object since the model last answered: nobody waits for its answer any more.
func (t *Tracker) Retract(id seg.ID) {
	if o := t.objects.find(id); o != nil {
		o.retract()
	}
}

// Choose makes the n-th candidate the object's mask.
func (t *Tracker) Choose(id seg.ID, n int) error {
	return t.on(id, func(o *object) error {
		if n < 0 || n >= len(o.candidates) || o.track == nil {
			return fmt.Errorf("%w: %d of %d", ErrNoCandidate, n, len(o.candidates))
		}
		o.remember(false)
		o.unbox()
		c, chosen := o.candidates[n], *o.track
		chosen.Track = o.track.Instead(c.patch, c.offset)
		o.track, o.iou, o.stab, o.candidates, o.mask = &chosen, c.iou, c.stab, nil, nil
		o.area, o.size = float64(c.patch.Area()), 0
		o.past, o.still = past{}, nil
		o.Forget() // what was learnt was another thing
		t.change(seg.ObjectUpdated, o)
		return nil
	})
}

// Undo takes the last refinement or choice back.
func (t *Tracker) Undo(id seg.ID) error {
	return t.on(id, func(o *object) error {
		n := len(o.undo)
		if n == 0 {
			return ErrNothing
		}
		m := o.undo[n-1]
		if m.track == nil && o.track != nil && !t.askable(m.anchors) {
			o.undo = nil // what came before is older still
			return ErrNothing
		}
		o.undo = o.undo[:n-1]
		t.restore(o, &m)
		return nil
	})
}

// restore makes an object what it was, but for where it has gone since.
func (t *Tracker) restore(o *object, m *memento) {
	o.anchors, o.belief, o.appearance, o.mask = m.anchors, m.belief, m.appearance, nil
	o.misses, o.doubts = 0, 0
	o.reply = reply{}   // it was taken back
	if o.track == nil { // the first prompt had no answer yet when it was refined
		o.become(seg.Tentative, t.Newest())
		o.asked = true
		return
	}
	o.asked = slices.ContainsFunc(o.undo, func(m memento) bool { return m.waits })
	if t.catchUp(o) && m.state.Visible() {
		o.coasting = false
		o.become(m.state, t.Newest())
		t.change(seg.ObjectUpdated, o)
	}
}

// askable says whether what a person said can be asked about the newest frame.
func (t *Tracker) askable(said []anchor) bool {
	_, ok := t.wording(&object{anchors: slices.Clone(said), asked: true}, t.Newest())
	return ok
}

// catchUp replays what a track has missed. What the history no longer holds cannot be replayed: the object is lost then.
func (t *Tracker) catchUp(o *object) bool {
	at, exact := t.scene.Find(o.track.Last())
	if !exact {
		t.lose(o, t.Newest())
		o.away, o.alternate = o.track.Last() == 0, false // of an earlier run: it is looked for where it was
		return false
	}
	t.replay(o.track, at, t.scene.Len()-1)
	return true
}

// Confirm says that what is shown is right: candidates go, doubts are dropped.
func (t *Tracker) Confirm(id seg.ID) error {
	return t.on(id, func(o *object) error {
		if t.mask(o) == nil {
			return ErrNoMask
		}
		o.candidates, o.misses, o.doubts = nil, 0, 0
		o.become(seg.Tracking, t.Newest())
		t.change(seg.ObjectUpdated, o)
		return nil
	})
}

// Reject says that what is shown is not the object: it becomes lost and is searched for.
func (t *Tracker) Reject(id seg.ID) error {
	return t.on(id, func(o *object) error {
		if o.track == nil {
			return ErrNoMask
		}
		t.lose(o, t.Newest())
		return nil
	})
}

// Rename gives the object another name. Of one that nothing was told of yet, object.new will say it.
func (t *Tracker) Rename(id seg.ID, name string) error {
	return t.on(id, func(o *object) error {
		o.name = name
		if o.shown != nil {
			t.change(seg.ObjectUpdated, o)
		}
		return nil
	})
}

// Withdraw ends the object of a prompt that came to nothing. It is not kept.
func (t *Tracker) Withdraw(id seg.ID) {
	if o := t.objects.find(id); o != nil {
		t.remove(o)
		t.objects.sweep()
	}
}

// End ends an object that nobody wants gone. The details say why.
func (t *Tracker) End(id seg.ID, details map[string]any) error {
	return t.on(id, func(o *object) error {
		t.close(o, details)
		t.objects.sweep()
		return nil
	})
}

// remove ends an object that somebody wants gone, and says so.
func (t *Tracker) remove(o *object) { t.close(o, map[string]any{"removed": true}) }

// close ends an object and says why.
func (t *Tracker) close(o *object, details map[string]any) {
	n := len(t.changes)
	t.end(o)
	if len(t.changes) > n {
		t.changes[n].Details = details
	}
}

// Flush forgets the scene's history: the picture is another, or the source was opened again. Objects keep their ids; those that were
// seen are lost until the model finds them again, and are looked for where they were before anywhere else.
func (t *Tracker) Flush() {
	now := t.Newest()
	for _, o := range t.objects {
		if o.state != seg.Tentative && o.state != seg.Lost {
			t.lose(o, now)
			o.away, o.picture = o.track != nil, t.scene.glimpses.before(o.picture)
		}
		if o.away {
			o.alternate = false // the next question is about its place
		}
		o.rivals = nil
		o.retract() // it was said of the old picture
		o.undo = nil
	}
	for i := range t.removals {
		for _, o := range t.removals[i].objects {
			o.undo = nil
		}
	}
	t.scene.Clear()
	t.scene.glimpses = glimpses{}
}
