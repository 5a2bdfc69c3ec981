package zones

import (
	"bytes"
	"encoding/gob"
	"reflect"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
)

// across draws a gate and a line in its middle for some classes.
func across(only ...string) *Watch {
	w := New(Defaults())
	w.SetZone("gate", gate, only...)
	w.SetLine("sill", []seg.Point{{X: 0.45, Y: 1}, {X: 0.45}}, only...)
	return w
}

// walk takes an object from one place to another at the height of the gate.
func (k *walker) walk(from, to float64) {
	for i := range 41 {
		k.to(from+(to-from)*float64(i)/40, 0.6)
	}
}

func TestWhatIsCounted(t *testing.T) {
	w := across()
	k := newWalker(w)
	k.walk(0.1, 0.9)
	k.walk(0.9, 0.5)
	want := Counts{map[string]Visits{"gate": {2, 1}}, map[string]Crossings{"sill": {0, 1}}}
	if got := w.Counts(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	k.walk(0.5, 0.4)
	if got := w.Counts().Lines["sill"]; got != (Crossings{1, 1}) {
		t.Errorf("the way back: %+v", got)
	}
	w.SetZone("gate", gate)
	w.SetLine("sill", nil)
	if got := w.Counts(); len(got.Zones)+len(got.Lines) != 0 {
		t.Errorf("what is drawn anew, or removed, goes on counting: %+v", got)
	}
}

// Who is in a zone over a restart does not enter again, and has been there as long as it has; who is gone has left.
func TestCountsOutliveARestart(t *testing.T) {
	w := across()
	k := newWalker(w)
	k.walk(0.1, 0.5)
	entered := k.ref.Captured
	for _, typ := range types(k.said()) {
		if typ == seg.ZoneLeft {
			t.Fatal("it is still there")
		}
	}
	var file bytes.Buffer
	if err := gob.NewEncoder(&file).Encode(w.Save()); err != nil {
		t.Fatal(err)
	}
	var saved Saved
	if err := gob.NewDecoder(&file).Decode(&saved); err != nil {
		t.Fatal(err)
	}
	b := across()
	b.Restore(saved, func(id seg.ID) bool { return id == 7 })
	again := &walker{w: b, o: k.o}
	again.tell(seg.ObjectRecovered)
	again.walk(0.5, 0.9)
	said := again.said()
	if !slices.Equal(types(said), []seg.EventType{seg.ZoneLeft}) || said[0].Details["dwell_s"].(float64) < 0 || entered.IsZero() {
		t.Errorf("%+v", said)
	}
	if got := b.Counts(); got.Zones["gate"] != (Visits{1, 1}) || got.Lines["sill"] != (Crossings{0, 1}) {
		t.Errorf("%+v", got)
	}
	gone := across()
	gone.Restore(saved, func(seg.ID) bool { return false })
	if got := gone.Counts().Zones["gate"]; got != (Visits{1, 1}) || len(gone.visitors) != 0 {
		t.Errorf("who is gone: %+v, %d visitors", got, len(gone.visitors))
	}
	empty := New(Defaults())
	empty.Restore(saved, func(seg.ID) bool { return true })
	if got := empty.Counts(); len(got.Zones)+len(got.Lines)+len(empty.visitors) != 0 {
		t.Errorf("of what is not drawn any more: %+v", got)
	}
}

// A zone, or a line, of classes sees no others.
func TestClasses(t *testing.T) {
	for _, c := range []struct {
		only         []string
		name, prompt string
		counts       bool
	}{
		{nil, "", "point", true}, {[]string{"car"}, "car", "", true}, {[]string{"car"}, "red Car 2", "box", true}, {[]string{"car"}, "cart", "", false},
		{[]string{"car"}, "", `text "two cars"`, false}, {[]string{"dog", "car"}, "", `text "blue car"`, true}, {[]string{"traffic light"}, "the traffic light", "", true},
		{[]string{"traffic light"}, "light traffic", "", false}, {[]string{"Käse"}, "käse", "", true}, {[]string{"car"}, "", "point", false}, {[]string{""}, "car", "", false},
	} {
		w := across(c.only...)
		k := newWalker(w)
		k.o.Name, k.o.Prompt = c.name, c.prompt
		k.walk(0.1, 0.9)
		if n := len(k.said()); n != map[bool]int{true: 3}[c.counts] {
			t.Errorf("%q, prompted with %q, in zones of %q: %v", c.name, c.prompt, c.only, types(k.said()))
		}
	}
}

// An object that gets another name while it is in a zone of a class leaves it, or enters.
func TestARenamedObjectLeaves(t *testing.T) {
	w := across("car")
	k := newWalker(w)
	k.o.Name = "car"
	k.walk(0.1, 0.4)
	k.o.Name = "lorry"
	k.walk(0.4, 0.42)
	if got := types(k.said()); !slices.Equal(got, []seg.EventType{seg.ZoneEntered, seg.ZoneLeft}) {
		t.Errorf("%v", got)
	}
}

// Which side an object was on while it was of none of the line's classes is nothing to have crossed from.
func TestASideIsForgottenWithTheClass(t *testing.T) {
	w := across("car")
	k := newWalker(w)
	for _, leg := range []struct {
		name     string
		from, to float64
	}{{"car", 0.1, 0.2}, {"lorry", 0.2, 0.8}, {"car", 0.8, 0.85}} {
		k.o.Name = leg.name
		k.walk(leg.from, leg.to)
	}
	if n := w.Counts().Lines["sill"]; n != (Crossings{}) {
		t.Errorf("it crossed as a lorry, and is counted as a car: %+v", n)
	}
	k.walk(0.85, 0.1)
	if n := w.Counts().Lines["sill"]; n != (Crossings{Left: 1}) {
		t.Errorf("the car's way back: %+v", n)
	}
}

// An object of an earlier run that is removed before it is found leaves as what it was known as.
func TestWhoIsRemovedBeforeItIsFoundLeavesAsItWas(t *testing.T) {
	w := across()
	w.Restore(Saved{Zones: []SavedZone{{Name: "gate", Visits: Visits{Entered: 1}}}, Inside: []Presence{{ID: 7, Zone: "gate"}}}, func(seg.ID) bool { return true })
	before, after := seg.Object{ID: 7, Name: "cup", State: seg.Tracking}, seg.Object{ID: 7, Name: "cup", State: seg.Ended}
	got := w.Report(seg.FrameRef{Seq: 3}, []seg.Change{{Type: seg.ObjectEnded, Before: &before, After: &after}}, nil, nil)
	if !slices.Equal(types(got), []seg.EventType{seg.ZoneLeft, seg.ObjectEnded}) || got[0].Before != &before {
		t.Errorf("%+v", got)
	}
}

// What is drawn otherwise than when it was saved counts from then on, and nobody is inside; the rest goes on.
func TestWhatWasDrawnAnewMeanwhileCountsAnew(t *testing.T) {
	w := across("car")
	k := newWalker(w)
	k.o.Name = "car"
	k.walk(0.1, 0.5)
	saved := w.Save()
	moved := append([]seg.Point{{X: 0.31, Y: 0.2}}, gate[1:]...)
	for what, c := range map[string]struct {
		draw   func(*Watch)
		zone   Visits
		line   Crossings
		inside []seg.ID
	}{
		"as it was":          {func(*Watch) {}, Visits{Entered: 1}, Crossings{Right: 1}, []seg.ID{7}},
		"a corner elsewhere": {func(w *Watch) { w.SetZone("gate", moved, "car") }, Visits{}, Crossings{Right: 1}, nil},
		"another class":      {func(w *Watch) { w.SetZone("gate", gate, "dog") }, Visits{}, Crossings{Right: 1}, nil},
		"the line turned": {func(w *Watch) { w.SetLine("sill", []seg.Point{{X: 0.45}, {X: 0.45, Y: 1}}, "car") }, Visits{Entered: 1}, Crossings{},
			[]seg.ID{7}},
	} {
		b := across("car")
		c.draw(b)
		b.Restore(saved, func(seg.ID) bool { return true })
		if n := b.Counts(); n.Zones["gate"] != c.zone || n.Lines["sill"] != c.line || !slices.Equal(b.Inside()["gate"], c.inside) {
			t.Errorf("%s: %+v, inside %v", what, n, b.Inside())
		}
	}
	w.SetZone("gate", gate, "dog")
	if in := w.Inside(); len(in) != 0 {
		t.Errorf("drawn for other classes, inside are %v", in)
	}
}

// TestCountsAreToldWhenTheyAreKept: not before, and no more than is there.
func TestCountsAreToldWhenTheyAreKept(t *testing.T) {
	w := across()
	k := newWalker(w)
	k.walk(0.1, 0.9)
	saved := w.Save()
	k.walk(0.9, 0.1)
	kept := saved.Counts()
	if got := w.Counts().AtMost(kept); !reflect.DeepEqual(got, kept) || got.Lines["sill"] != (Crossings{0, 1}) {
		t.Errorf("%+v, want %+v", got, kept)
	}
	w.SetLine("sill", []seg.Point{{X: 0.45, Y: 1}, {X: 0.45}})
	if got := w.Counts().AtMost(kept); len(got.Lines) != 0 || len(got.Zones) != 1 {
		t.Errorf("a line that is drawn anew: %+v", got)
	}
	if got := w.Counts().AtMost(Counts{}); len(got.Zones)+len(got.Lines) != 0 {
		t.Errorf("before anything is kept: %+v", got)
	}
}
