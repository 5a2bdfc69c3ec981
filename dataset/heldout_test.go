package dataset

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// film writes frames of videos one after the other, each video in a grey of its own that wavers a little.
func film(t *testing.T, lengths ...int) []Item {
	t.Helper()
	dir, n := t.TempDir(), 0
	var items []Item
	for video, length := range lengths {
		for i := range length {
			name := fmt.Sprintf("%s_%04d", videoSet, n)
			path := filepath.Join(dir, name+".jpg")
			write(t, path, jpegOf(t, plain(64, 36, byte(20+90*(video%3)+i%4))))
			items = append(items, Item{Set: videoSet, Group: name, Name: name, Image: path})
			n++
		}
	}
	return items
}

func TestFramesOfOneVideoAreOneGroup(t *testing.T) {
	items := film(t, 6, 5, 9)
	other := Item{Set: "bsds", Group: "bsds_0001", Image: "never looked at"}
	items = append(items[:11], append([]Item{other}, items[11:]...)...)
	if err := groupVideos(items); err != nil {
		t.Fatal(err)
	}
	if items[11].Group != "bsds_0001" {
		t.Errorf("another set was grouped: %+v", items[11])
	}
	seen := map[string]int{}
	for _, it := range items {
		seen[it.Group]++
	}
	for group, n := range map[string]int{"sequence_000": 6, "sequence_001": 5, "sequence_002": 9} {
		if got := seen[videoSet+"_"+group]; got != n {
			t.Errorf("%s has %d frames, want %d: %v", group, got, n, seen)
		}
	}
}

// TestShortCutsAreNoVideo has a flash of two frames within a video.
func TestShortCutsAreNoVideo(t *testing.T) {
	items := film(t, 8, 2, 6)
	if err := groupVideos(items); err != nil {
		t.Fatal(err)
	}
	groups := map[string]int{}
	for _, it := range items {
		groups[it.Group]++
	}
	if len(groups) != 2 || groups[videoSet+"_sequence_000"] != 8 {
		t.Errorf("%v: a group of two frames is too short to be split off again", groups)
	}
}

func TestHeldOutKeepsVideosTogether(t *testing.T) {
	lengths := make([]int, 20)
	for i := range lengths {
		lengths[i] = 4 + i%3
	}
	items := film(t, lengths...)
	held, err := HeldOut(items)
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]int{}
	for _, it := range held {
		groups[it.Group]++
	}
	if len(groups) != 2 || groups[videoSet+"_sequence_009"] != lengths[9] || groups[videoSet+"_sequence_019"] != lengths[19] {
		t.Errorf("held out: %v", groups)
	}
	if items[0].Group != items[0].Name {
		t.Error("the caller's items were changed")
	}
}

func TestVideosUnderRunningNumbers(t *testing.T) {
	dir := t.TempDir()
	for i, it := range film(t, 4, 5) {
		data, err := os.ReadFile(it.Image)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "images", it.Name+".jpg"), data)
		write(t, filepath.Join(dir, "labels", it.Name+"_0.png"), encoded(t, labelsWith(64, 36, block(64, 36, image.Rect(1+i, 1, 9+i, 9)))))
	}
	videos, err := Videos(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(videos) != 2 || len(videos[0].Frames) != 4 || len(videos[1].Frames) != 5 {
		t.Fatalf("videos %+v", videos)
	}
	truth, err := videos[1].Truth(0)
	if err != nil || len(truth.IDs()) == 0 {
		t.Errorf("truth %v, %v", truth, err)
	}
	stills := t.TempDir()
	write(t, filepath.Join(stills, "images", "still_0001.jpg"), jpegOf(t, plain(8, 6, 9)))
	write(t, filepath.Join(stills, "labels", "still_0001.png"), encoded(t, labelsWith(8, 6, block(8, 6, image.Rect(1, 1, 5, 4)))))
	if _, err := Videos(stills); !errors.Is(err, ErrNoData) {
		t.Errorf("still pictures are no video: %v", err)
	}
}

func TestLoadTellsWhichFileFails(t *testing.T) {
	dir := t.TempDir()
	good := labelsWith(8, 6, block(8, 6, image.Rect(1, 1, 5, 4)))
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, "images", name+".jpg"), jpegOf(t, plain(8, 6, 9)))
		write(t, filepath.Join(dir, "labels", name+".png"), encoded(t, good))
	}
	items, err := open(dir)
	if err != nil || len(items) != 3 || items[0].Set != "a" {
		t.Fatalf("%+v, %v", items, err)
	}
	write(t, filepath.Join(dir, "images", "a.jpg"), []byte("damaged"))
	write(t, filepath.Join(dir, "labels", "b.png"), []byte("damaged"))
	if err := os.Remove(filepath.Join(dir, "labels", "c.png")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a.jpg", "b.png", "c.png"} {
		if _, _, err := items[i].Load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %s", err, want)
		}
	}
}

func TestLooseFilesAmongSequencesAreLeft(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"JPEGImages/walk/0.jpg", "JPEGImages/walk/1.jpg", "JPEGImages/readme.jpg"} {
		write(t, filepath.Join(dir, path), jpegOf(t, plain(8, 6, 9)))
	}
	write(t, filepath.Join(dir, "JPEGImages/walk/notes.txt"), []byte("x"))
	write(t, filepath.Join(dir, "Annotations/walk/1.png"), encoded(t, labelsWith(8, 6, block(8, 6, image.Rect(1, 1, 5, 4)))))
	videos, err := Videos(dir) // without the folder 480p
	if err != nil || len(videos) != 1 || len(videos[0].Frames) != 2 || videos[0].Labels[0] != "" || videos[0].Labels[1] == "" {
		t.Fatalf("%+v, %v", videos, err)
	}
	items, err := open(dir)
	if err != nil || len(items) != 1 || items[0].Name != "walk/1" {
		t.Errorf("the first annotated frame: %+v, %v", items, err)
	}
	write(t, filepath.Join(dir, "Annotations/walk/1.png"), []byte("damaged"))
	if _, err := videos[0].Truth(1); err == nil || !strings.Contains(err.Error(), "1.png") {
		t.Errorf("damaged labels: %v", err)
	}
}
