package watch

import (
	"fmt"
	"image"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// square is the mask of a square of 40 pixels' sides at x.
func square(x int) *seg.Mask { return filled(image.Rect(x, 20, x+40, 60)) }

func filled(r image.Rectangle) *seg.Mask {
	m := seg.NewMask(200, 100, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

func seen(id seg.ID, m *seg.Mask) seg.Object { return seg.Object{ID: id, State: seg.Tracking, Mask: m} }

// ended says what ends in one comparison: "2=1" is object 2, which is the same thing as 1.
func ended(ends []Double) (out string) {
	for _, d := range ends {
		out += fmt.Sprintf("%d=%d ", d.Ends, d.Stays)
	}
	return out
}

func TestADoubleEnds(t *testing.T) {
	hidden := seen(2, square(10))
	hidden.State = seg.Occluded
	for name, c := range map[string]struct {
		made    []seg.ID
		objects []seg.Object
		want    string
	}{
		"the newer of two":              {[]seg.ID{1, 2}, []seg.Object{seen(1, square(10)), seen(2, square(15))}, "2=1 "},
		"whatever their order":          {[]seg.ID{1, 2}, []seg.Object{seen(2, square(15)), seen(1, square(10))}, "2=1 "},
		"one that lies in the other":    {[]seg.ID{1, 2}, []seg.Object{seen(1, square(10)), seen(2, filled(image.Rect(12, 25, 20, 50)))}, "2=1 "},
		"not one beside the other":      {[]seg.ID{1, 2}, []seg.Object{seen(1, square(10)), seen(2, square(30))}, ""},
		"not one that is hidden":        {[]seg.ID{1, 2}, []seg.Object{seen(1, square(10)), hidden}, ""},
		"not one without a mask":        {[]seg.ID{1, 2}, []seg.Object{seen(1, square(10)), seen(2, nil)}, ""},
		"not a speck":                   {[]seg.ID{1, 2}, []seg.Object{seen(1, square(10)), seen(2, filled(image.Rect(12, 25, 14, 27)))}, ""},
		"not one of another watch":      {[]seg.ID{1, 2, 9}, []seg.Object{seen(1, square(10)), seen(9, square(10))}, ""},
		"not a person's":                {nil, []seg.Object{seen(1, square(10)), seen(2, square(10))}, ""},
		"the older, if the newer is so": {[]seg.ID{1}, []seg.Object{seen(1, square(10)), seen(2, square(10))}, "1=2 "},
		"two of three": {
			[]seg.ID{1, 2, 3}, []seg.Object{seen(1, square(10)), seen(2, square(10)), seen(3, square(12))}, "2=1 3=1 3=2 ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := Watch{Saved: Saved{Objects: []seg.ID{1, 2, 3}, Made: c.made}}
			for range compared - 1 {
				if got := ended(w.Compare(c.objects)); got != "" {
					t.Errorf("at once: %s", got)
				}
			}
			if got := ended(w.Compare(c.objects)); got != c.want {
				t.Errorf("%q ended, want %q", got, c.want)
			}
		})
	}
}

// An object that has no box of its own and lies in that of another, look after look, is a part of it; one that has a box, lies beside it or
// is a person's is not.
func TestAPartEnds(t *testing.T) {
	whole, half := place(1, seg.Tracking, at(0.1, 0.1)), seg.Box{X0: 0.11, Y0: 0.11, X1: 0.15, Y1: 0.19}
	for name, c := range map[string]struct {
		part  tracker.Place
		boxes []seg.Box
		made  []seg.ID
		want  string
	}{
		"a part":                {place(2, seg.Tracking, half), []seg.Box{at(0.1, 0.1)}, []seg.ID{1, 2}, "2=1 "},
		"a part, that is older": {place(0, seg.Tracking, half), []seg.Box{at(0.1, 0.1)}, []seg.ID{0, 1}, "0=1 "},
		"a part of a person's":  {place(2, seg.Tracking, half), []seg.Box{at(0.1, 0.1)}, []seg.ID{2}, "2=1 "},
		"a person's part":       {place(2, seg.Tracking, half), []seg.Box{at(0.1, 0.1)}, []seg.ID{1}, ""},
		"with a box of its own": {place(2, seg.Tracking, half), []seg.Box{at(0.1, 0.1), half}, []seg.ID{1, 2}, ""},
		"the same box, nearly":  {place(2, seg.Tracking, at(0.12, 0.1)), []seg.Box{at(0.1, 0.1)}, []seg.ID{1, 2}, "2=1 "},
		"beside it":             {place(2, seg.Tracking, at(0.16, 0.1)), []seg.Box{at(0.1, 0.1)}, []seg.ID{1, 2}, ""},
		"hidden":                {place(2, seg.Occluded, half), []seg.Box{at(0.1, 0.1)}, []seg.ID{1, 2}, ""},
		"in no box":             {place(2, seg.Tracking, half), nil, []seg.ID{1, 2}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := Watch{Saved: Saved{Objects: []seg.ID{0, 1, 2}, Made: c.made}}
			got := ""
			for range looked {
				if got != "" {
					t.Errorf("at once: %s", got)
				}
				w.Match(c.boxes, []tracker.Place{whole, c.part}, 0, anywhere, false)
				got += ended(w.Compare(nil))
			}
			if got != c.want {
				t.Errorf("%q ended, want %q", got, c.want)
			}
		})
	}
}

// Two that were one thing and are drawn apart, so that each has a part of it, are one thing still; two that have been apart all the time are
// not.
func TestWhatIsDrawnApartIsOneThing(t *testing.T) {
	left, right := filled(image.Rect(10, 20, 40, 60)), filled(image.Rect(20, 20, 50, 60))
	for y := 20; y < 60; y++ {
		clear(left.Row(y)[20:])  // but for a row below
		clear(right.Row(y)[:10]) // its box stays
	}
	left.Row(59)[29], right.Row(59)[0] = 1, 1
	for name, first := range map[string]*seg.Mask{"one thing at first": square(10), "never": filled(image.Rect(60, 20, 90, 60))} {
		w := Watch{Saved: Saved{Objects: []seg.ID{1, 2}, Made: []seg.ID{1, 2}}}
		got := ended(w.Compare([]seg.Object{seen(1, square(10)), seen(2, first)}))
		for range compared - 1 {
			got += ended(w.Compare([]seg.Object{seen(1, left), seen(2, right)}))
		}
		if want := map[bool]string{true: "2=1 "}[name != "never"]; got != want {
			t.Errorf("%s: %q ended, want %q", name, got, want)
		}
	}
}

// What crosses another covers it for a moment, each time anew.
func TestWhatCrossesIsNoDouble(t *testing.T) {
	w := Watch{Saved: Saved{Objects: []seg.ID{1, 2}, Made: []seg.ID{1, 2}}}
	for round := range 10 {
		for k := range compared {
			x := 80
			if k < compared-1 {
				x = 10 + 4*k
			}
			if got := ended(w.Compare([]seg.Object{seen(1, square(10)), seen(2, square(x))})); got != "" {
				t.Errorf("round %d: %s", round, got)
			}
		}
	}
}

// What a person takes for theirs is not ended, and what a person declines or what has ended is not remembered.
func TestWhatTheWatchMade(t *testing.T) {
	var w Watch
	for id := range seg.ID(5) {
		w.Makes(id)
	}
	w.Keep(1)
	w.Decline(2, at(0.1, 0.1))
	w.Match(nil, []tracker.Place{place(0, seg.Tracking, at(0.3, 0.3)), place(1, seg.Tracking, at(0.5, 0.3)), place(4, seg.Lost, seg.Box{})}, 0, anywhere, false)
	if !slices.Equal(w.Made, []seg.ID{0, 4}) || !slices.Equal(w.Objects, []seg.ID{0, 1, 4}) {
		t.Errorf("made %v of %v", w.Made, w.Objects)
	}
}
