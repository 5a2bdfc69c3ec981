//go:build matprofile

package opencv

import (
	"testing"

	"gocv.io/x/gocv"

	"github.com/segedge/segedge/frame"
)

// No Mat outlives its call. Run with -tags matprofile.
func TestNoMatIsLeaked(t *testing.T) {
	path := clip(t, "a.avi", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=20", "-frames:v", "50", "-c:v", "mjpeg")
	before := gocv.MatProfile.Count()
	all(t, openFile(t, path), frame.New(2, 2))
	if after := gocv.MatProfile.Count(); after != before {
		t.Errorf("%d Mats before, %d after", before, after)
	}
}
