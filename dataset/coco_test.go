package dataset

import (
	"bytes"
	"image"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

func TestCOCOThereAndBack(t *testing.T) {
	dir := t.TempDir()
	c := &COCO{Images: []COCOImage{{ID: 7, Width: 9, Height: 6, File: "a.jpg"}, {ID: 8, Width: 8, Height: 6, File: "empty.jpg"}}, Categories: []COCOCategory{{1, "dog"}}}
	c.addMask(7, 1, block(9, 6, image.Rect(1, 2, 4, 6)))
	c.Annotations = append(c.Annotations,
		COCOAnnotation{ID: 2, Image: 7, Segment: Segmentation{Polygons: [][]float64{{5, 0, 9, 0, 9, 3, 5, 3}}}},
		COCOAnnotation{ID: 3, Image: 7, Crowd: 1, Segment: Segmentation{Polygons: [][]float64{{0, 0, 9, 0, 9, 6}}}},
		COCOAnnotation{ID: 4, Image: 7, Segment: Segmentation{Polygons: [][]float64{{8, 0, 9, 0, 9, 3, 8, 3}}}}) // in the cropped column only
	if a := c.Annotations[0]; a.Area != 12 || a.Box != [4]float64{1, 2, 3, 4} || a.ID != 1 {
		t.Errorf("added: %+v", a)
	}
	var b bytes.Buffer
	if err := writeCOCO(&b, c); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "instances.json"), b.Bytes())
	write(t, filepath.Join(dir, "images", "a.jpg"), jpegOf(t, plain(8, 6, 40)))
	items, err := open(filepath.Join(dir, "instances.json"))
	if err != nil || len(items) != 1 || items[0].Name != "a" || items[0].Set != "instances" {
		t.Fatalf("%+v, %v", items, err)
	}
	_, masks, err := items[0].Load()
	if err != nil || len(masks) != 2 {
		t.Fatalf("%d masks, %v", len(masks), err)
	}
	if masks[0].Rect != image.Rect(1, 2, 4, 6) || masks[0].W != 8 || masks[1].Rect != image.Rect(5, 0, 8, 3) {
		t.Errorf("masks %v and %v", masks[0].Rect, masks[1].Rect)
	}
}

func TestSegmentationRefuses(t *testing.T) {
	rle := block(4, 4, image.Rect(0, 0, 1, 1)).RLE()
	for want, s := range map[string]Segmentation{
		"of 4x4 for a picture of 8x4": {RLE: &rle},
		"3 numbers":                   {Polygons: [][]float64{{1, 2, 3}}},
	} {
		if _, err := s.Mask(8, 4); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := fillPolygons(nil, 1<<20, 1<<20); err == nil {
		t.Error("a grid without bound")
	}
	for _, bad := range []string{"{", `{"annotations":[{"segmentation":"x"}]}`, `{"annotations":[{"segmentation":{"size":[1]}}]}`} {
		if _, err := ReadCOCO(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// TestFillPolygonsGivesOutlinesBack fills the outlines that seg makes.
func TestFillPolygonsGivesOutlinesBack(t *testing.T) {
	m := block(30, 20, image.Rect(4, 3, 22, 17)).Minus(block(30, 20, image.Rect(20, 3, 22, 9)))
	var polygons [][]float64
	for _, ring := range m.Polygons(0) {
		var p []float64
		for _, q := range ring {
			p = append(p, q.X*30, q.Y*20)
		}
		polygons = append(polygons, p)
	}
	got, err := fillPolygons(polygons, 30, 20)
	if err != nil || got.IoU(m) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	got, err = fillPolygons([][]float64{{-1e300, -1e300, 1e300, -1e300, 1e300, 1e300, -1e300, 1e300}, {math.NaN(), 0, 4, 4}}, 5, 4)
	if err != nil || got.Count() != 20 {
		t.Errorf("a polygon beyond the picture covers it: %v, %v", got, err)
	}
}

func TestSA1BThereAndBack(t *testing.T) {
	dir := t.TempDir()
	m := block(8, 6, image.Rect(2, 1, 5, 5))
	s := &SA1B{Image: SA1BImage{ID: 3, Width: 8, Height: 6, File: "sa_3.jpg"}, Annotations: []SA1BAnnotation{
		{ID: 1, Segmentation: m.RLE(), Area: 12, PredictedIoU: 0.9, Stability: 0.97, Points: [][2]float64{{3, 3}}}}}
	var b bytes.Buffer
	if err := writeSA1B(&b, s); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "sa_3.json"), b.Bytes())
	write(t, filepath.Join(dir, "sa_3.jpg"), jpegOf(t, plain(8, 6, 40)))
	write(t, filepath.Join(dir, "lonely.json"), []byte("{}"))
	write(t, filepath.Join(dir, "sa_4.json"), []byte("["))
	write(t, filepath.Join(dir, "sa_4.jpg"), jpegOf(t, plain(8, 6, 40)))
	items, err := open(dir)
	if err != nil || len(items) != 2 {
		t.Fatalf("%+v, %v", items, err)
	}
	_, masks, err := items[0].Load()
	if err != nil || len(masks) != 1 || masks[0].IoU(m) != 1 {
		t.Errorf("%v, %v", masks, err)
	}
	if _, _, err := items[1].Load(); err == nil || !strings.Contains(err.Error(), "sa_4") {
		t.Errorf("a damaged file: %v", err)
	}
	if got, err := ReadSA1B(bytes.NewReader(b.Bytes())); err != nil || got.Annotations[0].Stability != 0.97 || got.Image.File != "sa_3.jpg" {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzReadCOCO(f *testing.F) {
	f.Add([]byte(`{"images":[{"id":1,"width":4,"height":4,"file_name":"x"}],"annotations":[{"image_id":1,"segmentation":[[0,0,4,0,4,4]]}]}`))
	f.Add([]byte(`{"annotations":[{"segmentation":{"size":[2,2],"counts":"121"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ReadCOCO(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, a := range c.Annotations {
			if m, err := a.Segment.Mask(16, 12); err == nil && (m.W != 16 || m.H != 12) {
				t.Fatalf("a mask of %dx%d", m.W, m.H)
			}
		}
	})
}
