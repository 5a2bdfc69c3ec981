package tracker_test

import (
	"math"
	"slices"
	"testing"

	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

// follow makes a tracker that follows the given discs of a scene from its first frame on.
func follow(t *testing.T, s *scene, o tracker.Options, discs ...int) (*tracker.Tracker, []seg.ID) {
	t.Helper()
	o.GridWidth = s.w
	tr := tracker.New(o, lk.New(lk.Options{}))
	if err := tr.Step(s.render(0)); err != nil {
		t.Fatal(err)
	}
	var ids []seg.ID
	for _, i := range discs {
		c := s.truth(i, 0).Centroid()
		id := tr.Add("disc", point(c.X, c.Y), 1)
		tr.Answer(1, []tracker.Answer{{ID: id, Prediction: s.answer(id, i, 0)}})
		ids = append(ids, id)
	}
	return tr, ids
}

func small(x, y, r float64) disc { return disc{newTexture(2), r, line(x, y, 1, 0), red} }

func TestACropShowsTheObjectsAndWhatIsAroundThem(t *testing.T) {
	for name, c := range map[string]struct {
		discs []disc
		want  bool
	}{
		"nothing":         {nil, false},
		"a small one":     {[]disc{small(100, 60, 12)}, true},
		"in the corner":   {[]disc{small(14, 14, 10)}, true},
		"two neighbours":  {[]disc{small(90, 60, 10), small(120, 70, 10)}, true},
		"two far apart":   {[]disc{small(20, 20, 10), small(220, 110, 10)}, false},
		"one that fills":  {[]disc{small(120, 68, 55)}, false},
		"a speck, by far": {[]disc{small(200, 100, 4)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &scene{w: 240, h: 136, ground: newTexture(1), discs: c.discs}
			var all []int
			for i := range c.discs {
				all = append(all, i)
			}
			tr, _ := follow(t, s, tracker.Options{}, all...)
			box, ok := tr.Crop()
			if ok != c.want {
				t.Fatalf("%v, %v", box, ok)
			}
			if !ok {
				if box != (seg.Box{X1: 1, Y1: 1}) {
					t.Errorf("%v is not the whole frame", box)
				}
				return
			}
			if w, h := box.X1-box.X0, box.Y1-box.Y0; !box.Valid() || math.Abs(w-h) > 1e-9 || w < 0.25 || w > 0.8 {
				t.Errorf("%v is no crop of the frame's aspect", box)
			}
			for i := range c.discs {
				if b := s.truth(i, 0).Box(); b.X0 < box.X0 || b.Y0 < box.Y0 || b.X1 > box.X1 || b.Y1 > box.Y1 {
					t.Errorf("%v does not hold disc %d at %v", box, i, b)
				}
			}
		})
	}
}

func TestAPromptThatWaitsIsShownTheWholeFrame(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{small(100, 60, 12), small(130, 80, 12)}}
	tr, _ := follow(t, s, tracker.Options{}, 0)
	if _, ok := tr.Crop(); !ok {
		t.Fatal("one small object should be worth a crop")
	}
	c := s.truth(1, 0).Centroid()
	tr.Add("another", point(c.X, c.Y), 1)
	if box, ok := tr.Crop(); ok {
		t.Errorf("a prompt waits, but the crop is %v", box)
	}
}

// Crops come with a whole frame now and then, and every other time while something is looked for.
func TestTheWholeFrameIsNotForgotten(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{small(60, 60, 12), small(120, 80, 12)}}
	tr, ids := follow(t, s, tracker.Options{FPS: 10}, 0, 1)
	crops, longest := 0, 0
	for n := 1; n <= 60; n++ {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		if _, ok := tr.Crop(); !ok {
			crops = 0
			continue
		}
		crops++
		longest = max(longest, crops)
	}
	if longest < 8 || longest > 11 { // 8 keyframes and a second, which is ten frames here
		t.Errorf("%d crops between whole frames", longest)
	}
	if err := tr.Reject(ids[1]); err != nil {
		t.Fatal(err)
	}
	was := false
	for range 10 {
		_, ok := tr.Crop()
		if ok && was {
			t.Fatal("two crops in a row while an object is lost")
		}
		was = ok
	}
	if err := tr.Step(s.render(61)); err != nil {
		t.Fatal(err)
	}
}

// Where the model is so slow, or has so many cameras, that keyframes are seconds apart, every other one still asks about what is visible.
func TestSeldomKeyframesAreNotAllTakenToLookAround(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{small(60, 60, 12)}}
	tr, _ := follow(t, s, tracker.Options{FPS: 5}, 0)
	asked := 0
	for n := 1; n <= 40; n++ {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		if n%10 == 0 { // every two seconds
			tr.Crop()
			asked += len(tr.Query(tr.Newest(), nil, nil))
		}
	}
	if asked != 2 {
		t.Errorf("4 keyframes ask about a visible object %d times, want 2", asked)
	}
}

// A keyframe that was taken to look around asks nothing about what a crop shows better.
func TestAWholeFrameAsideAsksOnlyForWhatIsHidden(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{small(60, 60, 12)}}
	tr, _ := follow(t, s, tracker.Options{FPS: 5}, 0)
	whole := false
	for n := 1; n <= 30; n++ {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		seq := uint64(n + 1)
		_, crop := tr.Crop()
		got := len(tr.Query(seq, nil, nil))
		if want := map[bool]int{true: 1, false: 0}[crop]; got != want {
			t.Fatalf("frame %d, crop %v: %d questions, want %d", n, crop, got, want)
		}
		whole = whole || !crop
	}
	if !whole {
		t.Error("the whole frame was never shown")
	}
}

// An answer that spills over does not take the mask with it at once: what the motion does not explain is believed a little at a time.
func TestAMaskDoesNotSwell(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{small(80, 60, 16)}}
	tr, ids := follow(t, s, tracker.Options{}, 0)
	for n := 1; n <= 12; n++ {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		x, y := s.discs[0].at(n)
		r := 16.0
		if n > 8 {
			r = 24 // more than twice the area
		}
		said := &scene{w: s.w, h: s.h, discs: []disc{{tex: s.discs[0].tex, r: r, at: line(x, y, 0, 0)}}}
		tr.Answer(uint64(n+1), []tracker.Answer{{ID: ids[0], Prediction: said.answer(ids[0], 0, 0)}})
	}
	o, _ := tr.Object(ids[0])
	if o.Mask == nil || o.Mask.IoU(s.truth(0, 12)) < 0.75 {
		t.Errorf("the mask covers %.3f of the picture, the object %.3f", o.Mask.Area(), s.truth(0, 12).Area())
	}
}

// Something that the tracker knows nothing of passes in front of a disc. A model that is shown what is left of the mask says it back; asked
// by a click, it says what is there.
func TestAMaskThatShrankGrowsBack(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{
		{newTexture(2), 16, line(120, 60, 0.2, 0), red},
		{newTexture(3), 12, line(20, 66, 3, 0), white}, // gone again by frame 50
	}}
	tr, ids := follow(t, s, tracker.Options{}, 0)
	for n := 1; n < 90; n++ {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		for _, q := range tr.Query(uint64(n+1), ids, nil) {
			truth := s.truth(0, n)
			said := truth
			if q.Prompt.Mask != nil {
				said = and(truth, q.Prompt.Mask.Cut(s.w, s.h, seg.Threshold))
			} else if !truth.Contains(q.Prompt.Clicks[0].Point) {
				said = seg.NewMask(s.w, s.h, truth.Rect)
			}
			tr.Answer(uint64(n+1), []tracker.Answer{{ID: q.ID, Prompt: q.Prompt, Prediction: seg.Prediction{Candidates: []seg.Candidate{
				{Logits: seg.LogitsOf(said, s.w/2, s.h/2, seg.Point{X: 1, Y: 1}, 6), PredictedIoU: 0.9, Stability: 0.9}}}}})
		}
	}
	o, _ := tr.Object(ids[0])
	if o.Mask == nil {
		t.Fatalf("it is %s after it was hidden in part", o.State)
	}
	if iou := o.Mask.IoU(s.truth(0, 89)); iou < 0.8 {
		t.Errorf("IoU %.3f after it was hidden in part", iou)
	}
}

// and is what two masks share.
func and(a, b *seg.Mask) *seg.Mask {
	m := seg.NewMask(a.W, a.H, a.Rect)
	for y := a.Rect.Min.Y; y < a.Rect.Max.Y; y++ {
		for i := range m.Row(y) {
			m.Row(y)[i] = a.Row(y)[i] & b.At(a.Rect.Min.X+i, y)
		}
	}
	return m
}

func TestAKeyframesObjectsAreQueriedInParts(t *testing.T) {
	s := &scene{w: 240, h: 136, ground: newTexture(1), discs: []disc{small(40, 40, 10), small(100, 40, 10), small(160, 40, 10)}}
	tr, ids := follow(t, s, tracker.Options{}, 0, 1, 2)
	for n := 1; n < 3; n++ {
		if err := tr.Step(s.render(n)); err != nil {
			t.Fatal(err)
		}
		seq := uint64(n + 1)
		var got []seg.ID
		for _, want := range []int{2, 1, 0, 0} {
			part := tr.QueryPart(seq, 2, nil)
			if len(part) != want {
				t.Errorf("frame %d: a part of %d, want %d", seq, len(part), want)
			}
			for _, q := range part {
				got = append(got, q.ID)
			}
		}
		if !slices.Equal(got, ids) {
			t.Errorf("frame %d: asked about %v, want %v", seq, got, ids)
		}
	}
}
