package pipeline

import (
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// view shows frames of one object to a pipeline whose model answers at once; it is clicked on in the first.
type view struct {
	*testing.T
	*Pipeline
	frame *frame.Frame
	n     uint64
}

func newView(t *testing.T) *view {
	return &view{T: t, Pipeline: newSyncRig(t, inferencetest.New(inferencetest.Options{})), frame: frame.New(sceneW, sceneH)}
}

// square is a thing that stands still.
func square(x, y float64) block { return block{x: x, y: y, w: 60, h: 60, color: [3]int{40, 60, 210}} }

// show walks one more frame with blocks, and returns the object.
func (v *view) show(s frame.Scene, round uint64, blocks ...block) seg.Object {
	v.Helper()
	v.n++
	draw(v.frame, v.n, blocks)
	v.frame.Scene, v.frame.Round = s, round
	if err := v.Step(v.Context(), v.frame); err != nil {
		v.Fatal(err)
	}
	if v.n == 1 {
		click := seg.Prompt{Clicks: []seg.Click{{Point: blocks[0].center(1), Label: seg.Positive}}}
		if _, err := v.Prompt(v.Context(), Request{Prompt: click}); err != nil {
			v.Fatal(err)
		}
	}
	objects, _, err := v.Objects(v.Context())
	if err != nil || len(objects) != 1 {
		v.Fatalf("frame %d: %d objects, %v", v.n, len(objects), err)
	}
	return objects[0]
}

// found says that an object is followed where a block is.
func (v *view) found(o seg.Object, b block) {
	v.Helper()
	if o.State != seg.Tracking || iou(o, b.truth(v.n)) < 0.85 {
		v.Errorf("frame %d: %v, IoU %.2f", v.n, o.State, iou(o, b.truth(v.n)))
	}
}

// Nothing is claimed of a picture in which there is nothing to be seen, or another view, from the frame on of which that is said;
// no routine keyframe is made of nothing, and the object is found again when the picture is back.
func TestNothingIsClaimedOfAnotherPicture(t *testing.T) {
	for _, scene := range []frame.Scene{frame.SceneDark, frame.SceneBlurred, frame.SceneMoved} {
		t.Run(scene.String(), func(t *testing.T) {
			v, still := newView(t), square(100, 80)
			for range 20 {
				v.show(frame.SceneOK, 0, still)
			}
			before := v.Counters().Keyframes
			for range 30 {
				if o := v.show(scene, 0); o.State == seg.Tracking {
					t.Fatalf("frame %d: %v while the picture is %v", v.n, o.State, scene)
				}
			}
			if now := v.Counters().Keyframes; !scene.Shows() && now != before {
				t.Errorf("%d keyframes of nothing", now-before)
			}
			var o seg.Object
			for range 60 {
				o = v.show(frame.SceneOK, 0, still)
			}
			v.found(o, still)
		})
	}
}

// A picture that is frozen still shows what it shows.
func TestAFrozenPictureKeepsItsObjects(t *testing.T) {
	v, still := newView(t), square(100, 80)
	var o seg.Object
	for range 20 {
		v.show(frame.SceneOK, 0, still)
	}
	for range 20 {
		o = v.show(frame.SceneFrozen, 0, still)
	}
	v.found(o, still)
}

// Motion does not lead from a film's end to its beginning: in the first picture of a round nothing is carried on, and the object is found
// again.
func TestALoopCarriesNothingOn(t *testing.T) {
	v, end, begin := newView(t), square(30, 80), square(50, 90)
	for range 20 {
		v.show(frame.SceneOK, 0, end)
	}
	flushed := v.tr.Oldest() // the history's first frame
	o := v.show(frame.SceneOK, 1, begin)
	if v.tr.Oldest() <= flushed {
		t.Error("motion leads back over the loop point")
	}
	for range 90 {
		o = v.show(frame.SceneOK, 1, begin)
	}
	v.found(o, begin)
}
