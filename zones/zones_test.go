package zones

import (
	"image"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
)

// box is a mask of a square whose lower edge has its middle at (x, y), on a grid of 1000×1000 cells.
func box(x, y float64) *seg.Mask {
	cx, cy := int(math.Round(1000*x)), int(math.Round(1000*y))
	r := image.Rect(cx-20, cy-40, cx+20, cy).Intersect(image.Rect(0, 0, 1000, 1000))
	m := seg.NewMask(1000, 1000, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

// walker is an object that was told of and goes where it is put, ten frames a second.
type walker struct {
	w   *Watch
	o   seg.Object
	ref seg.FrameRef
	got []seg.Change
}

func newWalker(w *Watch) *walker {
	k := &walker{w: w, o: seg.Object{ID: 7, State: seg.Tracking}}
	k.tell(seg.ObjectNew)
	return k
}

func (k *walker) tell(typ seg.EventType) {
	after := k.o
	k.got = k.w.Report(k.ref, []seg.Change{{Type: typ, After: &after}}, nil, k.got)
}

func (k *walker) to(x, y float64) {
	k.ref.Seq++
	k.ref.Captured = time.Unix(0, 0).Add(time.Duration(k.ref.Seq) * 100 * time.Millisecond)
	k.o.Mask = box(x, y)
	k.got = k.w.Report(k.ref, nil, []seg.Object{k.o}, k.got)
}

// said are the changes but the object's own.
func (k *walker) said() (out []seg.Change) {
	for _, c := range k.got {
		if slices.Contains([]seg.EventType{seg.ZoneEntered, seg.ZoneLeft, seg.LineCrossed}, c.Type) {
			out = append(out, c)
		}
	}
	return out
}

func types(cs []seg.Change) (out []seg.EventType) {
	for _, c := range cs {
		out = append(out, c.Type)
	}
	return out
}

var gate = []seg.Point{{X: 0.3, Y: 0.2}, {X: 0.6, Y: 0.2}, {X: 0.6, Y: 0.9}, {X: 0.3, Y: 0.9}}

func TestAZoneTellsWhoEntersAndLeavesAndForHowLong(t *testing.T) {
	w := New(Defaults())
	w.SetZone("gate", gate)
	w.SetZone("far", []seg.Point{{X: 0.3, Y: 0}, {X: 0.6, Y: 0}, {X: 0.6, Y: 0.2}})
	k := newWalker(w)
	for x := 0.1; x < 0.9; x += 0.02 {
		k.to(x, 0.6)
	}
	said := k.said()
	if !slices.Equal(types(said), []seg.EventType{seg.ZoneEntered, seg.ZoneLeft}) {
		t.Fatalf("events %v", types(said))
	}
	in, out := said[0], said[1]
	if in.Details["zone"] != "gate" || out.Details["zone"] != "gate" || out.Before == nil || out.Before.Mask != in.After.Mask {
		t.Errorf("entered %v, left %v", in.Details, out.Details)
	}
	n, s := out.Details["dwell_frames"].(uint64), out.Details["dwell_s"].(float64)
	if n < 14 || n > 16 || math.Abs(s-float64(n)/10) > 1e-9 {
		t.Errorf("it stayed for %d frames and %.2f s: 0.3 of the picture at 0.02 a frame, ten frames a second", n, s)
	}
}

// An edge that wavers over a border neither enters nor leaves.
func TestABorderMustStayCrossed(t *testing.T) {
	w := New(Defaults())
	w.SetZone("gate", gate)
	k := newWalker(w)
	for range 10 {
		k.to(0.31, 0.5)
		k.to(0.31, 0.5)
		k.to(0.29, 0.5)
	}
	if got := k.said(); len(got) != 0 {
		t.Errorf("events %v", types(got))
	}
}

func TestALineTellsWhichWayItIsCrossed(t *testing.T) {
	down, right := [2]seg.Point{{X: 0.5, Y: 0.1}, {X: 0.5, Y: 0.9}}, [2]seg.Point{{X: 0.1, Y: 0.5}, {X: 0.9, Y: 0.5}}
	for _, c := range []struct {
		what string
		line [2]seg.Point
		way  [][2]float64
		want []string
	}{
		{"to the right over a line that runs down", down, [][2]float64{{0.4, 0.5}, {0.6, 0.5}}, []string{"left"}},
		{"and back", down, [][2]float64{{0.4, 0.5}, {0.6, 0.5}, {0.4, 0.5}}, []string{"left", "right"}},
		{"down over one that runs right", right, [][2]float64{{0.5, 0.4}, {0.5, 0.6}}, []string{"right"}},
		{"over its prolongation", down, [][2]float64{{0.4, 0.97}, {0.6, 0.97}}, nil},
		{"up to it and back", down, [][2]float64{{0.4, 0.5}, {0.5, 0.5}, {0.4, 0.5}}, nil},
		{"over it by way of it", down, [][2]float64{{0.4, 0.5}, {0.5, 0.5}, {0.503, 0.5}, {0.52, 0.5}}, []string{"left"}},
		{"along it", down, [][2]float64{{0.45, 0.2}, {0.45, 0.8}}, nil},
		{"round its end", down, [][2]float64{{0.4, 0.5}, {0.4, 0.97}, {0.6, 0.97}, {0.6, 0.5}}, nil},
	} {
		w := New(Defaults())
		w.SetLine("l", c.line[:])
		k := newWalker(w)
		for _, p := range c.way {
			k.to(p[0], p[1])
		}
		var got []string
		for _, e := range k.said() {
			got = append(got, e.Details["direction"].(string))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func TestAZoneIsLeftBeforeTheObjectEnds(t *testing.T) {
	w := New(Defaults())
	w.SetZone("gate", gate)
	k := newWalker(w)
	for range 5 {
		k.to(0.5, 0.5)
	}
	k.tell(seg.ObjectUpdated)
	k.tell(seg.ObjectEnded)
	want := []seg.EventType{seg.ObjectNew, seg.ZoneEntered, seg.ObjectUpdated, seg.ZoneLeft, seg.ObjectEnded}
	if got := types(k.got); !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if len(w.visitors) != 0 {
		t.Error("an object that has ended is kept")
	}
	k.to(0.9, 0.5)
	if got := k.said(); len(got) != 2 {
		t.Errorf("events %v after its end", types(got))
	}
}

func TestWhatIsHiddenOrUnknownStaysWhereItIs(t *testing.T) {
	w := New(Defaults())
	w.SetZone("gate", gate)
	k := newWalker(w)
	for range 5 {
		k.to(0.5, 0.5)
	}
	k.o.State = seg.Occluded
	for range 9 {
		k.to(0.9, 0.5)
	}
	if got := types(k.said()); !slices.Equal(got, []seg.EventType{seg.ZoneEntered}) {
		t.Errorf("events %v of an object that is hidden", got)
	}
	stranger := seg.Object{ID: 9, State: seg.Tracking, Mask: box(0.5, 0.5)}
	for range 5 {
		if got := w.Report(k.ref, nil, []seg.Object{stranger}, nil); len(got) != 0 {
			t.Fatalf("events %v of an object that nothing was told of", types(got))
		}
	}
}

func TestZonesAndLinesAreReplacedAndTakenAway(t *testing.T) {
	w := New(Defaults())
	w.SetZone("z", gate)
	w.SetLine("l", []seg.Point{{X: 0.5, Y: 0}, {X: 0.5, Y: 1}})
	k := newWalker(w)
	for range 4 {
		k.to(0.4, 0.5)
	}
	w.SetZone("z", []seg.Point{{X: 0.7, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0.7, Y: 1}})
	w.SetLine("l", nil)
	for range 4 {
		k.to(0.8, 0.5)
	}
	w.SetZone("z", nil)
	for range 4 {
		k.to(0.1, 0.5)
	}
	if got := types(k.said()); !slices.Equal(got, []seg.EventType{seg.ZoneEntered, seg.ZoneEntered}) {
		t.Errorf("events %v, want two entries: into the first and into what replaced it", got)
	}
}

func TestAPolygonMayBeConcave(t *testing.T) {
	u := zone{corners: []seg.Point{
		{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0.7, Y: 1}, {X: 0.7, Y: 0.3}, {X: 0.3, Y: 0.3}, {X: 0.3, Y: 1}, {X: 0, Y: 1},
	}}
	for _, c := range []struct {
		x, y float64
		want bool
	}{{0.1, 0.9, true}, {0.5, 0.9, false}, {0.5, 0.1, true}, {0.9, 0.5, true}, {1.1, 0.5, false}, {0.5, -0.1, false}} {
		if got := u.contains(seg.Point{X: c.x, Y: c.y}); got != c.want {
			t.Errorf("%.1f, %.1f: %v, want %v", c.x, c.y, got, c.want)
		}
	}
	point := line{from: seg.Point{X: 0.5, Y: 0.5}, to: seg.Point{X: 0.5, Y: 0.5}}
	if d := point.distance(seg.Point{X: 0.9, Y: 0.5}); d != 0 {
		t.Errorf("a line of one point is %v away: it has no sides", d)
	}
}

func TestAFrameInWhichNothingHappensCostsNothing(t *testing.T) {
	w := New(Defaults())
	w.SetZone("gate", gate)
	w.SetLine("l", []seg.Point{{X: 0.2, Y: 0}, {X: 0.2, Y: 1}})
	k := newWalker(w)
	for range 5 {
		k.to(0.5, 0.5)
	}
	objects, dst := []seg.Object{k.o}, make([]seg.Change, 0, 4)
	if n := testing.AllocsPerRun(20, func() { dst = w.Report(k.ref, nil, objects, dst[:0]) }); n > 0 {
		t.Errorf("it allocates %.0f times", n)
	}
}
