package pipeline

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
)

// Routine keyframes show the model the surroundings of a small object, sharper than the whole frame would; a click elsewhere is still
// answered, on the whole frame.
func TestRoutineKeyframesAreCrops(t *testing.T) {
	var crops, wholes atomic.Int64
	model := inferencetest.New(inferencetest.Options{Side: 80, Embed: func(_ context.Context, f *frame.Frame) error {
		// The grid of a whole frame is as large as that of a crop, so the block tells: it is larger in a crop.
		if red := share(f); red > 0.04 {
			crops.Add(1)
		} else {
			wholes.Add(1)
		}
		return nil
	}})
	car := block{x: 60, y: 80, w: 40, h: 40, vx: 1, vy: 0.25, color: [3]int{60, 60, 200}} // 0.021 of the picture
	r := newRig(t, model, nil, car, blue)
	r.next()
	if a := r.wait(r.click(car.center(1), 0)); a.err != nil {
		t.Fatal(a.err)
	}
	for range 60 {
		o := r.next()
		if got := iou(o[0], car.truth(r.n)); got < 0.8 {
			t.Fatalf("frame %d: IoU %.3f", r.n, got)
		}
	}
	if crops.Load() < 5 {
		t.Errorf("%d crops and %d whole frames were encoded", crops.Load(), wholes.Load())
	}
	a := r.wait(r.click(blue.center(r.n), r.n))
	if a.err != nil {
		t.Fatal(a.err)
	}
	if got := iou(a.Object, blue.truth(r.n)); got < 0.8 {
		t.Errorf("a click far from the crop: IoU %.3f", got)
	}
}

// share is how much of a picture is red.
func share(f *frame.Frame) float64 {
	n := 0
	for i := 0; i < len(f.Pix); i += 3 {
		if f.Pix[i+2] > 150 && f.Pix[i] < 100 {
			n++
		}
	}
	return float64(n) / float64(f.Width*f.Height)
}
