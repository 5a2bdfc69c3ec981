package tracker_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// walk runs a tracker over a scene with a model that answers truthfully about what it is asked, late frames later, every few frames.
type walk struct {
	*testing.T
	s           *scene
	tr          *tracker.Tracker
	ids         []seg.ID // of the discs, 0 for one that is not followed
	late, every int
	blind       bool // the model answers nothing
	alone       bool // only the first disc is followed
	changes     []seg.Change
	at          []int // the frame of each change
	waiting     []tracker.Answer
	asked, due  int
	tick        time.Duration // between frames; 0 is frames without times
}

func newWalk(t *testing.T, s *scene, o tracker.Options) *walk {
	o.GridWidth = cmp.Or(o.GridWidth, s.w)
	o.Points = cmp.Or(o.Points, s.w*s.h/100) // as dense as the product's
	return &walk{T: t, s: s, tr: tracker.New(o, lk.New(lk.Options{})), ids: make([]seg.ID, len(s.discs)), every: 4, late: 2}
}

// frame shows frame n and lets the model work.
func (w *walk) frame(n int) {
	w.Helper()
	f := w.s.render(n)
	f.Captured = time.Unix(0, 0).Add(time.Duration(n) * w.tick)
	if err := w.tr.Step(f); err != nil {
		w.Fatal(err)
	}
	if n == 0 {
		for i := range w.s.discs {
			if w.alone && i > 0 {
				break
			}
			c := w.s.truth(i, 0).Centroid()
			w.ids[i] = w.tr.Add("disc", point(c.X, c.Y), f.Seq)
		}
	}
	if w.waiting == nil && n%w.every == 0 {
		w.ask(n)
	}
	if w.waiting != nil && n >= w.due {
		w.tr.Answer(uint64(w.asked+1), w.waiting)
		w.waiting = nil
	}
	before := len(w.changes)
	w.changes = w.tr.Changes(w.changes)
	for range len(w.changes) - before {
		w.at = append(w.at, n)
	}
}

func (w *walk) ask(n int) {
	w.tr.See(uint64(n+1), w.s.features(n))
	w.asked, w.due = n, n+w.late
	if n == 0 {
		w.due = 0
	}
	w.waiting = []tracker.Answer{}
	for _, q := range w.tr.Query(uint64(n+1), nil, nil) {
		a := tracker.Answer{ID: q.ID, Prompt: q.Prompt}
		if !w.blind {
			a.Prediction = w.s.reply(q, n)
		}
		w.waiting = append(w.waiting, a)
	}
}

// iou is how well disc i is followed in frame n.
func (w *walk) iou(i, n int) float64 {
	o, ok := w.tr.Object(w.ids[i])
	if !ok || o.Mask == nil || !o.State.Visible() {
		return 0
	}
	return o.Mask.IoU(w.s.truth(i, n).Resize(o.Mask.W, o.Mask.H))
}

// first is the first frame of a change of disc i, -1 without one.
func (w *walk) first(typ seg.EventType, i int) int {
	for k, c := range w.changes {
		if c.Type == typ && c.After.ID == w.ids[i] {
			return w.at[k]
		}
	}
	return -1
}

func (w *walk) types(i int) (out []seg.EventType) {
	for _, c := range w.changes {
		if c.After.ID == w.ids[i] && c.Type != seg.ObjectUpdated {
			out = append(out, c.Type)
		}
	}
	return out
}

var (
	red   = [3]float64{50, 70, 190}
	blue  = [3]float64{190, 90, 50}
	white = [3]float64{200, 205, 200}
)

func TestAnUnhiddenObjectIsFollowedWithoutFuss(t *testing.T) {
	s := &scene{
		w: 240, h: 136, ground: newTexture(1), pan: line(0, 0, 0.5, 0.2),
		discs: []disc{{newTexture(2), 20, line(50, 60, 1.5, 0.3), red}},
	}
	w := newWalk(t, s, tracker.Options{})
	for n := range 90 {
		w.frame(n)
		if iou := w.iou(0, n); iou < 0.75 {
			t.Fatalf("frame %d: IoU %.3f", n, iou)
		}
	}
	if got := w.types(0); !slices.Equal(got, []seg.EventType{seg.ObjectNew}) {
		t.Errorf("events %v", got)
	}
}

// An object so small that the grid of points hardly meets it is followed all the same.
func TestASmallMovingObjectIsFollowed(t *testing.T) {
	for _, c := range []struct{ r, speed float64 }{{8, 2}, {10, 2}, {10, 4}, {10, 6}} {
		s := &scene{w: 384, h: 216, ground: newTexture(1), discs: []disc{{newTexture(5), c.r, line(30, 40, c.speed, c.speed/4), red}}}
		w := newWalk(t, s, tracker.Options{Points: 800})
		worst := 1.0
		for n := range 30 {
			w.frame(n)
			worst = min(worst, w.iou(0, n))
		}
		if worst < 0.6 {
			t.Errorf("radius %.0f, %.0f pixels a frame: IoU %.2f in the worst frame", c.r, c.speed, worst)
		}
	}
}

func TestALeavingObjectIsLostAndComesBackAsItself(t *testing.T) {
	away := func(n int) (float64, float64) { // out on the right from frame 40 or so, back from frame 75
		return 180 + 120*float64(min(n, 60))/60 - 120*float64(max(0, min(n-70, 60)))/60, 60
	}
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 18, away, red}}}
	w := newWalk(t, s, tracker.Options{})
	gone, back := -1, -1
	for n := range 140 {
		w.frame(n)
		visible := s.truth(0, n).Count()
		if visible == 0 && gone < 0 {
			gone = n
		}
		if gone >= 0 && visible > 900 && back < 0 {
			back = n
		}
		if o, ok := w.tr.Object(w.ids[0]); ok && o.Mask != nil && o.Mask.Area() > 0.2 {
			t.Fatalf("frame %d: the mask covers %.2f of the picture", n, o.Mask.Area())
		}
	}
	lost, found := w.first(seg.ObjectLost, 0), w.first(seg.ObjectRecovered, 0)
	t.Logf("gone %d, lost %d, back %d, recovered %d, %v", gone, lost, back, found, w.types(0))
	if lost < 0 || lost > gone+15 {
		t.Errorf("gone at frame %d, lost at %d: half a second is 15 frames", gone, lost)
	}
	if found < 0 || found > back+15 {
		t.Errorf("back at frame %d, recovered at %d", back, found)
	}
	if iou := w.iou(0, 139); iou < 0.75 {
		t.Errorf("IoU %.3f after its return", iou)
	}
}

func TestAHiddenObjectKeepsItsIdentity(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{
		{newTexture(2), 14, line(40, 70, 1.5, 0), red},
		{newTexture(3), 26, line(120, 70, 0, 0), white},
	}}
	w := newWalk(t, s, tracker.Options{})
	for n := range 110 {
		w.frame(n)
	}
	t.Log(w.types(0), w.first(seg.ObjectOccluded, 0), w.first(seg.ObjectRecovered, 0))
	if w.first(seg.ObjectOccluded, 0) < 0 || w.first(seg.ObjectRecovered, 0) < 0 {
		t.Error("passing behind another object must be reported, and the return")
	}
	if len(w.types(1)) != 1 {
		t.Errorf("the object in front has %v", w.types(1))
	}
	if a, b := w.iou(0, 109), w.iou(1, 109); a < 0.7 || b < 0.7 {
		t.Errorf("IoU %.3f and %.3f at the end", a, b)
	}
}

func TestLookAlikesThatCrossDoNotSwap(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{
		{newTexture(2), 15, line(40, 60, 1.6, 0.1), red},
		{newTexture(4), 15, line(200, 72, -1.6, -0.1), red},
	}}
	w := newWalk(t, s, tracker.Options{})
	for n := range 100 {
		w.frame(n)
	}
	for i := range s.discs {
		if iou := w.iou(i, 99); iou < 0.7 {
			t.Errorf("disc %d: IoU %.3f after the crossing, with the other %.3f; %v", i, iou, 0.0, w.types(i))
		}
	}
}

func TestAModelThatFindsNothingIsSaidSoon(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 18, line(60, 60, 1, 0), red}}}
	w := newWalk(t, s, tracker.Options{})
	for n := range 60 {
		w.blind = n > 20
		w.frame(n)
	}
	if at := w.first(seg.ObjectOccluded, 0); at < 0 || at > 45 {
		t.Errorf("the model finds nothing from frame 20 on, said at %d", at)
	}
}

// Times are seconds at any rate: the tracker reads it off the frames.
func TestTimesAreSecondsAtAnyRate(t *testing.T) {
	for _, fps := range []int{12, 60} {
		away := func(n int) (float64, float64) { // out on the right after a second and a half
			return 180 + 60*float64(n)/float64(fps), 60
		}
		s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{{newTexture(2), 18, away, red}}}
		w := newWalk(t, s, tracker.Options{ForgetAfter: 1})
		w.every, w.late, w.tick = max(1, fps/8), 1, time.Second/time.Duration(fps)
		for n := range 5 * fps {
			w.frame(n)
		}
		lost, ended := w.first(seg.ObjectLost, 0), w.first(seg.ObjectEnded, 0)
		if took := float64(ended-lost) / float64(fps); lost < 0 || ended < 0 || took < 0.8 || took > 1.3 {
			t.Errorf("at %d frames a second: lost at frame %d, forgotten at %d, want a second later", fps, lost, ended)
		}
	}
}
