package inference_test

import (
	"context"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/testkit"
)

// shapes is a picture with three flat shapes: two squares and one small one.
func shapes() *frame.Frame {
	f := frame.New(160, 120)
	paint := func(x0, y0, x1, y1 int, px [3]byte) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				copy(f.Pix[y*f.Stride()+3*x:], px[:])
			}
		}
	}
	paint(0, 0, 160, 120, [3]byte{90, 90, 90})
	paint(10, 10, 60, 60, [3]byte{0, 0, 250})
	paint(90, 40, 140, 100, [3]byte{0, 250, 0})
	paint(70, 8, 78, 16, [3]byte{250, 0, 0})
	return f
}

func TestEverythingFindsEachShapeOnce(t *testing.T) {
	testkit.Long(t)
	s := inferencetest.New(inferencetest.Options{})
	var last int
	found, err := inference.Everything(t.Context(), s, shapes(), inference.EverythingOptions{PointsPerSide: 16},
		func(done, of int) { last = done*1000 + of })
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 4 || last != 256*1000+256 || s.Live() != 0 {
		t.Fatalf("found %d (want three shapes and the ground), progress %d, %d embeddings open", len(found), last, s.Live())
	}
	want := map[seg.Box]bool{{X0: 10. / 160, Y0: 10. / 120, X1: 60. / 160, Y1: .5}: true, {X0: 90. / 160, Y0: 40. / 120, X1: 140. / 160, Y1: 100. / 120}: true,
		{X0: 70. / 160, Y0: 8. / 120, X1: 78. / 160, Y1: 16. / 120}: true, {X1: 1, Y1: 1}: true}
	for _, f := range found {
		if !want[f.Mask.Box()] || !f.Mask.Contains(f.Point) {
			t.Errorf("found %v by a click at %v", f.Mask.Box(), f.Point)
		}
	}
}

// Where there is no time for all clicks, those that are made lie all over the picture, and what they found counts.
func TestEverythingMayEndEarly(t *testing.T) {
	calls := 0
	s := inferencetest.New(inferencetest.Options{Decode: func(context.Context, []seg.Prompt) error { calls++; return nil }})
	o := inference.EverythingOptions{PointsPerSide: 16, Batch: 32, Enough: func() bool { return true }}
	found, err := inference.Everything(t.Context(), s, shapes(), o, nil)
	if err != nil || calls != 1 {
		t.Fatalf("%v after %d calls, want one", err, calls)
	}
	if len(found) < 3 {
		t.Errorf("found %d of two squares and the ground", len(found))
	}
	calls = 0
	o.Enough = func() bool { return false }
	if found, err = inference.Everything(t.Context(), s, shapes(), o, nil); err != nil || calls != 8 || len(found) != 4 {
		t.Errorf("%v: found %d in %d calls, want three shapes and the ground in 8", err, len(found), calls)
	}
}

func TestEverythingFilters(t *testing.T) {
	testkit.Long(t)
	answer := func(p seg.Prompt, a seg.Prediction) seg.Prediction {
		for i := range a.Candidates {
			a.Candidates[i].PredictedIoU = 0.95 - p.Clicks[0].X/4 // the right side is believed less
		}
		return a
	}
	s := inferencetest.New(inferencetest.Options{Answer: answer})
	found, err := inference.Everything(t.Context(), s, shapes(), inference.EverythingOptions{PointsPerSide: 16, MinArea: 0.01}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range found {
		if b := f.Mask.Box(); b.X0 > 0.5 || f.PredictedIoU < 0.88 {
			t.Errorf("%v with %.2f passed the filter", b, f.PredictedIoU)
		}
		if i > 0 && f.PredictedIoU > found[i-1].PredictedIoU && !inference.Surrounds(f.Mask) {
			t.Error("not best first")
		}
	}
	if found, err = inference.Everything(t.Context(), s, shapes(), inference.EverythingOptions{PointsPerSide: 16, Max: 1}, nil); err != nil || len(found) != 1 {
		t.Errorf("%d, %v", len(found), err)
	}
}

func TestEverythingInCropsSeesSmallThings(t *testing.T) {
	testkit.Long(t)
	s := inferencetest.New(inferencetest.Options{Side: 40}) // the whole picture at a quarter: 8 pixels are 2 cells
	found, err := inference.Everything(t.Context(), s, shapes(), inference.EverythingOptions{PointsPerSide: 12, CropLayers: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Embeds() != 5 || s.Live() != 0 {
		t.Errorf("%d crops encoded, want 5; %d open", s.Embeds(), s.Live())
	}
	var blue *inference.Found
	for i := range found {
		if b := found[i].Mask.Box(); b.X1-b.X0 < 0.08 {
			blue = &found[i]
		}
	}
	if blue == nil {
		t.Fatal("the small square was not found")
	}
	truth := seg.NewMask(160, 120, blue.Mask.Rect)
	for y := 8; y < 16; y++ {
		for x := 70; x < 78; x++ {
			if x >= truth.Rect.Min.X && x < truth.Rect.Max.X && y >= truth.Rect.Min.Y && y < truth.Rect.Max.Y {
				truth.Bits[(y-truth.Rect.Min.Y)*truth.Rect.Dx()+x-truth.Rect.Min.X] = 1
			}
		}
	}
	if iou := blue.Mask.IoU(truth); iou < 0.7 {
		t.Errorf("small square at %v, IoU %.2f", blue.Mask.Rect, iou)
	}
}

// TestThingsComeBeforeWhatSurroundsThem: the ground is last, though it is believed most; what a box names is first, and stays in its box; a mask
// that is only the rest of the picture around another is left out.
func TestThingsComeBeforeWhatSurroundsThem(t *testing.T) {
	testkit.Long(t)
	answer := func(p seg.Prompt, a seg.Prediction) seg.Prediction {
		for i := range a.Candidates {
			a.Candidates[i].PredictedIoU = 0.9
			if p.Box != nil {
				a.Candidates[i].PredictedIoU = 0.6
			} else if a.Candidates[i].Logits.Cut(160, 120, seg.Threshold).Area() > 0.3 {
				a.Candidates[i].PredictedIoU = 0.99
			}
		}
		return a
	}
	named := seg.Box{X0: 0.55, Y0: 0.32, X1: 0.9, Y1: 0.85}
	s := inferencetest.New(inferencetest.Options{Answer: answer})
	found, err := inference.Everything(t.Context(), s, shapes(), inference.EverythingOptions{PointsPerSide: 16, Boxes: []seg.Box{named}}, nil)
	if err != nil || len(found) < 3 {
		t.Fatalf("%d, %v", len(found), err)
	}
	if first := found[0].Mask.Box(); first.IoU(named) < 0.7 {
		t.Errorf("first is %v, not what was named", first)
	}
	for i, f := range found {
		if inference.Surrounds(f.Mask) != (i == len(found)-1) {
			t.Errorf("%d of %d: %v", i, len(found), f.Mask.Box())
		}
	}
	one := frame.New(160, 120) // a single thing: the ground is but the rest around it
	for y := 30; y < 90; y++ {
		for x := 8; x < 150; x++ {
			one.Pix[y*one.Stride()+3*x] = 200
		}
	}
	if found, err = inference.Everything(t.Context(), s, one, inference.EverythingOptions{PointsPerSide: 16}, nil); err != nil || len(found) != 1 || inference.Surrounds(found[0].Mask) {
		t.Errorf("%d, %v", len(found), err)
	}
}
