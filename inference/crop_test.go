package inference_test

import (
	"image"
	"math"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// twoSquares is a picture of 320×200 with a red square at (40,40)–(80,80) and one at (200,100)–(240,140).
func twoSquares() (*frame.Frame, []*seg.Mask) {
	f := frame.New(320, 200)
	var truths []*seg.Mask
	for _, at := range [][2]int{{40, 40}, {200, 100}} {
		m := seg.NewMask(320, 200, image.Rect(at[0], at[1], at[0]+40, at[1]+40))
		for y := at[1]; y < at[1]+40; y++ {
			for x := at[0]; x < at[0]+40; x++ {
				f.Pix[y*f.Stride()+3*x+2] = 200
				m.Row(y)[x-at[0]] = 1
			}
		}
		truths = append(truths, m)
	}
	return f, truths
}

// cropOf is the embedding of a part of f, 160×100 pixels from (x, y) on.
func cropOf(t *testing.T, f *frame.Frame, x, y int) inference.Embedding {
	t.Helper()
	part := frame.New(160, 100)
	var s frame.Shrinker
	s.ShrinkPart(part, f, image.Rect(x, y, x+160, y+100), 160, 100)
	e, err := inferencetest.New(inferencetest.Options{}).Embed(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	c := inference.Cropped(e, seg.Box{X0: float64(x) / 320, Y0: float64(y) / 200, X1: float64(x+160) / 320, Y1: float64(y+100) / 200})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestACropIsSpokenToInTheFramesCoordinates(t *testing.T) {
	f, truths := twoSquares()
	e := cropOf(t, f, 140, 60)
	inside, outside := seg.Point{X: 220. / 320, Y: 120. / 200}, seg.Point{X: 60. / 320, Y: 60. / 200}
	mask := seg.LogitsOf(truths[1], 160, 100, seg.Point{X: 1, Y: 1}, 8)
	around := seg.LogitsOn(truths[1], 30, 30, seg.Point{X: 190. / 320, Y: 90. / 200}, seg.Point{X: 60. / 320, Y: 60. / 200}, 8)
	click := func(p seg.Point) []seg.Click { return []seg.Click{{Point: p, Label: seg.Positive}} }
	for name, p := range map[string]seg.Prompt{
		"a click":                             {Clicks: click(inside)},
		"a box":                               {Box: &seg.Box{X0: 190. / 320, Y0: 90. / 200, X1: 250. / 320, Y1: 150. / 200}},
		"a box that reaches out of it":        {Box: &seg.Box{X0: 100. / 320, Y0: 30. / 200, X1: 1, Y1: 0.9}},
		"a mask over the frame":               {Mask: mask},
		"a mask over a part of the frame":     {Mask: around},
		"a mask, and a click out of the crop": {Mask: mask, Clicks: click(outside)},
	} {
		got, err := e.Decode(t.Context(), []seg.Prompt{p})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		best := got[0].Best()
		if best == nil {
			t.Errorf("%s: no answer", name)
			continue
		}
		if iou := best.Logits.Cut(320, 200, seg.Threshold).IoU(truths[1]); iou < 0.97 {
			t.Errorf("%s: IoU %.3f", name, iou)
		}
	}
}

// featured is an embedding with one map.
type featured struct{ inference.Embedding }

func (featured) Features() []seg.Features {
	return []seg.Features{{W: 4, H: 2, C: 1, Extent: seg.Point{X: 1, Y: 1.25}, Data: make([]float32, 8)}}
}

func TestACropsFeaturesLieInTheFrame(t *testing.T) {
	e := inference.Cropped(featured{}, seg.Box{X0: 0.5, Y0: 0.25, X1: 1, Y1: 0.75})
	fs := e.(inference.Featured).Features()
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
	if f := fs[0]; !near(f.Origin.X, 0.5) || !near(f.Origin.Y, 0.25) || !near(f.Extent.X, 0.5) || !near(f.Extent.Y, 0.625) {
		t.Errorf("at %v, %v large", f.Origin, f.Extent)
	}
	if _, ok := inference.Cropped(struct{ inference.Embedding }{}, seg.Box{X1: 1, Y1: 1}).(inference.Featured); ok {
		t.Error("a model without features shows some")
	}
}
