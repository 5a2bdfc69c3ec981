package tracker_test

import (
	"slices"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

func TestZonesAndLinesTellWhoComesAndGoes(t *testing.T) {
	// The disc's ground point runs from x = 30 to x = 150 of 200, at y = 66 of 112.
	s := &scene{w: 200, h: 112, ground: newTexture(1), discs: []disc{{newTexture(2), 16, line(30, 50, 2, 0), red}}}
	w := newWalk(t, s, tracker.Options{FPS: 30})
	w.tr.SetZone("gate", []seg.Point{{X: 0.3, Y: 0.2}, {X: 0.6, Y: 0.2}, {X: 0.6, Y: 0.9}, {X: 0.3, Y: 0.9}})
	w.tr.SetZone("far", []seg.Point{{X: 0.3, Y: 0}, {X: 0.6, Y: 0}, {X: 0.6, Y: 0.2}})
	w.tr.SetLine("down", []seg.Point{{X: 0.5, Y: 0.1}, {X: 0.5, Y: 0.95}})
	w.tr.SetLine("short", []seg.Point{{X: 0.5, Y: 0}, {X: 0.5, Y: 0.2}})
	for n := range 60 {
		w.frame(n)
	}
	var seen []seg.EventType
	for k, c := range w.changes {
		switch c.Type {
		case seg.ZoneEntered, seg.ZoneLeft:
			if c.Details["zone"] != "gate" {
				t.Errorf("zone %v", c.Details)
			}
		case seg.LineCrossed:
			// Looking down along the line, someone who goes from the left of the picture to its right goes to the left.
			if c.Details["line"] != "down" || c.Details["direction"] != "left" {
				t.Errorf("line %v", c.Details)
			}
		default:
			continue
		}
		if c.Type == seg.ZoneLeft {
			if dwell, ok := c.Details["dwell_s"].(float64); !ok || dwell < 0.8 || dwell > 1.2 {
				t.Errorf("dwell %v: 60 pixels at 2 a frame are a second", c.Details)
			}
		}
		t.Log(w.at[k], c.Type, c.Details)
		seen = append(seen, c.Type)
	}
	if !slices.Equal(seen, []seg.EventType{seg.ZoneEntered, seg.LineCrossed, seg.ZoneLeft}) {
		t.Errorf("events %v", seen)
	}
}

func TestAZoneIsLeftWithTheObjectsEnd(t *testing.T) {
	s := &scene{w: 160, h: 90, ground: newTexture(1), discs: []disc{{newTexture(2), 14, line(80, 40, 0.2, 0), red}}}
	w := newWalk(t, s, tracker.Options{})
	w.tr.SetZone("all", []seg.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 1}})
	for n := range 8 {
		w.frame(n)
	}
	if err := w.tr.Remove(w.ids[0]); err != nil {
		t.Fatal(err)
	}
	w.changes = w.tr.Changes(w.changes)
	got := w.types(0)
	if !slices.Equal(got, []seg.EventType{seg.ObjectNew, seg.ZoneEntered, seg.ZoneLeft, seg.ObjectEnded}) {
		t.Errorf("events %v", got)
	}
	w.tr.SetZone("all", nil)
}

func TestKeyframesKeepTheirBudget(t *testing.T) {
	s := smallScene()
	frames := make([]*frame.Frame, 40)
	for n := range frames {
		frames[n] = s.render(n)
	}
	for _, c := range []struct {
		budget      float64
		late        int
		least, most int
	}{{0.5, 4, 8, 16}, {1, 4, 18, 25}, {0.25, 2, 8, 16}} {
		w := newWalk(t, s, tracker.Options{Budget: c.budget})
		keys, due, asked := 0, -1, 0
		for n := range 101 {
			f := frames[n%40]
			f.Seq = uint64(n + 1)
			if err := w.tr.Step(f); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				id := w.tr.Add("", point(0.25, 0.5), 1)
				if want, urgency := w.tr.WantKeyframe(); !want || urgency != 1 {
					t.Fatalf("a prompt waits, yet %v, %v", want, urgency)
				}
				w.tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 0)}})
				continue
			}
			if due == n {
				var as []tracker.Answer
				for _, q := range w.tr.Query(uint64(asked+1), nil, nil) {
					as = append(as, tracker.Answer{ID: q.ID, Prediction: s.answer(q.ID, 0, asked%40)})
				}
				w.tr.Answer(uint64(asked+1), as)
				due = -1
			}
			if want, _ := w.tr.WantKeyframe(); want && due < 0 {
				asked, due = n, n+c.late
				keys++
			}
		}
		if keys < c.least || keys > c.most {
			t.Errorf("budget %.2f at %d frames a keyframe: %d keyframes in 100 frames", c.budget, c.late, keys)
		}
	}
	if want, _ := tracker.New(tracker.Options{}, nil).WantKeyframe(); want {
		t.Error("a keyframe is wanted for nothing")
	}
}
