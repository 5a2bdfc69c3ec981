package pipeline

import (
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// Nothing is claimed of a picture in which there is nothing to be seen, or another view, from the frame on of which that is said;
// no routine keyframe is made of nothing, and the object is found again when the picture is back.
func TestNothingIsClaimedOfAnotherPicture(t *testing.T) {
	for _, scene := range []frame.Scene{frame.SceneDark, frame.SceneBlurred, frame.SceneMoved} {
		t.Run(scene.String(), func(t *testing.T) {
			still := block{x: 100, y: 80, w: 60, h: 60, color: [3]int{40, 60, 210}}
			p := newSyncRig(t, inferencetest.New(inferencetest.Options{}))
			f := frame.New(sceneW, sceneH)
			n := uint64(0)
			show := func(s frame.Scene, blocks ...block) seg.Object {
				t.Helper()
				n++
				draw(f, n, blocks)
				f.Scene = s
				if err := p.Step(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				if n == 1 {
					if _, err := p.Prompt(t.Context(), Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: still.center(1), Label: seg.Positive}}}}); err != nil {
						t.Fatal(err)
					}
				}
				objects, _, err := p.Objects(t.Context())
				if err != nil || len(objects) != 1 {
					t.Fatalf("frame %d: %d objects, %v", n, len(objects), err)
				}
				return objects[0]
			}
			for range 20 {
				show(frame.SceneOK, still)
			}
			before := p.Counters().Keyframes
			for range 30 {
				if o := show(scene); o.State == seg.Tracking {
					t.Fatalf("frame %d: %v while the picture is %v", n, o.State, scene)
				}
			}
			if now := p.Counters().Keyframes; !scene.Shows() && now != before {
				t.Errorf("%d keyframes of nothing", now-before)
			}
			var o seg.Object
			for range 60 {
				o = show(frame.SceneOK, still)
			}
			if o.State != seg.Tracking || iou(o, still.truth(n)) < 0.85 {
				t.Errorf("two seconds later: %v, IoU %.2f", o.State, iou(o, still.truth(n)))
			}
		})
	}
}

// A picture that is frozen still shows what it shows.
func TestAFrozenPictureKeepsItsObjects(t *testing.T) {
	still := block{x: 100, y: 80, w: 60, h: 60, color: [3]int{40, 60, 210}}
	p := newSyncRig(t, inferencetest.New(inferencetest.Options{}))
	f := frame.New(sceneW, sceneH)
	for n := uint64(1); n <= 40; n++ {
		draw(f, n, []block{still})
		if n > 20 {
			f.Scene = frame.SceneFrozen
		}
		if err := p.Step(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			if _, err := p.Prompt(t.Context(), Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: still.center(1), Label: seg.Positive}}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if objects, _, err := p.Objects(t.Context()); err != nil || len(objects) != 1 || objects[0].State != seg.Tracking {
		t.Errorf("%v, %v", objects, err)
	}
}

// Motion does not lead from a film's end to its beginning: in the first picture of a round nothing is carried on, and the object is found
// again.
func TestALoopCarriesNothingOn(t *testing.T) {
	end, begin := block{x: 30, y: 80, w: 60, h: 60, color: [3]int{40, 60, 210}}, block{x: 50, y: 90, w: 60, h: 60, color: [3]int{40, 60, 210}}
	p := newSyncRig(t, inferencetest.New(inferencetest.Options{}))
	f := frame.New(sceneW, sceneH)
	n := uint64(0)
	show := func(round uint64, b block) seg.Object {
		t.Helper()
		n++
		draw(f, n, []block{b})
		f.Round = round
		if err := p.Step(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			if _, err := p.Prompt(t.Context(), Request{Prompt: seg.Prompt{Clicks: []seg.Click{{Point: b.center(1), Label: seg.Positive}}}}); err != nil {
				t.Fatal(err)
			}
		}
		objects, _, err := p.Objects(t.Context())
		if err != nil || len(objects) != 1 {
			t.Fatalf("frame %d: %d objects, %v", n, len(objects), err)
		}
		return objects[0]
	}
	for range 20 {
		show(0, end)
	}
	flushed := p.tr.Oldest() // the history's first frame
	o := show(1, begin)
	if p.tr.Oldest() <= flushed {
		t.Error("motion leads back over the loop point")
	}
	for range 90 {
		o = show(1, begin)
	}
	if o.State != seg.Tracking || iou(o, begin.truth(n)) < 0.85 {
		t.Errorf("three seconds later: %v, IoU %.2f", o.State, iou(o, begin.truth(n)))
	}
}
