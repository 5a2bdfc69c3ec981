package dataset

import (
	"slices"
	"testing"

	"github.com/segedge/segedge/testkit"
)

// TestHeldOutAsTrainingHasIt holds that nothing which was trained on is measured: the sequences of the video set begin where
// training/data.py says, and its tenth and twentieth are held out.
func TestHeldOutAsTrainingHasIt(t *testing.T) {
	items, err := open(testkit.Shared(t, "data", "train"))
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 1904 { // of 1,908 pictures; four have no label map
		t.Errorf("%d items", len(items))
	}
	held, err := HeldOut(items)
	if err != nil {
		t.Fatal(err)
	}
	var video, bsds []string
	for _, it := range held {
		switch it.Set {
		case videoSet:
			video = append(video, it.Name)
		case "bsds":
			bsds = append(bsds, it.Name)
		}
	}
	if len(bsds) != 40 || bsds[0] != "bsds_0009" {
		t.Errorf("bsds holds out %d pictures, first %v", len(bsds), bsds[:1])
	}
	want := frames("0107", "0122", "0243", "0255")
	if !slices.Equal(video, want) {
		t.Errorf("held out frames %v, want %v", video, want)
	}
	if items[0].Group != items[0].Name {
		t.Error("the items given were changed")
	}
}

// frames are the names from a to before b, and from c to before d.
func frames(a, b, c, d string) []string {
	var out []string
	for _, r := range [][2]string{{a, b}, {c, d}} {
		for n := r[0]; n != r[1]; n = next(n) {
			out = append(out, videoSet+"_"+n)
		}
	}
	return out
}

// next counts a number of four digits up.
func next(n string) string {
	b := []byte(n)
	for i := 3; ; i-- {
		if b[i]++; b[i] <= '9' {
			return string(b)
		}
		b[i] = '0'
	}
}

func TestSharedDAVIS(t *testing.T) {
	dir := testkit.Shared(t, "data", "davis")
	videos, err := Videos(dir)
	if err != nil || len(videos) != 9 {
		t.Fatalf("%d videos, %v", len(videos), err)
	}
	v := videos[7]
	truth, err := v.Truth(0)
	if err != nil || v.Name != "dog" || len(v.Frames) != 60 || truth.W != 854 || len(truth.IDs()) != 1 {
		t.Fatalf("%s: %d frames, %v", v.Name, len(v.Frames), err)
	}
	items, err := open(dir)
	if err != nil || len(items) != 9 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	f, masks, err := items[7].Load()
	if err != nil || f.Width != 854 || len(masks) != 1 || masks[0].Count() != truth.Mask(255).Count() {
		t.Errorf("first frame of %s: %v", items[7].Name, err)
	}
}
