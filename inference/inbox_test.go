package inference

import (
	"testing"

	"github.com/segedge/segedge/seg"
)

// TestABoxesMaskStaysInIt: a decoder that fills half the picture is held to the box and a tenth of its sides, which a positive click widens and a
// negative one does not; a prompt with a mask, and one without a box, are left alone. What is no number is still found.
func TestABoxesMaskStaysInIt(t *testing.T) {
	left := func(_, x, _ int) float32 { // the left half of the picture
		if x < 128 {
			return 5
		}
		return -5
	}
	s, _, _ := samModel(t, func(map[string]Tensor) ([]Tensor, error) { return masksOf([]float32{0.9, 0.6, 0.5, 0.7}, left), nil })
	box := seg.Box{X0: 0.1, Y0: 0.2, X1: 0.3, Y1: 0.6}
	mask := &seg.Logits{W: 4, H: 4, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 16)}
	for name, c := range map[string]struct {
		p    seg.Prompt
		want seg.Box
	}{
		"a box":                  {seg.Prompt{Box: &box}, seg.Box{X0: 0.08, Y0: 0.16, X1: 0.32, Y1: 0.64}},
		"and a click in it":      {seg.Prompt{Box: &box, Clicks: []seg.Click{clickAt(0.2, 0.4, seg.Positive)}}, seg.Box{X0: 0.08, Y0: 0.16, X1: 0.32, Y1: 0.64}},
		"and a click outside":    {seg.Prompt{Box: &box, Clicks: []seg.Click{clickAt(0.4, 0.4, seg.Positive)}}, seg.Box{X0: 0.07, Y0: 0.16, X1: 0.43, Y1: 0.64}},
		"and a negative outside": {seg.Prompt{Box: &box, Clicks: []seg.Click{clickAt(0.4, 0.4, seg.Negative)}}, seg.Box{X0: 0.08, Y0: 0.16, X1: 0.32, Y1: 0.64}},
		"and a mask":             {seg.Prompt{Box: &box, Mask: mask}, seg.Box{X1: 0.5, Y1: 1}},
		"two clicks":             {seg.Prompt{Clicks: []seg.Click{clickAt(0.2, 0.4, 1), clickAt(0.3, 0.4, 1)}}, seg.Box{X1: 0.5, Y1: 1}},
	} {
		a, err := decodeOne(t, s, c.p)
		if err != nil || a.Best() == nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := a.Best().Logits.Cut(1024, 512, seg.Threshold).Box()
		for _, d := range []float64{got.X0 - c.want.X0, got.Y0 - c.want.Y0, got.X1 - c.want.X1, got.Y1 - c.want.Y1} {
			if d < -0.01 || d > 0.01 {
				t.Errorf("%s: the mask is in %.3f, want %.3f", name, got, c.want)
				break
			}
		}
	}
}
