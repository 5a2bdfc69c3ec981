package mqtt

import (
	"reflect"
	"testing"
	"time"

	"github.com/segedge/segedge/api"
	"github.com/segedge/segedge/seg"
)

// TestPresence: who is where, by name, from the events and the objects.
func TestPresence(t *testing.T) {
	tl := newTally()
	square := [][2]float64{{0, 0}, {1, 0}, {1, 1}}
	state := api.State{Camera: "cam", Zones: []api.Zone{{Name: "door", Points: square}}, Lines: []api.Line{{Name: "gate"}}}
	one, two, hidden, lost := cup(1), cup(2), cup(3), cup(4)
	two.Name, hidden.Name, hidden.State, lost.Name, lost.State = "mug", "", seg.Occluded, "dog", seg.Lost
	everything := []seg.Object{one, two, hidden, lost}
	now := testTime
	say := func(typ seg.EventType, o seg.Object, details map[string]any) {
		tl.note(seg.Event{Camera: "cam", Type: typ, Time: now, Before: &o, After: &o, Details: details})
	}
	check := func(why string, objects int, names, in map[string]int, gate api.LineCount) {
		t.Helper()
		now = now.Add(time.Second)
		p := tl.presence(state, everything, now)
		if p.Objects != objects || !reflect.DeepEqual(p.Names, names) || !reflect.DeepEqual(p.Zones["door"].Names, in) || p.Lines["gate"] != gate {
			t.Errorf("%s: %+v", why, p)
		}
	}
	check("nobody has moved", 3, map[string]int{"cup": 1, "mug": 1, "dog": 0}, map[string]int{}, api.LineCount{})
	state.Inside = map[string][]seg.ID{"door": {1, 4}}                              // as after a restart: no event says so
	say(seg.LineCrossed, one, map[string]any{"line": "gate", "direction": "right"}) // is counted in the state when it outlives a kill
	state.Counts = &api.Counts{Lines: map[string]api.Crossings{"gate": {Left: 1, Right: 2}}}
	check("one is in, the lost one is not seen", 3, map[string]int{"cup": 1, "mug": 1, "dog": 0}, map[string]int{"cup": 1}, api.LineCount{In: 2, Out: 1})
	state.Zones[0].Classes, state.Inside = []string{"dog"}, nil
	check("the zone is drawn anew, for others", 3, map[string]int{"cup": 1, "mug": 1, "dog": 0}, map[string]int{}, api.LineCount{In: 2, Out: 1})
	say(seg.ZoneLeft, one, map[string]any{"zone": "door", "dwell_s": 2.5})
	p := tl.presence(state, everything, now)
	if d := p.Zones["door"].Dwell; d == nil || *d != 2.5 || p.Zones["door"].Objects != 0 {
		t.Errorf("%+v", p.Zones)
	}
	state.Zones, state.Lines = nil, nil
	if p = tl.presence(state, everything, now); len(p.Zones) != 0 || len(p.Lines) != 0 || len(tl.cameras["cam"].dwell) != 0 {
		t.Errorf("what was removed is told: %+v", p)
	}
	tl.retain(nil)
	if len(tl.cameras) != 0 {
		t.Error("a camera that is gone is kept")
	}
}

// TestNamesThatStay: what was given up keeps its name for a day, what a person took away does not, and there is an end to them.
func TestNamesThatStay(t *testing.T) {
	tl := newTally()
	end := func(name string, details map[string]any, at time.Time) {
		before, after := cup(1), cup(1)
		before.Name, after.Name, before.State, after.State = name, name, seg.Lost, seg.Ended
		tl.note(seg.Event{Camera: "cam", Type: seg.ObjectEnded, Time: at, Before: &before, After: &after, Details: details})
	}
	names := func(at time.Time) map[string]int { return tl.presence(api.State{Camera: "cam"}, nil, at).Names }
	end("dog", nil, testTime)
	end("cup", map[string]any{"removed": true}, testTime)
	if got := names(testTime); !reflect.DeepEqual(got, map[string]int{"dog": 0}) {
		t.Errorf("%v", got)
	}
	if got := names(testTime.Add(25 * time.Hour)); len(got) != 0 {
		t.Errorf("after a day: %v", got)
	}
	for i := range 100 {
		end(string(text("n%d", i)), nil, testTime.Add(time.Duration(i)*time.Second))
	}
	if got := names(testTime.Add(time.Minute)); len(got) != keptNames {
		t.Errorf("%d names are kept", len(got))
	} else if _, ok := got["n99"]; !ok {
		t.Error("the newest is not among them")
	}
}

// TestTheRateHoldsStill: it is told every ten seconds at most, and where it is a tenth off.
func TestTheRateHoldsStill(t *testing.T) {
	tl, told := newTally(), map[float64]bool{}
	for i := range 100 {
		state := api.State{Camera: "cam", FPS: 25 + float64(i%3) - 1}
		told[tl.presence(state, nil, testTime.Add(time.Duration(i)*time.Second)).FPS] = true
	}
	if len(told) != 1 {
		t.Errorf("told %v", told)
	}
	for i := range 20 {
		told[tl.presence(api.State{Camera: "cam", FPS: float64(i)}, nil, testTime.Add(time.Duration(100+i)*time.Second)).FPS] = true
	}
	if len(told) != 3 {
		t.Errorf("told %v", told)
	}
}

// TestNamesHoldStill: with more names than are told of, the same are told of while nothing changes: living ones first, the newest of them.
func TestNamesHoldStill(t *testing.T) {
	tl := newTally()
	var objects []seg.Object
	for i := range 20 {
		o := cup(seg.ID(i + 1))
		o.Name = string(text("live%d", i))
		objects = append(objects, o)
		gone := cup(seg.ID(100 + i))
		gone.Name, gone.State = string(text("gone%02d", i)), seg.Ended
		tl.note(seg.Event{Camera: "cam", Type: seg.ObjectEnded, Time: testTime, Before: &objects[0], After: &gone})
	}
	names := func() map[string]int { return tl.presence(api.State{Camera: "cam"}, objects, testTime).Names }
	first := names()
	for range 20 {
		if got := names(); !reflect.DeepEqual(got, first) {
			t.Fatalf("%v after %v", got, first)
		}
	}
	if _, told := first["gone11"]; len(first) != keptNames || first["live0"] != 1 || !told {
		t.Errorf("%v", first)
	}
	for i := range 40 {
		o := cup(seg.ID(200 + i))
		o.Name = string(text("new%02d", i))
		objects = append(objects, o)
	}
	if _, told := names()["new39"]; !told || names()["live0"] != 0 {
		t.Errorf("the newest come first: %v", names())
	}
}
