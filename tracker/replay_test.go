package tracker_test

import (
	"fmt"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/tracker"
	"github.com/segedge/segedge/tracker/lk"
)

func oneDisc() *scene {
	return &scene{
		w: 320, h: 180, ground: newTexture(1), pan: line(0, 0, 1, 0.5),
		discs: []disc{{tex: newTexture(2), r: 28, at: line(60, 80, 2, 0.4), look: [3]float64{60, 90, 190}}},
	}
}

// A click on frame 5 is answered delay frames later; the answer must land where the object is by then, for an object with no past.
func TestAnswersLandInThePresent(t *testing.T) {
	s := oneDisc()
	frames := make([]*frame.Frame, 66)
	for n := range frames {
		frames[n] = s.render(n)
	}
	for _, delay := range []int{0, 3, 15, 60} {
		t.Run(fmt.Sprint(delay), func(t *testing.T) {
			tr := tracker.New(tracker.Options{GridWidth: 320, Points: 576}, lk.New(lk.Options{}))
			walk := func(frames []*frame.Frame) {
				for _, f := range frames {
					if err := tr.Step(f); err != nil {
						t.Fatal(err)
					}
				}
			}
			walk(frames[:6])
			id := tr.Add("disc", point(70.0/320, 82.0/180), 6)
			walk(frames[6 : 6+delay])
			tr.Answer(6, []tracker.Answer{{ID: id, Prediction: s.answer(id, 0, 5)}})
			o, ok := tr.Object(id)
			if !ok || o.Mask == nil {
				t.Fatalf("object %+v", o)
			}
			iou := o.Mask.IoU(s.truth(0, 5+delay).Resize(o.Mask.W, o.Mask.H))
			still := s.truth(0, 5).IoU(s.truth(0, 5+delay))
			t.Logf("IoU %.3f, nothing moves %.3f", iou, still)
			if iou < 0.8 {
				t.Errorf("IoU %.3f after a delay of %d frames", iou, delay)
			}
		})
	}
}
