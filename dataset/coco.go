package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// COCO is an instances file (cocodataset.org, data format), without what segmentation does not need.
type COCO struct {
	Images      []COCOImage      `json:"images"`
	Annotations []COCOAnnotation `json:"annotations"`
	Categories  []COCOCategory   `json:"categories"`
}

// COCOImage is a picture of the file; its name is relative to the folder of pictures.
type COCOImage struct {
	ID     int64  `json:"id"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	File   string `json:"file_name"`
}

// COCOAnnotation is one object. Box is x, y, width, height in pixels.
type COCOAnnotation struct {
	ID       int64        `json:"id"`
	Image    int64        `json:"image_id"`
	Category int64        `json:"category_id"`
	Segment  Segmentation `json:"segmentation"`
	Area     float64      `json:"area"`
	Box      [4]float64   `json:"bbox"`
	Crowd    int          `json:"iscrowd"` // 1: a group of objects, nobody's mask
}

// COCOCategory names a class.
type COCOCategory struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Segmentation is COCO's "segmentation" field: polygons in pixels, x and y in turn, or run lengths. One of them is set.
type Segmentation struct {
	Polygons [][]float64
	RLE      *seg.RLE
}

// UnmarshalJSON tells the two forms apart by their first letter.
func (s *Segmentation) UnmarshalJSON(data []byte) error {
	*s = Segmentation{}
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, &s.Polygons)
	}
	s.RLE = new(seg.RLE)
	return json.Unmarshal(data, s.RLE)
}

// MarshalJSON writes the form that is set.
func (s Segmentation) MarshalJSON() ([]byte, error) {
	if s.RLE != nil {
		return json.Marshal(s.RLE)
	}
	return json.Marshal(s.Polygons)
}

// Mask is the segmentation on a grid of w×h pixels: the pixels whose centre lies in a polygon, by the even-odd rule within
// each, or the runs, whose size must be that.
func (s *Segmentation) Mask(w, h int) (*seg.Mask, error) {
	if s.RLE == nil {
		return fillPolygons(s.Polygons, w, h)
	}
	if s.RLE.Size != [2]int{h, w} {
		return nil, fmt.Errorf("run lengths of %dx%d for a picture of %dx%d", s.RLE.Size[1], s.RLE.Size[0], w, h)
	}
	return s.RLE.Mask()
}

// ReadCOCO decodes an instances file.
func ReadCOCO(r io.Reader) (*COCO, error) {
	c := new(COCO)
	if err := json.NewDecoder(r).Decode(c); err != nil {
		return nil, fmt.Errorf("coco: %w", err)
	}
	return c, nil
}

// WriteCOCO encodes an instances file.
func WriteCOCO(w io.Writer, c *COCO) error {
	if err := json.NewEncoder(w).Encode(c); err != nil {
		return fmt.Errorf("coco: %w", err)
	}
	return nil
}

// AddMask appends an object as run lengths, with its area and box; the mask lies on the picture's own grid.
func (c *COCO) AddMask(image, category int64, m *seg.Mask) {
	rle, box := m.RLE(), m.Box()
	w, h := float64(m.W), float64(m.H)
	c.Annotations = append(c.Annotations, COCOAnnotation{
		ID: int64(len(c.Annotations) + 1), Image: image, Category: category, Area: float64(m.Count()), Segment: Segmentation{RLE: &rle},
		Box: [4]float64{box.X0 * w, box.Y0 * h, (box.X1 - box.X0) * w, (box.Y1 - box.Y0) * h},
	})
}

func openCOCO(path string) ([]Item, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	c, err := ReadCOCO(file)
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", path, err)
	}
	segments := map[int64][]Segmentation{}
	for _, a := range c.Annotations {
		if a.Crowd == 0 {
			segments[a.Image] = append(segments[a.Image], a.Segment)
		}
	}
	var items []Item
	for _, im := range c.Images {
		if list := segments[im.ID]; len(list) > 0 {
			file, err := beside(filepath.Dir(path), im.File)
			if err != nil {
				return nil, fmt.Errorf("dataset %s: %w", path, err)
			}
			items = append(items, Item{Set: stem(path), Group: stem(im.File), Name: stem(im.File), Image: file, masks: segmentMasks(list, im.Width, im.Height)})
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("dataset %s: %w: a COCO file with images and annotations is expected", path, ErrNoData)
	}
	return items, nil
}

// beside finds a picture that an annotation names, in the annotation's folder or in images/ of it, and nowhere else.
func beside(dir, name string) (string, error) {
	if !filepath.IsLocal(name) {
		return "", errors.New("picture " + name + " lies outside the dataset's folder")
	}
	for _, path := range []string{filepath.Join(dir, name), filepath.Join(dir, "images", name)} {
		if isFile(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("picture %s is neither in %s nor in its folder images", name, dir)
}

// segmentMasks decodes segmentations of a picture that is w×h before its odd edges are cropped.
func segmentMasks(list []Segmentation, w, h int) func(f *frame.Frame) ([]*seg.Mask, error) {
	return func(f *frame.Frame) ([]*seg.Mask, error) {
		if w&^1 != f.Width || h&^1 != f.Height {
			return nil, fmt.Errorf("annotations of %dx%d, but the picture is %dx%d", w, h, f.Width, f.Height)
		}
		var out []*seg.Mask
		for i := range list {
			m, err := list[i].Mask(w, h)
			if err != nil {
				return nil, fmt.Errorf("object %d: %w", i+1, err)
			}
			if m = cropMask(m, f.Width, f.Height); !m.Rect.Empty() {
				out = append(out, m)
			}
		}
		return out, nil
	}
}

// cropMask is the part of m on a grid that lacks its last column or row.
func cropMask(m *seg.Mask, w, h int) *seg.Mask {
	if m.W == w && m.H == h {
		return m
	}
	out := seg.NewMask(w, h, m.Rect)
	for y := out.Rect.Min.Y; y < out.Rect.Max.Y; y++ {
		copy(out.Row(y), m.Row(y))
	}
	return out.Trim()
}
