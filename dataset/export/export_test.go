package export

import (
	"errors"
	"flag"
	"image"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segedge/segedge/dataset"
	"github.com/segedge/segedge/seg"
)

var update = flag.Bool("update", false, "write the golden files anew")

// drawn is the mask of the places where in says so.
func drawn(w, h int, in func(x, y int) bool) *seg.Mask {
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	for i := range m.Bits {
		if in(i%w, i/w) {
			m.Bits[i] = 1
		}
	}
	return m.Trim()
}

func within(x, y int, r image.Rectangle) bool { return image.Pt(x, y).In(r) }

// shapes are masks of every topology, on a grid.
func shapes(w, h int) map[string]*seg.Mask {
	disc := func(x, y, cx, cy, r int) bool { return (x-cx)*(x-cx)+(y-cy)*(y-cy) < r*r }
	return map[string]*seg.Mask{
		"block":    drawn(w, h, func(x, y int) bool { return within(x, y, image.Rect(5, 4, 40, 30)) }),
		"all":      drawn(w, h, func(int, int) bool { return true }),
		"pixel":    drawn(w, h, func(x, y int) bool { return x == 7 && y == 9 }),
		"ring":     drawn(w, h, func(x, y int) bool { return disc(x, y, 30, 24, 20) && !disc(x, y, 32, 22, 9) }),
		"parts":    drawn(w, h, func(x, y int) bool { return disc(x, y, 14, 14, 10) || disc(x, y, 46, 34, 12) }),
		"two eyes": drawn(w, h, func(x, y int) bool { return disc(x, y, 32, 24, 22) && !disc(x, y, 24, 20, 5) && !disc(x, y, 40, 20, 5) }),
		"island": drawn(w, h, func(x, y int) bool {
			return disc(x, y, 32, 24, 22) && !disc(x, y, 32, 24, 14) || disc(x, y, 32, 24, 7)
		}),
		"corners": drawn(w, h, func(x, y int) bool { return (x/8+y/8)%2 == 0 }),
		"frame":   drawn(w, h, func(x, y int) bool { return x < 6 || y < 6 || x >= w-6 || y >= h-6 }),
		"two rings": drawn(w, h, func(x, y int) bool {
			return disc(x, y, 14, 24, 12) && !disc(x, y, 14, 24, 5) || disc(x, y, 46, 24, 12) && !disc(x, y, 46, 24, 5)
		}),
	}
}

// set is a set of pictures, one a shape, by name.
func set(masks map[string]*seg.Mask) []*Picture {
	var out []*Picture
	for i, name := range slices.Sorted(keys(masks)) {
		m := masks[name]
		a := dataset.NewSA1BAnnotation(1, m)
		a.Name = name
		wrong := dataset.NewSA1BAnnotation(2, m)
		at := time.Date(2026, 3, 5, 12, 0, i, 0, time.UTC)
		out = append(out, &Picture{
			Name: at.Format("20060102T150405.000000Z") + "_cam", JPEG: []byte("a picture"),
			Doc: &dataset.SA1B{
				Image:       dataset.SA1BImage{Width: m.W, Height: m.H, Camera: "cam", Captured: at},
				Annotations: []dataset.SA1BAnnotation{a}, Proposed: []dataset.SA1BAnnotation{wrong}, Rejected: []dataset.SA1BAnnotation{wrong},
			},
		})
	}
	return out
}

func keys(m map[string]*seg.Mask) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func sequenceOf(pictures []*Picture) iter.Seq2[*Picture, error] {
	return func(yield func(*Picture, error) bool) {
		for _, p := range pictures {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func TestOutlinesFillTheMask(t *testing.T) {
	for name, m := range shapes(64, 48) {
		for what, polygons := range map[string][][]seg.Point{"parts": outlines(m, 0), "one": {outline(m, 0)}} {
			got := drawn(m.W, m.H, func(x, y int) bool {
				n := 0
				for _, ring := range polygons {
					if evenOdd(ring, float64(x)+0.5, float64(y)+0.5) {
						n++
					}
				}
				return n > 0
			})
			if got.IoU(m) != 1 {
				t.Errorf("%s, %s: IoU %.3f", name, what, got.IoU(m))
			}
		}
	}
	if got := outlines(seg.NewMask(8, 6, image.Rectangle{}), 0); len(got) != 0 {
		t.Errorf("%v for nothing", got)
	}
}

func evenOdd(ring []seg.Point, x, y float64) (in bool) {
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a.Y > y) != (b.Y > y) && x < a.X+(y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

// golden holds every file of a form against testdata.
func TestFormsAreAsTheyWere(t *testing.T) {
	few := shapes(64, 48)
	for name := range few {
		if !slices.Contains([]string{"ring", "parts", "block"}, name) {
			delete(few, name)
		}
	}
	pictures := set(few)
	second := dataset.NewSA1BAnnotation(2, few["block"])
	second.Track = "cam-7"
	pictures[0].Doc.Annotations[0].Track = "cam-7"
	pictures[1].Doc.Annotations = append(pictures[1].Doc.Annotations, second)
	for _, form := range Forms() {
		t.Run(form, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			s, err := Write(dir, form, sequenceOf(pictures))
			if err != nil || s.Pictures != 3 || s.Objects != 4 || !slices.Equal(s.Classes, []string{"block", "object", "parts", "ring"}) {
				t.Fatalf("%+v, %v", s, err)
			}
			got := listing(t, dir)
			path := filepath.Join("testdata", form+".golden")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil || got != string(want) {
				t.Errorf("%v; differs from %s (go test -update writes it anew):\n%s", err, path, got)
			}
			if _, err := Write(dir, form, sequenceOf(pictures)); !errors.Is(err, ErrNotEmpty) {
				t.Errorf("written into a folder that has something in it: %v", err)
			}
		})
	}
}

// listing is a folder's files, text with its content.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		out.WriteString("== " + filepath.ToSlash(name) + "\n")
		if ext := filepath.Ext(path); ext == ".jpg" || ext == ".png" {
			return nil
		}
		data, err := os.ReadFile(path)
		out.WriteString(strings.TrimRight(string(data), "\n") + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What dataset reads is read back: the same masks, but for those that a form lays over one another.
func TestFormsAreReadBack(t *testing.T) {
	masks := shapes(64, 48)
	pictures := set(masks)
	for i := range pictures {
		pictures[i].JPEG = jpegOf(t, 64, 48)
	}
	for _, c := range []struct{ form, path string }{{"coco", "instances.json"}, {"coco-polygons", "instances.json"}, {"sa1b", ""}} {
		dir := filepath.Join(t.TempDir(), "out")
		if _, err := Write(dir, c.form, sequenceOf(pictures)); err != nil {
			t.Fatal(err)
		}
		found, err := dataset.Open(filepath.Join(dir, c.path))
		if err != nil || len(found.Items) != len(pictures) {
			t.Fatalf("%s: %+v, %v", c.form, found, err)
		}
		for i, it := range found.Items {
			_, got, err := it.Load()
			want := masks[pictures[i].Doc.Annotations[0].Name]
			if err != nil || len(got) != 1 || got[0].IoU(want) != 1 {
				t.Errorf("%s, %s: %d masks, %v", c.form, pictures[i].Doc.Annotations[0].Name, len(got), err)
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := Write(dir, "davis", sequenceOf(pictures)); err != nil {
		t.Fatal(err)
	}
	videos, err := dataset.Videos(dir)
	if err != nil || len(videos) != 1 || len(videos[0].Frames) != len(pictures) {
		t.Fatalf("%+v, %v", videos, err)
	}
	for i, p := range pictures {
		l, err := videos[0].Truth(i)
		if err != nil {
			t.Fatal(err)
		}
		if ids := l.IDs(); len(ids) != 1 || l.Mask(ids[0]).IoU(masks[p.Doc.Annotations[0].Name]) != 1 {
			t.Errorf("%s: labels %v", p.Doc.Annotations[0].Name, ids)
		}
	}
}

func TestBadPicturesAreNamed(t *testing.T) {
	bad := set(shapes(64, 48))[:1]
	bad[0].Doc.Image.Width = 65
	if _, err := Write(filepath.Join(t.TempDir(), "x"), "coco", sequenceOf(bad)); err == nil || !strings.Contains(err.Error(), bad[0].Name) {
		t.Errorf("%v", err)
	}
	if _, err := Write(t.TempDir(), "voc", sequenceOf(nil)); err == nil || !strings.Contains(err.Error(), "coco-polygons") {
		t.Errorf("%v: it does not say which forms there are", err)
	}
	broken := errors.New("disk gone")
	if _, err := Write(t.TempDir(), "coco", func(yield func(*Picture, error) bool) { yield(nil, broken) }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestSimplifiedOutlinesStayClose(t *testing.T) {
	for name, m := range shapes(160, 120) {
		ring := outline(m, smooth)
		got := drawn(m.W, m.H, func(x, y int) bool { return evenOdd(ring, float64(x)+0.5, float64(y)+0.5) })
		if iou := got.IoU(m); iou < 0.95 && m.Count() > 100 || math.IsNaN(iou) {
			t.Errorf("%s: IoU %.3f", name, iou)
		}
	}
}
