package tracker

import (
	"fmt"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/tracker/motion"
)

// ErrOrder is a frame that is not newer than the last one.
var ErrOrder = motion.ErrOrder

// Step takes the next frame: it is reduced, the scene's motion since the last one is measured once, and every object moves. f is
// only read during the call. Sequence numbers may have gaps. A frame of another size flushes first.
func (t *Tracker) Step(f *frame.Frame) error {
	resized, err := t.scene.Check(f)
	if err != nil {
		return fmt.Errorf("tracker: %w", err)
	}
	if resized {
		t.Flush()
	}
	e, last := t.scene.Take(f)
	t.readout.left = snapPixels
	t.regrid(e)
	t.scene.glimpses.note(e, t.clock.frames(1))
	if last == nil {
		t.clock.tick(f.Captured, 0)
		return nil
	}
	t.clock.tick(f.Captured, e.Seq-last.Seq)
	if err := t.scene.Measure(last, e, t.closerPoints(last, e.Spacing)); err != nil {
		return fmt.Errorf("tracker: %w", err)
	}
	for _, o := range t.objects {
		t.move(o, e)
	}
	if t.uses(CueCover) {
		t.occlude(e)
	}
	t.sweep(e.Seq)
	for _, o := range t.objects {
		if o.state.Visible() {
			o.seen = f.Captured
		}
	}
	return nil
}

// regrid puts what is known of the objects on the grid of the newest frame, where that has another size: the masks that they had, from
// which they are looked for, and a person's mask that waits for its answer. It is stretched with the picture.
func (t *Tracker) regrid(e *motion.Entry) {
	w, h := e.Gray.W, e.Gray.H
	for _, o := range t.objects {
		if o.track == nil || o.track.Patch.W == w && o.track.Patch.H == h {
			continue
		}
		k := float64(w*h) / float64(o.track.Patch.W*o.track.Patch.H)
		o.track = newTrack(t.opt.Tuning.Shape.Regridded(&o.track.Track, w, h), e.Seq)
		o.mask, o.candidates = nil, nil
		o.area, o.size = o.area*k, o.size*k
	}
}

// closerPoints are points on what shows of objects of which a grid of that spacing would hold too few to tell their own motion: small ones,
// and those that others partly hide. They are valid until the next call.
func (t *Tracker) closerPoints(last *motion.Entry, spacing int) []motion.Pixel {
	visible := 0
	for _, o := range t.objects {
		if o.visible() {
			visible++
		}
	}
	pts := t.fitter.closer[:0]
	for _, o := range t.objects {
		if o.visible() {
			share := min(t.opt.Tuning.Motion.BendPairs, closerMost/visible)
			pts = t.fitter.closerPoints(pts, &o.track.Track, t.hiders(o, &o.track.Track, last.Seq), spacing, share)
		}
	}
	t.fitter.closer = pts
	return pts
}
