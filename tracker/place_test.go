package tracker

import (
	"image"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// room is a picture of some furniture, in colours that are so much of what they were, moved by so many pixels.
func room(light float64, dx int, furniture ...image.Rectangle) *motion.Entry {
	e := still(60, 40, byte(60*light), 0, 0)
	for i, r := range furniture {
		r = r.Add(image.Pt(dx, 0)).Intersect(image.Rect(0, 0, 60, 40))
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				for c, v := range [3]float64{float64(200 - 30*i), 90, float64(60 + 40*i)} {
					e.BGR[3*(60*y+x)+c] = byte(v * light)
				}
			}
		}
	}
	return e
}

// A place is known by its colours where a camera has turned or come nearer, and by its layout where the light has become another one.
// Another one has neither.
func TestAPlaceIsKnownByColoursOrLayout(t *testing.T) {
	bed, shelf, lamp := image.Rect(4, 22, 40, 38), image.Rect(30, 4, 56, 10), image.Rect(10, 6, 16, 18)
	home := glimpseOf(room(1, 0, bed, shelf, lamp))
	for _, c := range []struct {
		what    string
		e       *motion.Entry
		another bool
	}{
		{"as it was", room(1, 0, bed, shelf, lamp), false},
		{"in half the light", room(0.5, 0, bed, shelf, lamp), false},
		{"turned away by a third", room(1, 20, bed, shelf, lamp), false},
		{"other furniture in another light", room(0.5, 0, image.Rect(0, 0, 20, 30), image.Rect(44, 20, 60, 40)), true},
	} {
		if got := home.another(glimpseOf(c.e), tuned); got != c.another {
			t.Errorf("%s: another place %v", c.what, got)
		}
	}
}

// An object that was found in a picture which then goes away, or is told to have come back, is known by that picture, and not by what was to
// be seen a second before.
func TestWhatWasJustFoundIsKnownByThePictureItWasFoundIn(t *testing.T) {
	home, away := thing{image.Rect(8, 8, 20, 20), 255, 1}, thing{image.Rect(0, 10, 60, 40), 90, 0}
	tr := stage(t, 1, calm)
	for range 61 { // two seconds of another picture
		shown(t, tr, away)
	}
	seq := shown(t, tr, home)
	o := place(tr, square(8, 8, 12), seg.Lost)
	best, ev := saying(home.at), at(tr, seq)
	tr.adopt(o, square(8, 8, 12), ev, &best)
	tr.accept(o)
	tr.Flush()
	if o.state != seg.Lost || !o.away {
		t.Fatalf("it is %v", o.state)
	}
	if seq = shown(t, tr, home); tr.elsewhere(o, at(tr, seq).e) {
		t.Error("the picture that it was found in is another place")
	}
	if seq = shown(t, tr, away); !tr.elsewhere(o, at(tr, seq).e) {
		t.Error("the picture before that is its place")
	}
}

// What was lost, and is found where its picture is the very same again, is what it was there, though the model says a little more or less;
// where something has changed, what the model says counts.
func TestWhatComesBackInTheSamePictureIsWhatItWas(t *testing.T) {
	home := thing{image.Rect(8, 8, 20, 20), 255, 1}
	for _, c := range []struct {
		what  string
		shows thing
		found image.Rectangle
		same  bool
	}{
		{"the same, a little larger", home, image.Rect(7, 7, 22, 22), true},
		{"the same, much larger", home, image.Rect(4, 4, 34, 34), false},
		{"another thing", thing{home.at, 120, 1}, image.Rect(7, 7, 22, 22), false},
	} {
		tr := stage(t, 1, calm)
		o := lostThing(t, tr)
		ev := at(tr, tr.Newest())
		tr.hold(o, o.track.Patch, ev)
		was := o.track.Patch
		said := tuned.Shape.PatchOf(saying(c.found).Logits, 60, 40)
		ev = at(tr, shown(t, tr, c.shows))
		if got := tr.asItWas(o, said, ev); got == was != c.same {
			t.Errorf("%s: as it was %v", c.what, got == was)
		}
	}
}
