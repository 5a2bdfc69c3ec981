package pipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/zones"
)

// Choose picks candidate n of an ambiguous object.
func (p *Pipeline) Choose(ctx context.Context, id seg.ID, n int) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.forgetting(id, p.tr.Choose(id, n)) })
}

// Undo takes the last click of an object back.
func (p *Pipeline) Undo(ctx context.Context, id seg.ID) (seg.Object, error) {
	return p.edit(ctx, id, func() error { p.forced = true; return p.forgetting(id, p.tr.Undo(id)) })
}

// Confirm says that the object's mask is right.
func (p *Pipeline) Confirm(ctx context.Context, id seg.ID) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.tr.Confirm(id) })
}

// Reject says that the object's mask is wrong.
func (p *Pipeline) Reject(ctx context.Context, id seg.ID) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.doubting(id, p.tr.Reject(id)) })
}

// Rename names an object.
func (p *Pipeline) Rename(ctx context.Context, id seg.ID, name string) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.tr.Rename(id, name) })
}

// Remove ends those of the objects that are there, and tells which. They are kept for UndoRemoval.
func (p *Pipeline) Remove(ctx context.Context, ids ...seg.ID) (gone []seg.ID, err error) {
	return p.several(ctx, func() ([]seg.ID, error) { return p.tr.Remove(ids...) })
}

// End ends an object that nobody has asked to be removed; its last event has these details.
func (p *Pipeline) End(ctx context.Context, id seg.ID, details map[string]any) error {
	_, err := p.edit(ctx, id, func() error { return p.tr.End(id, details) })
	return err
}

// Clear ends every object, and tells which there were. They are kept for UndoRemoval.
func (p *Pipeline) Clear(ctx context.Context) (gone []seg.ID, err error) {
	return p.several(ctx, func() ([]seg.ID, error) { return p.tr.Clear(), nil })
}

// UndoRemoval brings back what the newest Remove or Clear took away, or the objects named, and tells which.
func (p *Pipeline) UndoRemoval(ctx context.Context, ids ...seg.ID) (back []seg.ID, err error) {
	return p.several(ctx, func() ([]seg.ID, error) { p.forced = true; return p.tr.UndoRemoval(ids...) })
}

// Removed says whether an object was removed and is kept for UndoRemoval.
func (p *Pipeline) Removed(ctx context.Context, id seg.ID) (kept bool, err error) {
	err = p.call(ctx, func() { kept = p.tr.Removed(id) })
	return kept, err
}

// several changes any number of objects, and tells which.
func (p *Pipeline) several(ctx context.Context, change func() ([]seg.ID, error)) ([]seg.ID, error) {
	var ids []seg.ID
	var refused error
	if err := p.call(ctx, func() {
		ids, refused = change()
		p.news()
		p.dispatch()
	}); err != nil {
		return nil, err
	}
	return ids, objectError(refused)
}

// Zone makes, replaces or, with no points, removes a polygon that reports who enters and leaves, of some classes (zones.Watch).
func (p *Pipeline) Zone(ctx context.Context, name string, points []seg.Point, only ...string) error {
	return p.call(ctx, func() { p.zones.SetZone(name, points, only...) })
}

// Line makes, replaces or, with no points, removes a directed line that reports who crosses it, of some classes.
func (p *Pipeline) Line(ctx context.Context, name string, points []seg.Point, only ...string) error {
	return p.call(ctx, func() { p.zones.SetLine(name, points, only...) })
}

// Keyframe asks for a keyframe now.
func (p *Pipeline) Keyframe(ctx context.Context) error {
	return p.call(ctx, func() { p.forced = true; p.dispatch() })
}

// Pause stops (or resumes) looking at frames; the objects stay, and are looked for again afterwards.
func (p *Pipeline) Pause(ctx context.Context, paused bool) error {
	return p.call(ctx, func() {
		if p.paused.Load() && !paused {
			p.afresh() // nothing is known of the time between
		}
		p.paused.Store(paused)
		p.hold(nil)
	})
}

// Spend leaves routine keyframes a share of their budget, 0..1.
func (p *Pipeline) Spend(ctx context.Context, share float64) error {
	return p.call(ctx, func() { p.tr.Spend(share) })
}

// Paused says whether frames are looked at. Safe to call from any goroutine.
func (p *Pipeline) Paused() bool { return p.paused.Load() }

// Reset forgets the motion so far, after the camera was opened anew: objects are kept and looked for again.
func (p *Pipeline) Reset(ctx context.Context) error {
	return p.call(ctx, func() { p.afresh(); p.news() })
}

// Objects are the live objects in the newest frame; the slice is the caller's.
func (p *Pipeline) Objects(ctx context.Context) ([]seg.Object, seg.FrameRef, error) {
	var out []seg.Object
	var ref seg.FrameRef
	err := p.call(ctx, func() { out, ref = p.tr.Objects(nil), p.ref })
	return out, ref, err
}

// Object is a live object as it is now.
func (p *Pipeline) Object(ctx context.Context, id seg.ID) (o seg.Object, err error) {
	found := false
	if err = p.call(ctx, func() { o, found = p.tr.Object(id) }); err == nil && !found {
		err = ErrUnknownObject
	}
	return o, err
}

// Saved is what a pipeline knows that outlives it.
type Saved struct {
	Objects  []tracker.Saved
	Removals [][]tracker.Saved // what UndoRemoval brings back, oldest first
	Borders  zones.Saved
}

func (p *Pipeline) save() Saved { return Saved{p.tr.Save(nil), p.tr.SaveRemoved(), p.zones.Save()} }

// Save is what is known of the objects and at the borders, to be kept over a restart; after Run it is what was known at the end.
func (p *Pipeline) Save(ctx context.Context) (Saved, error) {
	var out Saved
	err := p.call(ctx, func() { out = p.save() })
	if errors.Is(err, errStopped) {
		return p.last, nil
	}
	return out, err
}

// Counts are what zones and lines have counted. Safe to call from any goroutine.
func (p *Pipeline) Counts() zones.Counts { return p.zones.Counts() }

// Inside are the objects in each zone. Safe to call from any goroutine.
func (p *Pipeline) Inside() map[string][]seg.ID { return p.zones.Inside() }

// Revision changes when objects come, go, or change their state or name, and when one is counted at a border. Safe to call from any
// goroutine.
func (p *Pipeline) Revision() uint64 { return p.revision.Load() }

// Counters are the counters so far. Safe to call at any time, from any goroutine.
func (p *Pipeline) Counters() Counters {
	return Counters{
		Processed:    p.processed.Load(),
		Keyframes:    p.keyframes.Load(),
		LastKeyframe: p.lastKeyframe.Load(),
		Answers:      p.answers.Load(),
		ModelErrors:  p.modelErrors.Load(),
		Refusals:     p.refusals.Load(),
		Panics:       p.panics.Load(),
		Overheld:     p.frames.overheld.Load(),
		Waiting:      int(p.queued.Load()),
		Busy:         p.lanes.now(),

		Remembered: int(p.remembered.Load()), RememberedBytes: int(p.rememberedBytes.Load()),
	}
}

// EmbedFor is how long the embed lane has been at its present job; 0 when it is free. Safe to call from any goroutine.
func (p *Pipeline) EmbedFor() time.Duration {
	return p.lanes.workingFor(embedLane)
}

// WorkingFor is how long the model has been at this camera's present job, the longest of them; 0 while it has none. Waiting for a turn is
// not counted. Safe to call from any goroutine.
func (p *Pipeline) WorkingFor() time.Duration { return p.lanes.longest() }

// Kinds are the kinds of prompt that the present model takes. Safe to call from any goroutine.
func (p *Pipeline) Kinds() inference.Kinds { return *p.kinds.Load() }

// Frame is the kept, reduced frame that a prompt would mean by this sequence (0 is the newest). The reference is the
// caller's to release; hold it no longer than a model call. With too many held it is refused, by the name of who has held one longest.
func (p *Pipeline) Frame(ctx context.Context, seq uint64) (*frame.Frame, error) {
	who := caller()
	return p.borrow(ctx, func() (*frame.Frame, error) {
		newest := p.frames.newest()
		if newest == nil {
			return nil, ErrNoFrame
		}
		if seq == 0 {
			seq = newest.Seq
		}
		seq, _ = p.named(seq)
		return p.frames.lend(seq, who)
	})
}

// borrow has the walk lend a frame. One that is lent to somebody who has gone meanwhile is given back.
func (p *Pipeline) borrow(ctx context.Context, lend func() (*frame.Frame, error)) (*frame.Frame, error) {
	var f *frame.Frame
	var refused error
	var settled atomic.Bool // by the loop, which has lent, or by the caller, who has gone
	err := p.call(ctx, func() {
		f, refused = lend()
		if !settled.CompareAndSwap(false, true) && f != nil {
			f.Release()
		}
	})
	switch {
	case err == nil:
		return f, refused
	case !settled.CompareAndSwap(false, true) && f != nil: // lent just before the time was over
		f.Release()
	}
	return nil, err
}

// edit changes one object and returns it as it stands afterwards.
func (p *Pipeline) edit(ctx context.Context, id seg.ID, change func() error) (seg.Object, error) {
	var o seg.Object
	var err error
	if callErr := p.call(ctx, func() {
		err = objectError(change())
		o, _ = p.tr.Object(id)
		p.news()
		p.dispatch()
	}); callErr != nil {
		return seg.Object{}, callErr
	}
	return o, err
}
