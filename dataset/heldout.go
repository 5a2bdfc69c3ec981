package dataset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
)

// HeldOut is the tenth of each set that training leaves alone: of the sorted names of groups every tenth, with all
// pictures of the group (training/data.py, split). Frames of one video that come under running numbers are a group.
func HeldOut(items []Item) ([]Item, error) {
	items = slices.Clone(items)
	if err := groupVideos(items); err != nil {
		return nil, err
	}
	names := map[string][]string{}
	for _, it := range items {
		names[it.Set] = append(names[it.Set], it.Group)
	}
	held := map[[2]string]bool{}
	for set, groups := range names {
		slices.Sort(groups)
		groups = slices.Compact(groups)
		for i := 9; i < len(groups); i += 10 {
			held[[2]string{set, groups[i]}] = true
		}
	}
	return slices.DeleteFunc(items, func(it Item) bool { return !held[[2]string{it.Set, it.Group}] }), nil
}

// videoSet is the set whose pictures are frames of videos, one video after another, without a name of their own.
const videoSet = "davis_train"

// A new video begins where the reduced picture changes by more than sceneChange grey levels in the mean, but no video
// has fewer than shortestVideo frames.
const (
	sceneChange   = 38
	shortestVideo = 4
	sceneW        = 32
	sceneH        = 18
)

// groupVideos gives the frames of one video one group.
func groupVideos(items []Item) error {
	var last []int
	video, first, n := 0, 0, 0
	for i := range items {
		if items[i].Set != videoSet || !strings.HasPrefix(items[i].Group, videoSet) {
			continue
		}
		small, err := greyThumbnail(items[i].Image)
		if err != nil {
			return err
		}
		if last != nil && difference(small, last) > sceneChange && n-first >= shortestVideo {
			video, first = video+1, n
		}
		last, n = small, n+1
		items[i].Group = fmt.Sprintf("%s_sequence_%03d", videoSet, video)
	}
	return nil
}

func greyThumbnail(path string) ([]int, error) {
	f, err := picture.Read(path)
	if err != nil {
		return nil, err
	}
	small := frame.New(2, 2)
	new(frame.Shrinker).Shrink(small, f, sceneW, sceneH)
	out := make([]int, len(small.Pix)/3)
	for i := range out {
		out[i] = (114*int(small.Pix[3*i]) + 587*int(small.Pix[3*i+1]) + 299*int(small.Pix[3*i+2])) / 1000
	}
	return out, nil
}

// difference is the mean absolute difference of two pictures; pictures of another size differ wholly.
func difference(a, b []int) float64 {
	if len(a) != len(b) {
		return 255
	}
	sum := 0
	for i := range a {
		sum += max(a[i]-b[i], b[i]-a[i])
	}
	return float64(sum) / float64(len(a))
}
