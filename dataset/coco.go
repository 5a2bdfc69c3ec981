package dataset

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
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

func openCOCO(path string) (*Set, error) {
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
	out, missing := &Set{}, error(nil)
	for _, im := range c.Images {
		list := segments[im.ID]
		if len(list) == 0 {
			out.Unlabelled = append(out.Unlabelled, im.File)
			continue
		}
		file, err := beside(filepath.Dir(path), im.File)
		switch {
		case errors.Is(err, errMissing):
			out.Orphans, missing = append(out.Orphans, im.File), err
			continue
		case err != nil:
			return nil, fmt.Errorf("dataset %s: %w", path, err)
		}
		out.Items = append(
			out.Items,
			Item{Set: stem(path), Group: stem(im.File), Name: stem(im.File), Image: file, masks: segmentMasks(list, im.Width, im.Height)},
		)
	}
	switch {
	case len(out.Items) == 0 && missing != nil:
		return nil, fmt.Errorf("dataset %s: %w", path, missing)
	case len(out.Items) == 0:
		return nil, fmt.Errorf("dataset %s: %w: a COCO file with images and annotations is expected", path, ErrNoData)
	}
	return out, nil
}

var errMissing = errors.New("the picture is missing")

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
	return "", fmt.Errorf("%w: %s is neither in %s nor in its folder images", errMissing, name, dir)
}

// segmentMasks decodes segmentations of a picture that is w×h: upright, or as it is stored.
func segmentMasks(list []Segmentation, w, h int) reader {
	return func(f *frame.Frame, o picture.Orientation) ([]*seg.Mask, error) {
		fits := w == f.Width && h == f.Height || w&^1 == f.Width && h&^1 == f.Height || o.Turns() && w == f.Height && h == f.Width
		if !fits {
			return nil, fmt.Errorf("annotations of %dx%d, but the picture is %dx%d", w, h, f.Width, f.Height)
		}
		var out []*seg.Mask
		for i := range list {
			m, err := list[i].Mask(w, h)
			if err != nil {
				return nil, fmt.Errorf("object %d: %w", i+1, err)
			}
			if m = ontoFrame(m, f, o); !m.Rect.Empty() {
				out = append(out, m)
			}
		}
		return out, nil
	}
}

// ontoFrame is a mask on the grid of a frame that it fits: turned as the frame was, or cropped as it was.
func ontoFrame(m *seg.Mask, f *frame.Frame, o picture.Orientation) *seg.Mask {
	if m.W == f.Width && m.H == f.Height {
		return m
	}
	turned := o.Turns() && m.W == f.Height && m.H == f.Width
	out := seg.NewMask(f.Width, f.Height, image.Rect(0, 0, f.Width, f.Height))
	for y := range f.Height {
		row := out.Row(y)
		for x := range row {
			sx, sy := x, y
			if turned {
				sx, sy = o.Stored(x, y, f.Width, f.Height)
			}
			row[x] = m.At(sx, sy)
		}
	}
	return out.Trim()
}
