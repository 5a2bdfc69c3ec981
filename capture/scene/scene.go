// Package scene judges a camera's picture as a whole: dark, without edges, without life, or suddenly another view. It
// looks at some twenty thousand samples of each frame, whatever its size, and allocates nothing. It knows nothing of objects
// and decides nothing: whoever follows something in the picture asks whether there is anything to follow.
package scene

import (
	"math"
	"time"

	"github.com/segedge/segedge/frame"
)

// Watch judges the frames of one camera, in order. Its zero value is ready. One goroutine uses it.
type Watch struct {
	views     [3]view
	now, prev *view // of views; prev is nil before the second frame
	ref       *view // the view that is usual, as it was half a second ago at most; nil before
	at        time.Time
	refAt     time.Time

	told   frame.Scene
	judged frame.Scene // of the newest frame, and since when it has been the same
	since  time.Time

	clear  bool    // the frame before showed something
	still  float64 // likeness of neighbouring frames of late
	sharp  float64 // the best of late
	away   bool    // the view is another than ref
	awayAt time.Time
	life   life
}

// Look judges a frame that came at a time and answers the scene. Frozen pictures are looked for in live sources alone: a
// recording may hold one on purpose.
func (w *Watch) Look(f *frame.Frame, at time.Time, live bool) frame.Scene {
	if w.now != nil && at.Sub(w.at) < lookEvery {
		return w.told
	}
	w.turn()
	w.now.look(f)
	first := w.prev == nil
	gap := at.Sub(w.at)
	w.at = at
	w.settle(w.judge(gap, live), first)
	return w.told
}

// Forget is told when what comes next is not the next frame: of a source that was opened again.
func (w *Watch) Forget() { w.life = life{} }

// turn makes room for the next view.
func (w *Watch) turn() {
	switch {
	case w.now == nil:
		w.now = &w.views[0]
	case w.prev == nil:
		w.prev, w.now = w.now, &w.views[1]
	default:
		w.prev, w.now = w.now, w.prev
	}
}

// judge says what this frame alone is.
func (w *Watch) judge(gap time.Duration, live bool) frame.Scene {
	v := w.now
	frozen := live && w.prev != nil && w.life.frozen(v, w.prev, w.at)
	dark, flat, blur := limit(w.told == frame.SceneDark, darkBelow, darkLeave), limit(w.told == frame.SceneBlurred, flatBelow, flatLeave),
		limit(w.told == frame.SceneBlurred, blurBelow, blurLeave)
	clear := v.bright >= dark && v.tints >= flat
	moved := clear && w.moved()
	w.clear = clear
	switch {
	case v.bright < dark:
		return frame.SceneDark
	case v.tints < flat:
		return frame.SceneBlurred
	case moved:
		w.sharp = 0 // of another view
		return frame.SceneMoved
	case w.blurred(gap, blur):
		return frame.SceneBlurred
	case frozen:
		return frame.SceneFrozen
	}
	return frame.SceneOK
}

// limit is a threshold with a step back.
func limit(inside bool, enter, leave float64) float64 {
	if inside {
		return leave
	}
	return enter
}

// blurred compares the edges with what they were at their best.
func (w *Watch) blurred(gap time.Duration, least float64) bool {
	sharp := w.now.edge / (w.now.spread + 1)
	w.sharp *= math.Exp2(-float64(max(gap, 0)) / float64(sharpFade))
	if sharp < least*w.sharp {
		return true
	}
	w.sharp += max(0, sharp-w.sharp) * 0.1
	return false
}

// moved compares the view with the one before and, once it is another, with the one that was usual.
func (w *Watch) moved() bool {
	switch {
	case w.ref == nil:
		w.ref = &w.views[2]
		w.keep()
	case w.away:
		w.returned()
	case w.jumped():
		w.away, w.awayAt = true, w.at
	case w.at.Sub(w.refAt) >= keepEvery:
		w.keep()
	}
	return w.away
}

// jumped reports whether this view is another than the one before; after darkness, than the one before that.
func (w *Watch) jumped() bool {
	before := w.prev
	if !w.clear {
		before = w.ref
	}
	if min(w.now.relief, before.relief) < plain {
		return false
	}
	like := w.now.like(before)
	jump := like < similar && w.now.likeShifted(before) < unlike || w.still > steady && like < displaced
	if !jump {
		w.still += 0.1 * (like - w.still)
	}
	return jump
}

// returned ends a view's being another: the old one is back, or it has stayed.
func (w *Watch) returned() {
	switch {
	case w.now.like(w.ref) > alike || w.now.relief < plain:
		w.away = false
	case w.clear && w.now.like(w.prev) < similar && w.now.likeShifted(w.prev) < unlike:
		w.awayAt = w.at // yet another
	case w.at.Sub(w.awayAt) >= acceptAfter:
		w.away, w.still = false, 0
		w.keep()
	}
}

// keep makes this view the usual one.
func (w *Watch) keep() {
	*w.ref, w.refAt = *w.now, w.at
}

// settle tells a judgement once it has held for long enough; the first at once.
func (w *Watch) settle(s frame.Scene, first bool) {
	if first {
		w.told = s
	}
	if s != w.judged || first {
		w.judged, w.since = s, w.at
	}
	if s != w.told && w.at.Sub(w.since) >= hold(s) {
		w.told = s
	}
}

func hold(s frame.Scene) time.Duration {
	switch s {
	case frame.SceneDark:
		return darkHold
	case frame.SceneBlurred:
		return blurHold
	case frame.SceneMoved:
		return movedHold
	case frame.SceneOK:
		return okHold
	default:
		return 0 // a frozen picture has been waited for
	}
}

// life looks for signs of it: a picture that does not change at all, but for an encoder's pulse, has none.
type life struct {
	since       time.Time // the last real change
	seen, equal int       // frames since, and of these the same as the one before
	unequal     int       // the newest in a row that were not
}

// frozen notes a frame, and reports whether the picture has been without life for long enough.
func (l *life) frozen(now, prev *view, at time.Time) bool {
	by, any := now.stirred(prev)
	l.seen++
	if any {
		l.unequal++
	} else {
		l.equal++
		l.unequal = 0
	}
	if by >= stir || l.unequal >= 3 || l.since.IsZero() {
		*l = life{since: at}
	}
	return at.Sub(l.since) >= frozenAfter && l.seen >= 5 && float64(l.equal) >= frozenShare*float64(l.seen)
}
