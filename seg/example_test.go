package seg_test

import (
	"encoding/json"
	"fmt"
	"image"

	"github.com/segedge/segedge/seg"
)

// A mask is compared, sent and read back without loss.
func ExampleMask_RLE() {
	m := seg.NewMask(8, 4, image.Rect(2, 1, 6, 3))
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	data, err := json.Marshal(m.RLE())
	if err != nil {
		fmt.Println(err)
		return
	}
	var sent seg.RLE
	if err := json.Unmarshal(data, &sent); err != nil {
		fmt.Println(err)
		return
	}
	back, err := sent.Mask()
	fmt.Println(back.Area(), m.IoU(back), back.Box(), err)
	// Output: 0.25 1 {0.25 0.25 0.75 0.75} <nil>
}

// A prompt says what is meant in coordinates of 0..1, whatever the picture's size.
func ExamplePrompt_Validate() {
	click := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 0.4, Y: 0.5}, Label: seg.Positive}}}
	outside := seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: 1.4, Y: 0.5}, Label: seg.Positive}}}
	fmt.Println(click.Validate())
	fmt.Println(outside.Validate() != nil)
	// Output:
	// <nil>
	// true
}
