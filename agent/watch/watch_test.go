package watch

import (
	"fmt"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

func anywhere(seg.Box) bool { return true }

// at is a box of a tenth of the picture's sides.
func at(x, y float64) seg.Box { return seg.Box{X0: x, Y0: y, X1: x + 0.1, Y1: y + 0.1} }

func place(id seg.ID, s seg.State, b seg.Box) tracker.Place {
	return tracker.Place{ID: id, State: s, Box: b}
}

// words are finds in short: N for something new, and the objects that it may be.
func words(finds []Find) string {
	out := ""
	for _, f := range finds {
		for _, id := range f.Perhaps {
			out += fmt.Sprint(id, "? ")
		}
		if f.New {
			out += "N "
		}
	}
	return out
}

func TestABoxIsNewOnce(t *testing.T) {
	torso := seg.Box{X0: 0.42, Y0: 0.42, X1: 0.48, Y1: 0.45}
	for name, c := range map[string]struct {
		own    []seg.ID
		boxes  []seg.Box
		places []tracker.Place
		most   int
		want   string // of each of four looks
		owns   []seg.ID
	}{
		"something new, seen twice": {boxes: []seg.Box{at(0.1, 0.1)}, want: "|N |N |N ", owns: nil},
		"followed already, by somebody": {
			boxes: []seg.Box{at(0.1, 0.1)}, places: []tracker.Place{place(7, seg.Tracking, at(0.12, 0.1))}, want: "|||", owns: []seg.ID{7},
		},
		"beside what somebody follows": {
			boxes: []seg.Box{at(0.1, 0.1)}, places: []tracker.Place{place(7, seg.Tracking, at(0.16, 0.1))}, want: "|N |N |N ",
		},
		"its own, of which a part has a mask": {
			own: []seg.ID{7}, boxes: []seg.Box{at(0.4, 0.4)}, places: []tracker.Place{place(7, seg.Uncertain, torso)}, want: "|||", owns: []seg.ID{7},
		},
		"somebody's part of it": {
			boxes: []seg.Box{at(0.4, 0.4)}, places: []tracker.Place{place(7, seg.Tracking, torso)}, want: "|N |N |N ",
		},
		"its own, hidden there": {
			own: []seg.ID{7}, boxes: []seg.Box{at(0.4, 0.4)}, places: []tracker.Place{place(7, seg.Occluded, at(0.4, 0.4))},
			want: "7? |7? |7? |7? ", owns: []seg.ID{7},
		},
		"its own, lost: asked first, and something new in the end": {
			own: []seg.ID{7}, boxes: []seg.Box{at(0.4, 0.4)}, places: []tracker.Place{place(7, seg.Lost, seg.Box{})},
			want: "7? |7? |7? |7? N ", owns: []seg.ID{7},
		},
		"one of two has an owner": {
			own: []seg.ID{7}, boxes: []seg.Box{at(0.12, 0.1), at(0.16, 0.1)}, places: []tracker.Place{place(7, seg.Tracking, at(0.1, 0.1))},
			want: "|N |N |N ", owns: []seg.ID{7},
		},
		"its own, elsewhere: it may have jumped": {
			own: []seg.ID{7}, boxes: []seg.Box{at(0.4, 0.4)}, places: []tracker.Place{place(7, seg.Occluded, at(0.1, 0.1))},
			want: "7? |7? |7? |7? N ", owns: []seg.ID{7},
		},
		"its own, not seen this time, and another": {
			own: []seg.ID{7}, boxes: []seg.Box{at(0.4, 0.4)}, places: []tracker.Place{place(7, seg.Uncertain, at(0.1, 0.1))},
			want: "|||N ", owns: []seg.ID{7},
		},
		"no more than the phrase asks for": {
			own: []seg.ID{7}, boxes: []seg.Box{at(0.4, 0.4)}, places: []tracker.Place{place(7, seg.Tracking, at(0.1, 0.1))}, most: 1,
			want: "|||", owns: []seg.ID{7},
		},
		"one that has ended makes room": {own: []seg.ID{7}, boxes: []seg.Box{at(0.4, 0.4)}, most: 1, want: "|N |N |N "},
	} {
		t.Run(name, func(t *testing.T) {
			w := &Watch{Saved: Saved{Objects: slices.Clone(c.own)}}
			got := ""
			for i := range 4 {
				if i > 0 {
					got += "|"
				}
				got += words(w.Match(c.boxes, c.places, c.most, anywhere, false))
			}
			if got != c.want || !slices.Equal(w.Objects, c.owns) {
				t.Errorf("%q of %v, want %q of %v", got, w.Objects, c.want, c.owns)
			}
		})
	}
}

func TestWhatMovesIsTheSame(t *testing.T) {
	w := &Watch{}
	for i, want := range []string{"", "N ", "N "} {
		if got := words(w.Match([]seg.Box{at(0.1+0.08*float64(i), 0.1)}, nil, 0, anywhere, false)); got != want {
			t.Errorf("look %d: %q, want %q", i, got, want)
		}
	}
	if w.Doubts() {
		t.Error("nothing new was seen")
	}
	if got := words(w.Match([]seg.Box{at(0.8, 0.8)}, nil, 0, anywhere, false)); got != "" || !w.Doubts() {
		t.Errorf("elsewhere: %q", got)
	}
}

func TestWhatIsAskedForIsBelievedAtOnce(t *testing.T) {
	w := &Watch{}
	if got := words(w.Match([]seg.Box{at(0.1, 0.1)}, nil, 0, anywhere, true)); got != "N " {
		t.Errorf("%q", got)
	}
}

func TestAFrameIsLookedAtOnce(t *testing.T) {
	w := &Watch{}
	for i, c := range []struct {
		frame uint64
		want  bool
	}{{5, false}, {5, true}, {6, false}, {5, false}} {
		if w.Seen(c.frame) != c.want {
			t.Errorf("%d: frame %d was seen: %v", i, c.frame, !c.want)
		}
	}
}

func TestZonesBoundWhatIsNew(t *testing.T) {
	w := &Watch{}
	left := func(b seg.Box) bool { return b.X1 < 0.5 }
	for range confirmed {
		finds := w.Match([]seg.Box{at(0.1, 0.1), at(0.7, 0.1)}, nil, 0, left, false)
		if len(finds) > 1 || len(finds) == 1 && finds[0].Box != at(0.1, 0.1) {
			t.Errorf("%+v", finds)
		}
	}
}

// What a person took away is not found again while it is there, nor when it walks on; once it was gone for long it is new.
func TestWhatIsNotWantedStaysAway(t *testing.T) {
	w := &Watch{Saved: Saved{Objects: []seg.ID{7}}}
	w.Decline(7, at(0.1, 0.1))
	w.Decline(8, at(0.8, 0.1)) // not the watch's
	for i := range 8 {
		if got := words(w.Match([]seg.Box{at(0.1+0.05*float64(i), 0.1)}, nil, 0, anywhere, false)); got != "" {
			t.Errorf("look %d: %q", i, got)
		}
	}
	for range unwanted + 1 {
		w.Match(nil, nil, 0, anywhere, false)
	}
	for _, want := range []string{"", "N "} {
		if got := words(w.Match([]seg.Box{at(0.4, 0.1)}, nil, 0, anywhere, false)); got != want {
			t.Errorf("later: %q, want %q", got, want)
		}
	}
}

func TestAWatchHasALimit(t *testing.T) {
	w := &Watch{Saved: Saved{Limit: 2}}
	for id := range seg.ID(2) {
		if !w.Room(0) {
			t.Fatalf("no room for object %d of 2", id)
		}
		w.Found(id + 1)
		w.Found(id + 1)
	}
	if w.Room(0) || w.Room(9) {
		t.Error("there is room for a third")
	}
}

func TestPhrasesAreTheSameWhateverTheirCase(t *testing.T) {
	if Key(" Every  Dog") != Key("every dog") {
		t.Error("they differ")
	}
}

// A box is that of an object by how much they overlap: less is asked of the watch's own, and of a part of its own that fills little of the box.
func TestWhoseABoxIs(t *testing.T) {
	box := seg.Box{X0: 0.2, Y0: 0.2, X1: 0.6, Y1: 0.6}
	for what, c := range map[string]struct {
		place     seg.Box
		own, want bool
	}{
		"half of any":               {seg.Box{X0: 0.2, Y0: 0.2, X1: 0.6, Y1: 0.41}, false, true},
		"less than half of any":     {seg.Box{X0: 0.2, Y0: 0.2, X1: 0.6, Y1: 0.38}, false, false},
		"less than half of its own": {seg.Box{X0: 0.2, Y0: 0.2, X1: 0.6, Y1: 0.34}, true, true},
		"little of its own":         {seg.Box{X0: 0.4, Y0: 0.2, X1: 0.8, Y1: 0.36}, true, false},
		"a part of its own":         {seg.Box{X0: 0.25, Y0: 0.25, X1: 0.35, Y1: 0.35}, true, true},
		"a part of its own, mostly": {seg.Box{X0: 0.17, Y0: 0.25, X1: 0.37, Y1: 0.35}, true, true},
		"hardly a part":             {seg.Box{X0: 0.14, Y0: 0.25, X1: 0.34, Y1: 0.35}, true, false},
	} {
		w := &Watch{}
		if c.own {
			w.Objects = []seg.ID{1}
		}
		got := w.owners([]seg.Box{box}, []tracker.Place{{ID: 1, State: seg.Tracking, Box: c.place}})[0] != nil
		if got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// What is seen again is about as large as before.
func TestASightIsAboutAsLarge(t *testing.T) {
	s := sight{box: seg.Box{X0: 0.4, Y0: 0.4, X1: 0.5, Y1: 0.5}}
	for side, want := range map[float64]bool{0.1: true, 0.19: true, 0.21: false, 0.055: true, 0.045: false} {
		if got := s.near(seg.Box{X0: 0.45 - side/2, Y0: 0.45 - side/2, X1: 0.45 + side/2, Y1: 0.45 + side/2}); got != want {
			t.Errorf("a side of %g for 0.1: %v", side, got)
		}
	}
}
