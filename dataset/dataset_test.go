package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/seg"
)

// block is a mask of one rectangle.
func block(w, h int, r image.Rectangle) *seg.Mask {
	m := seg.NewMask(w, h, r)
	for i := range m.Bits {
		m.Bits[i] = 1
	}
	return m
}

// plain is a frame of one grey.
func plain(w, h int, v byte) *frame.Frame {
	f := frame.New(w, h)
	for i := range f.Pix {
		f.Pix[i] = v
	}
	return f
}

// labelsWith is a map with each mask under its number, from 1.
func labelsWith(w, h int, masks ...*seg.Mask) *Labels {
	l := &Labels{W: w, H: h, Pix: make([]uint32, w*h)}
	for n, m := range masks {
		for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
			for i, b := range m.Row(y) {
				if b != 0 {
					l.Pix[y*w+m.Rect.Min.X+i] = uint32(n + 1)
				}
			}
		}
	}
	return l
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func jpegOf(t *testing.T, f *frame.Frame) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := EncodeJPEG(&b, f, 90); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encoded(t *testing.T, l *Labels) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDAVISThereAndBack(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		var l *Labels
		if i != 1 {
			l = labelsWith(16, 8, block(16, 8, image.Rect(i, 1, i+4, 5)), block(16, 8, image.Rect(9, 2, 12, 4)))
		}
		if err := WriteDAVIS(dir, "walk", i, plain(16, 8, 90), l); err != nil {
			t.Fatal(err)
		}
	}
	videos, err := Videos(dir)
	if err != nil || len(videos) != 1 || videos[0].Name != "walk" || len(videos[0].Frames) != 3 {
		t.Fatalf("%+v, %v", videos, err)
	}
	v := videos[0]
	if l, err := v.Truth(1); l != nil || err != nil {
		t.Errorf("a frame without labels has %v, %v", l, err)
	}
	l, err := v.Truth(2)
	if err != nil || !slices.Equal(l.IDs(), []uint32{1, 2}) || l.Mask(1).Rect != image.Rect(2, 1, 6, 5) {
		t.Errorf("labels of the last frame: %v, %v", l, err)
	}
	f, err := picture.Read(v.Frames[0])
	if err != nil || f.Width != 16 || f.Height != 8 || f.Pix[0] < 88 || f.Pix[0] > 92 {
		t.Errorf("first frame: %v", err)
	}
	if err := WriteDAVIS(dir, "../out", 0, f, nil); err == nil {
		t.Error("a sequence outside the folder was written")
	}
	set, err := Open(dir)
	if err != nil || len(set.Items) != 1 || set.Items[0].Group != "walk" {
		t.Errorf("items %+v, %v", set, err)
	}
}

func TestVideosOfAFlatFolder(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		write(t, filepath.Join(dir, fmt.Sprintf("%d.jpg", i)), jpegOf(t, plain(4, 4, 9)))
	}
	write(t, filepath.Join(dir, "notes.txt"), []byte("x"))
	v, err := Videos(dir)
	if err != nil || len(v) != 1 || len(v[0].Frames) != 2 || v[0].Labels[1] != "" {
		t.Errorf("%+v, %v", v, err)
	}
	if l, err := v[0].Truth(0); l != nil || err != nil {
		t.Errorf("no labels: %v, %v", l, err)
	}
}

func TestOpenLabelMaps(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"park_0001", "park_0002", "park_0003", "zoo7"} {
		write(t, filepath.Join(dir, "images", name+".jpg"), jpegOf(t, plain(8, 6, 9)))
	}
	one := labelsWith(9, 7, block(9, 7, image.Rect(4, 1, 9, 4))) // its odd edges were cropped off the picture
	write(t, filepath.Join(dir, "labels", "park_0001.png"), encoded(t, one))
	write(t, filepath.Join(dir, "labels", "park_0002_1.png"), encoded(t, one))
	write(t, filepath.Join(dir, "labels", "park_0002_0.png"), encoded(t, labelsWith(8, 6, block(8, 6, image.Rect(0, 0, 1, 1)))))
	write(t, filepath.Join(dir, "labels", "zoo7.png"), encoded(t, labelsWith(4, 4)))
	write(t, filepath.Join(dir, "labels", "gone.png"), encoded(t, one))
	set, err := Open(dir)
	if err != nil || len(set.Items) != 3 || !slices.Equal(set.Unlabelled, []string{"park_0003.jpg"}) || !slices.Equal(set.Orphans, []string{"gone.png"}) {
		t.Fatalf("%+v, %v", set, err)
	}
	items := set.Items
	if items[0].Set != "park" || items[2].Set != "zoo" || items[1].Name != "park_0002" {
		t.Errorf("%+v", items)
	}
	f, masks, err := items[0].Load()
	if err != nil || len(masks) != 1 || masks[0].Rect != image.Rect(4, 1, 8, 4) || masks[0].W != f.Width {
		t.Errorf("cropped: %v, %v", masks, err)
	}
	if _, masks, err = items[1].Load(); err != nil || masks[0].Count() != 1 {
		t.Errorf("of several maps the first counts: %v, %v", masks, err)
	}
	if _, _, err = items[2].Load(); err == nil || !strings.Contains(err.Error(), "4x4") {
		t.Errorf("labels of another size: %v", err)
	}
}

func TestHeldOutIsEveryTenthGroup(t *testing.T) {
	var items []Item
	for i := range 40 {
		items = append(items, Item{Set: "a", Group: fmt.Sprintf("%02d", i/2), Name: fmt.Sprint(i)})
	}
	items = append(items, Item{Set: "b", Group: "x"})
	held, err := HeldOut(items)
	var names []string
	for _, it := range held {
		names = append(names, it.Name)
	}
	if err != nil || !slices.Equal(names, []string{"18", "19", "38", "39"}) {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := HeldOut([]Item{{Set: videoSet, Group: videoSet + "_1", Image: "none.jpg"}}); err == nil {
		t.Error("frames of videos are looked at, and this one is missing")
	}
	if difference([]int{1}, []int{1, 2}) != 255 || difference([]int{5, 0}, []int{1, 2}) != 3 {
		t.Error("difference")
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	empty := t.TempDir()
	for _, sub := range []string{"l/images", "l/labels", "d/JPEGImages/480p/seq", "u/JPEGImages/480p/seq"} {
		if err := os.MkdirAll(filepath.Join(empty, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(empty, "u/JPEGImages/480p/seq/0.jpg"), jpegOf(t, plain(4, 4, 9)))
	write(t, filepath.Join(empty, "bad.json"), []byte("{"))
	write(t, filepath.Join(empty, "none.json"), []byte("{}"))
	write(t, filepath.Join(empty, "out.json"), []byte(`{"images":[{"id":1,"width":4,"height":4,"file_name":"../x.jpg"}],"annotations":[{"image_id":1,"segmentation":[]}]}`))
	write(t, filepath.Join(empty, "gone.json"), []byte(`{"images":[{"id":1,"width":4,"height":4,"file_name":"x.jpg"}],"annotations":[{"image_id":1,"segmentation":[]}]}`))
	for path, want := range map[string]string{
		"l": "images/NAME.jpg", "d": "no sequence", "u": "Annotations", "": "NAME.json", "nowhere": "no such folder",
		"bad.json": "coco", "none.json": "images and annotations", "out.json": "outside", "gone.json": "neither", "nothing.json": "no such file",
	} {
		_, err := Open(filepath.Join(empty, path))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", path, err, want)
		}
	}
	if _, err := Videos(filepath.Join(empty, "l")); !errors.Is(err, ErrNoData) {
		t.Errorf("no pictures: %v", err)
	}
	if _, err := Videos(filepath.Join(empty, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// open is Open's items.
func open(path string) ([]Item, error) {
	set, err := Open(path)
	if err != nil {
		return nil, err
	}
	return set.Items, nil
}
