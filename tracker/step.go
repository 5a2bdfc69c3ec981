package tracker

import (
	"fmt"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// Tracker follows the objects of one camera. One goroutine owns it.
type Tracker struct {
	opt      Options
	tuning   *Tuning
	clock    clock
	scene    *motion.Scene
	objects  []*object // live, by id
	changes  []seg.Change
	pairs    []motion.Pair // scratch
	way      []track       // scratch
	policy   policy
	cropper  cropper
	sights   []*sight
	spreads  []modelSpread
	model    string     // the present one's motion.Identity
	sum      unary      // scratch
	steps    []float32  // scratch
	voteMap  seg.Logits // scratch
	voteN    []float32  // scratch
	local    motion.Local
	closer   []motion.Pixel // scratch
	snapLeft int            // pixels that may still be snapped in this frame
}

// New makes a tracker that measures motion with flow.
func New(o Options, flow motion.Flow) *Tracker {
	o = o.withDefaults()
	k := Defaults()
	if o.Tuning != nil {
		k = *o.Tuning
	}
	return &Tracker{
		opt: o, tuning: &k, clock: newClock(o.FPS, &k),
		scene: motion.NewScene(motion.Options{Width: o.GridWidth, Frames: o.History, Points: o.Points}, &k.Motion, flow),
	}
}

// frames turns seconds into frames, at least one.
func (t *Tracker) frames(seconds float64) int { return t.clock.frames(seconds) }

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
	t.snapLeft = snapPixels
	t.regrid(e)
	if last == nil {
		t.clock.tick(f.Captured, 0, t.tuning)
		return nil
	}
	t.clock.tick(f.Captured, e.Seq-last.Seq, t.tuning)
	t.closer = t.closer[:0]
	if t.uses(CueCover) {
		t.closer = t.morePoints(t.closer, last, e.Spacing)
	}
	if err := t.scene.Measure(last, e, t.closer); err != nil {
		return fmt.Errorf("tracker: %w", err)
	}
	for _, o := range t.objects {
		t.move(o, e)
	}
	if t.uses(CueCover) {
		t.coverAll(e)
	}
	t.sweep(e.Seq)
	return nil
}

// Oldest is the first frame that the history reaches, 0 when it is empty.
func (t *Tracker) Oldest() uint64 { return t.scene.Oldest() }

// Newest is the last frame, 0 before the first.
func (t *Tracker) Newest() uint64 { return t.scene.Newest() }

// Objects appends the live objects as of the newest frame, by id. Their masks are immutable and safe to keep.
func (t *Tracker) Objects(dst []seg.Object) []seg.Object {
	for _, o := range t.objects {
		dst = append(dst, t.snapshot(o))
	}
	return dst
}

// Object is a live object as of the newest frame.
func (t *Tracker) Object(id seg.ID) (seg.Object, bool) {
	o := t.find(id)
	if o == nil {
		return seg.Object{}, false
	}
	return t.snapshot(o), true
}

// Changes appends what happened since the last call, in order.
func (t *Tracker) Changes(dst []seg.Change) []seg.Change {
	dst = append(dst, t.changes...)
	clear(t.changes)
	t.changes = t.changes[:0]
	return dst
}

func (t *Tracker) find(id seg.ID) *object {
	i, ok := slices.BinarySearchFunc(t.objects, id, func(o *object, id seg.ID) int { return int(int64(o.id) - int64(id)) })
	if !ok {
		return nil
	}
	return t.objects[i]
}
