package pipeline

import (
	"context"

	"github.com/segedge/segedge/seg"
)

// Choose picks candidate n of an ambiguous object.
func (p *Pipeline) Choose(ctx context.Context, id seg.ID, n int) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.tr.Choose(id, n) })
}

// Undo takes the last click of an object back.
func (p *Pipeline) Undo(ctx context.Context, id seg.ID) (seg.Object, error) {
	return p.edit(ctx, id, func() error { p.forced = true; return p.tr.Undo(id) })
}

// Confirm says that the object's mask is right.
func (p *Pipeline) Confirm(ctx context.Context, id seg.ID) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.tr.Confirm(id) })
}

// Reject says that the object's mask is wrong.
func (p *Pipeline) Reject(ctx context.Context, id seg.ID) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.tr.Reject(id) })
}

// Rename names an object.
func (p *Pipeline) Rename(ctx context.Context, id seg.ID, name string) (seg.Object, error) {
	return p.edit(ctx, id, func() error { return p.tr.Rename(id, name) })
}

// Remove ends an object.
func (p *Pipeline) Remove(ctx context.Context, id seg.ID) error {
	_, err := p.edit(ctx, id, func() error { return p.tr.Remove(id) })
	return err
}

// Clear ends every object.
func (p *Pipeline) Clear(ctx context.Context) error {
	return p.call(ctx, func() { p.tr.Clear(); p.news() })
}

// Keyframe asks for a keyframe now.
func (p *Pipeline) Keyframe(ctx context.Context) error {
	return p.call(ctx, func() { p.forced = true; p.dispatch() })
}

// Pause stops (or resumes) looking at frames; the objects stay, and are looked for again afterwards.
func (p *Pipeline) Pause(ctx context.Context, paused bool) error {
	return p.call(ctx, func() {
		if p.paused && !paused {
			p.tr.Flush() // nothing is known of the time between
			p.flush()
		}
		p.paused = paused
	})
}

// Reset forgets the motion so far, after the camera was opened anew: objects are kept and looked for again.
func (p *Pipeline) Reset(ctx context.Context) error {
	return p.call(ctx, func() { p.tr.Flush(); p.flush(); p.news() })
}

// Objects are the live objects in the newest frame; the slice is the caller's.
func (p *Pipeline) Objects(ctx context.Context) ([]seg.Object, seg.FrameRef, error) {
	var out []seg.Object
	var ref seg.FrameRef
	err := p.call(ctx, func() { out, ref = p.tr.Objects(nil), p.ref })
	return out, ref, err
}

// Stats are the counters so far.
func (p *Pipeline) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := p.call(ctx, func() {
		s = p.stats
		s.Newest, s.Width, s.Height, s.Objects = p.ref, p.size[0], p.size[1], len(p.objects)
	})
	return s, err
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
