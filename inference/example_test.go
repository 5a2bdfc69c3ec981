package inference_test

import (
	"context"
	"fmt"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference/inferencetest"
	"github.com/segedge/segedge/seg"
)

// The heavy encoder runs once for a frame; each prompt then costs one light decode. Open with inference/onnx's loader
// gives a real model; the test model here finds regions of one colour.
func Example() {
	ctx := context.Background()
	f := frame.New(64, 32)
	for y := 8; y < 24; y++ { // a white square on black
		for x := 16; x < 32; x++ {
			copy(f.Pix[y*f.Stride()+3*x:], []byte{255, 255, 255})
		}
	}
	model := inferencetest.New(inferencetest.Options{})
	defer model.Close()
	embedding, err := model.Embed(ctx, f)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer embedding.Close()
	square := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.375, Y: 0.5}, Label: seg.Positive}}}
	corner := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.01, Y: 0.01}, Label: seg.Positive}}}
	answers, err := embedding.Decode(ctx, []seg.Prompt{square, corner})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range answers {
		mask := a.Best().Logits.Cut(f.Width, f.Height, seg.Threshold)
		fmt.Println(mask.Area())
	}
	// Output:
	// 0.125
	// 0.875
}
