package provider

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Agreement says how alike two models answer on the test picture.
type Agreement struct {
	IoU      float64 // of the best masks, the worst of the prompts
	MaxError float64 // of the logits
	Score    float64 // of the predicted IoU
}

// What a provider may differ by from the CPU in 32 bits; 16-bit floats stay well inside on a model that tolerates them.
const (
	minIoU   = 0.95
	maxScore = 0.05
)

// Check says in a sentence what is wrong, if anything.
func (a Agreement) Check() error {
	if a.IoU < minIoU || a.Score > maxScore {
		return fmt.Errorf("its answers disagree with the CPU's: masks overlap by %.3f (need %.2f), predicted IoU is off by %.3f (at most %.2f)",
			a.IoU, minIoU, a.Score, maxScore)
	}
	return nil
}

// Compare asks both models the same about the test picture.
func Compare(ctx context.Context, reference, other inference.Segmenter) (Agreement, error) {
	want, err := answers(ctx, reference)
	if err != nil {
		return Agreement{}, fmt.Errorf("the test picture on the CPU: %w", err)
	}
	got, err := answers(ctx, other)
	if err != nil {
		return Agreement{}, fmt.Errorf("the test picture: %w", err)
	}
	a := Agreement{IoU: 1}
	for i := range want {
		a.add(want[i].Best(), got[i].Best())
	}
	return a, nil
}

func (a *Agreement) add(want, got *seg.Candidate) {
	switch {
	case want == nil && got == nil:
	case want == nil || got == nil || len(want.Logits.Data) != len(got.Logits.Data):
		a.IoU = 0
	default:
		w, h := want.Logits.W, want.Logits.H
		a.IoU = min(a.IoU, want.Logits.Cut(w, h, seg.Threshold).IoU(got.Logits.Cut(w, h, seg.Threshold)))
		a.Score = max(a.Score, math.Abs(want.PredictedIoU-got.PredictedIoU))
		for i, v := range want.Logits.Data {
			a.MaxError = max(a.MaxError, math.Abs(float64(v-got.Logits.Data[i])))
		}
	}
}

// answers are what a model makes of the test picture: a box and two clicks, one answer each, so that no two masks of
// nearly the same score can change places between providers.
func answers(ctx context.Context, s inference.Segmenter) (out []seg.Prediction, err error) {
	e, err := s.Embed(ctx, TestPicture())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	box := seg.Box{X0: 0.15, Y0: 0.2, X1: 0.5, Y1: 0.8}
	prompts := []seg.Prompt{{Box: &box}}
	inside := seg.Click{Point: seg.Point{X: 0.32, Y: 0.5}, Label: seg.Positive}
	if s.Info().Kinds.Points {
		prompts = append(prompts, seg.Prompt{Clicks: []seg.Click{inside, {Point: seg.Point{X: 0.7, Y: 0.45}, Label: seg.Positive}}})
	}
	return e.Decode(ctx, prompts)
}

// TestPicture is a picture for comparing models: 640×480, a bright disc and a striped square on a shaded ground.
func TestPicture() *frame.Frame {
	f := frame.New(640, 480)
	for y := range f.Height {
		for x := range f.Width {
			px := [3]byte{byte(60 + y/8), byte(70 + x/16), byte(80 + (x+y)/20)}
			if dx, dy := x-205, y-240; dx*dx+dy*dy < 95*95 {
				px = [3]byte{40, byte(150 + dx/4), 220}
			}
			if x >= 390 && x < 530 && y >= 150 && y < 290 {
				px = [3]byte{200, byte(60 + 80*(x/10%2)), 50}
			}
			copy(f.Pix[y*f.Stride()+3*x:], px[:])
		}
	}
	return f
}
