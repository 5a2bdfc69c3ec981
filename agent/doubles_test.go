package agent

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/segedge/segedge/agent/watch"
	"github.com/segedge/segedge/seg"
)

// doubled is a rig whose camera keeps looking for squares and has one object of the red one, cam-1, and a second one, cam-2, by a click. It
// is for tests in a bubble of synctest.
func doubled(t *testing.T) (r *rig, counted func() int) {
	r = newLookout(t, func(o *Options, _ *CameraOptions) { counted = counter(o) })
	r.next(40)
	r.ok("prompt", `{"text":"square","follow":true}`)
	r.until(40, "the square is followed", following(1))
	r.ok("prompt", onSquare)
	r.until(40, "it is two objects", following(2))
	return r, counted
}

// change does something to the camera's only watch.
func (r *rig) change(do func(w *watch.Watch)) {
	l := &r.cameras.get("cam").lookout
	l.mu.Lock()
	defer l.mu.Unlock()
	do(l.watches[0])
}

// What a watch has made two objects of is one again, and its event says of which; it stays followed, and is found again when it was lost.
func TestADoubleOfAWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, counted := doubled(t)
		r.change(func(w *watch.Watch) { w.Makes(2) })
		r.until(40, "one of them has ended", func(o []seg.Object) bool { return len(o) == 1 })
		e := r.diary.await(t, seg.ObjectEnded)
		if e.After.ID != 2 || e.Details["double_of"] != "cam-1" || len(e.Details) != 1 {
			t.Errorf("object %d has ended, with %v", e.After.ID, e.Details)
		}
		r.looks(40, counted, 8)
		if o, _ := r.Objects("cam"); len(o.Objects) != 1 || o.Objects[0].ID != 1 || r.diary.count(seg.ObjectNew) != 2 {
			t.Errorf("afterwards: %+v", o.Objects)
		}
		r.film.dark.Store(true)
		r.until(40, "all is lost in the dark", following(0))
		r.film.dark.Store(false)
		r.until(40, "it is found again", following(1))
		if s, _ := r.State("cam"); !slices.Equal(s.Watches[0].Objects, []string{"cam-1"}) {
			t.Errorf("the watch has %v", s.Watches[0].Objects)
		}
	})
}

// What a person has made, or taken for theirs, is never ended, be it the same thing as another or not.
func TestAPersonsObjectIsNoDouble(t *testing.T) {
	for name, theirs := range map[string]func(r *rig){
		"renamed":   func(r *rig) { r.ok("rename", `{"object":"cam-1","name":"mine"}`) },
		"confirmed": func(r *rig) { r.ok("confirm", `{"object":"cam-1"}`) },
		"refined":   func(r *rig) { r.ok("prompt", `{"object":"cam-1","points":[{"x":0.35,"y":0.5,"label":1}]}`) },
		"asked for": func(r *rig) { r.ok("prompt", `{"text":"red"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, counted := doubled(t)
				theirs(r)
				r.change(func(w *watch.Watch) { w.Found(2) })
				r.looks(40, counted, 20)
				for range 100 { // three seconds
					r.next(40)
				}
				if o, _ := r.Objects("cam"); len(o.Objects) != 2 || r.diary.count(seg.ObjectEnded) != 0 {
					t.Errorf("of two there are %+v", o.Objects)
				}
			})
		})
	}
}

// What a person clicks anew is theirs: the watch's own object of the same thing ends.
func TestAClickOutlivesTheWatchsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := doubled(t)
		r.change(func(w *watch.Watch) { w.Found(2) })
		r.until(40, "one of them has ended", func(o []seg.Object) bool { return len(o) == 1 })
		if e := r.diary.await(t, seg.ObjectEnded); e.After.ID != 1 || e.Details["double_of"] != "cam-2" {
			t.Errorf("object %d has ended, with %v", e.After.ID, e.Details)
		}
	})
}

// What passes in front of another stays, as what it passes does.
func TestWhatPassesInFrontStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLookout(t, nil)
		r.film.beside = true
		r.next(20)
		r.ok("prompt", `{"text":"square","follow":true}`)
		r.until(20, "both are followed", following(2))
		for x := 20; x < 120; x += 2 {
			r.until(x, "one frame more", func([]seg.Object) bool { return true })
		}
		if n := r.diary.count(seg.ObjectEnded); n != 0 {
			t.Errorf("%d have ended", n)
		}
	})
}
