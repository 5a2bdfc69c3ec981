// Package opencv converts pictures for package video with OpenCV, which is about three times as fast as the pure-Go
// converter and gives the same picture but for chroma, which it takes from one pixel in four. It does nothing else.
package opencv

import (
	"fmt"
	"runtime"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/video"
)

// FromBGR fills pic, which has its size already, from packed BGR: video.FromBGR in C++.
func FromBGR(pic *video.Picture, bgr []byte) error {
	w, h := pic.Width, pic.Height
	if w <= 0 || h <= 0 || w%2 != 0 || h%2 != 0 || len(bgr) < 3*w*h || len(pic.Pix) != 3*w*h/2 {
		return fmt.Errorf("convert: %d bytes are no BGR picture of %dx%d (even sides)", len(bgr), w, h)
	}
	var pin runtime.Pinner // the headers below hold the addresses between three calls into C++
	pin.Pin(&bgr[0])
	pin.Pin(&pic.Pix[0])
	defer pin.Unpin()
	src, err := gocv.NewMatFromBytes(h, w, gocv.MatTypeCV8UC3, bgr[:3*w*h])
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	defer src.Close()
	dst, err := gocv.NewMatFromBytes(h*3/2, w, gocv.MatTypeCV8UC1, pic.Pix)
	if err != nil {
		return fmt.Errorf("convert: %w", err)
	}
	defer dst.Close()
	gocv.CvtColor(src, &dst, gocv.ColorBGRToYUVI420) // dst has its size and type, so OpenCV writes in place
	return nil
}
