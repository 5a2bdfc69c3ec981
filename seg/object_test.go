package seg

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestBox(t *testing.T) {
	b := Box{0.25, 0.5, 0.75, 1}
	if b.Area() != 0.25 || b.Center() != (Point{0.5, 0.75}) || !b.Valid() || b.Empty() {
		t.Errorf("%v: area %v, centre %v", b, b.Area(), b.Center())
	}
	if !b.Contains(Point{0.25, 1}) || b.Contains(Point{0.2, 0.6}) {
		t.Error("edges are included, the rest is not")
	}
	if got := (Box{-1, 0.5, 0.5, 2}).Clip(); got != (Box{0, 0.5, 0.5, 1}) {
		t.Errorf("clipped: %v", got)
	}
	for name, c := range map[string]struct {
		o    Box
		want float64
	}{
		"itself": {b, 1}, "apart": {Box{0, 0, 0.1, 0.1}, 0}, "half": {Box{0.25, 0.5, 0.5, 1}, 0.5}, "empty": {Box{}, 0},
	} {
		if got := b.IoU(c.o); got != c.want || c.o.IoU(b) != got {
			t.Errorf("%s: IoU %v, want %v", name, got, c.want)
		}
	}
	if (Box{}).IoU(Box{}) != 0 {
		t.Error("empty boxes have nothing in common")
	}
	for _, bad := range []Box{{}, {0.5, 0, 0.5, 1}, {0, 0, 1, 1.1}, {math.NaN(), 0, 1, 1}} {
		if bad.Valid() {
			t.Errorf("%v is not valid", bad)
		}
	}
	if p := (Point{0.75, 0.5}).Sub(Point{0.5, 0}); p != (Point{0.25, 0.5}) {
		t.Errorf("sum and difference: %v", p)
	}
}

func TestStateNames(t *testing.T) {
	for s := Tentative; s <= Ended; s++ {
		text, err := s.MarshalText()
		var back State
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%v does not come back", s)
		}
		if s.Visible() != (s == Tracking || s == Uncertain) {
			t.Errorf("%v visible: %v", s, s.Visible())
		}
	}
	var s State
	if s.UnmarshalText([]byte("asleep")) == nil || State(99).String() != "state 99" {
		t.Error("an unknown state is named, and refused")
	}
}

func TestDocument(t *testing.T) {
	o := &Object{ID: 3, Name: "dog", State: Tracking, Mask: draw("....", ".##.").Trim(), PredictedIoU: 0.98765, Stability: math.NaN(), Keyframe: 7, Age: 9,
		Candidates: []ObjectCandidate{{Mask: draw("#...", "...."), PredictedIoU: 0.5}}}
	for _, c := range []struct{ name, want string }{
		{"small", `{"id":"yard-3","name":"dog","state":"tracking","box":[0.25,0.5,0.75,1],"centroid":[0.5,0.75],"area":0.25,"predicted_iou":0.9877,"stability":0,` +
			`"mask_age":0,"keyframe":7,"age":9,"candidates":[{"index":0,"box":[0,0,0.25,0.5],"area":0.125,"predicted_iou":0.5,"stability":0}]}`},
		{"mask", `{"id":"yard-3","name":"dog","state":"tracking","box":[0.25,0.5,0.75,1],"centroid":[0.5,0.75],"area":0.25,"predicted_iou":0.9877,"stability":0,` +
			`"mask_age":0,"keyframe":7,"age":9,"candidates":[{"index":0,"box":[0,0,0.25,0.5],"area":0.125,"predicted_iou":0.5,"stability":0}],"mask":{"size":[2,4],"counts":"31101"}}`},
	} {
		d := Document{Camera: "yard", Object: o}
		if c.name == "mask" {
			d.W, d.H = 4, 2
		}
		got, err := json.Marshal(d)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n%s, want\n%s", c.name, err, got, c.want)
		}
	}
}

// When an object was made is always said, and when it was last seen only of what is not: it would be another time in every frame.
func TestDocumentTellsTimes(t *testing.T) {
	made := time.Date(2026, 3, 1, 12, 0, 0, 7_999_999, time.FixedZone("", 3600))
	for state, want := range map[State]string{
		Tracking: `"made":"2026-03-01T11:00:00.007Z"`, Uncertain: `"made":"2026-03-01T11:00:00.007Z"`,
		Lost: `"made":"2026-03-01T11:00:00.007Z","seen":"2026-03-01T11:01:00.007Z"`, Occluded: `"made":"2026-03-01T11:00:00.007Z","seen":"2026-03-01T11:01:00.007Z"`,
	} {
		got, err := json.Marshal(Document{Camera: "yard", Object: &Object{ID: 3, State: state, Made: made, Seen: made.Add(time.Minute)}})
		if err != nil || !strings.Contains(string(got), `"age":0,`+want+`}`) {
			t.Errorf("%v: %s, %v", state, got, err)
		}
	}
}

func TestRound4(t *testing.T) {
	for in, want := range map[float64]float64{0.12345: 0.1235, -0.12345: -0.1235, 1: 1, 0: 0, math.Inf(1): 0} {
		if got := Round4(in); got != want {
			t.Errorf("%v: %v, want %v", in, got, want)
		}
	}
}
