package inference

import (
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// What answers are held to, for graphs that are no encoder and decoder (inference/memory).

// Flat reports whether there is nothing to be seen in a picture, whatever a model makes of it.
func Flat(f *frame.Frame) bool { return flat(f) }

// OneMask is the answer of a model that gives one mask, held to what those of the families are held to: the numbers are numbers, the mask
// stays in a box that was asked for, and neither nothing nor everything is an object. It changes the logits.
func OneMask(l *seg.Logits, iou float64, p *seg.Prompt) (seg.Prediction, error) {
	if iou-iou != 0 || !l.Finite() {
		return seg.Prediction{}, ErrBroken
	}
	keepInBox(l, p)
	if part := inside(l); part == 0 || part > wholePicture && !coversAll(p) {
		return seg.Prediction{}, nil
	}
	return seg.Prediction{Candidates: []seg.Candidate{
		{Logits: l, PredictedIoU: min(max(iou, 0), 1), Stability: l.StabilityScore(1)},
	}}, nil
}
