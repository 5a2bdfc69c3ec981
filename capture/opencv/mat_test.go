//go:build matprofile

package opencv

import (
	"testing"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/frame"
)

// No Mat outlives its call. Run with -tags matprofile.
func TestNoMatIsLeaked(t *testing.T) {
	before := gocv.MatProfile.Count()
	src, err := pipeline(t, "gst: videotestsrc num-buffers=50 ! video/x-raw,width=320,height=240")
	if err != nil {
		t.Fatal(err)
	}
	for f := frame.New(2, 2); err == nil; {
		err = src.Read(t.Context(), f)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if after := gocv.MatProfile.Count(); after != before {
		t.Errorf("%d Mats before, %d after", before, after)
	}
}
