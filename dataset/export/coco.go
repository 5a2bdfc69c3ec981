package export

import (
	"encoding/json"

	"github.com/segedge/segedge/dataset"
)

// coco writes images/NAME.jpg and instances.json.
type coco struct {
	dir      string
	polygons bool
	doc      dataset.COCO
}

func newCOCO(dir string, classes []string, polygons bool) *coco {
	c := &coco{dir: dir, polygons: polygons}
	for i, name := range classes {
		c.doc.Categories = append(c.doc.Categories, dataset.COCOCategory{ID: int64(i + 1), Name: name})
	}
	return c
}

func (c *coco) add(p *Picture, objects []object) error {
	id, file := int64(len(c.doc.Images)+1), p.Name+".jpg"
	c.doc.Images = append(c.doc.Images, dataset.COCOImage{ID: id, Width: p.Doc.Image.Width, Height: p.Doc.Image.Height, File: file})
	for _, o := range objects {
		a := dataset.NewSA1BAnnotation(0, o.mask)
		out := dataset.COCOAnnotation{
			ID: int64(len(c.doc.Annotations) + 1), Image: id, Category: int64(o.class + 1), Area: float64(a.Area), Box: a.Box,
		}
		if c.polygons {
			for _, ring := range outlines(o.mask, 0) {
				out.Segment.Polygons = append(out.Segment.Polygons, flat(ring))
			}
		} else {
			out.Segment.RLE = &a.Segmentation
		}
		c.doc.Annotations = append(c.doc.Annotations, out)
	}
	return put(p.JPEG, c.dir, "images", file)
}

func (c *coco) close() error {
	data, err := json.Marshal(&c.doc)
	if err != nil {
		return err
	}
	return put(data, c.dir, "instances.json")
}

// sa1b writes NAME.jpg and NAME.json, with nothing but what is right.
type sa1b struct{ dir string }

func (s *sa1b) add(p *Picture, _ []object) error {
	doc := *p.Doc
	doc.Proposed, doc.Rejected = nil, nil
	doc.Image.File = p.Name + ".jpg"
	data, err := json.Marshal(&doc)
	if err != nil {
		return err
	}
	if err := put(p.JPEG, s.dir, p.Name+".jpg"); err != nil {
		return err
	}
	return put(data, s.dir, p.Name+".json")
}

func (s *sa1b) close() error { return nil }
