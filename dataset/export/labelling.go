package export

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/segedge/segedge/seg"
)

// close writes the tasks, and the labelling interface that they are for.
func (l *labelStudio) close() error {
	data, err := json.MarshalIndent(l.tasks, "", " ")
	if err != nil {
		return err
	}
	type label struct {
		Value string `xml:"value,attr"`
	}
	type view struct {
		XMLName xml.Name `xml:"View"`
		Image   struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"Image"`
		Polygons struct {
			Name   string  `xml:"name,attr"`
			To     string  `xml:"toName,attr"`
			Labels []label `xml:"Label"`
		} `xml:"PolygonLabels"`
	}
	var v view
	v.Image.Name, v.Image.Value = "image", "$image"
	v.Polygons.Name, v.Polygons.To = "label", "image"
	for _, name := range slices.Sorted(maps.Keys(l.names)) {
		v.Polygons.Labels = append(v.Polygons.Labels, label{name})
	}
	interfaceXML, err := xml.MarshalIndent(&v, "", "  ")
	if err != nil {
		return err
	}
	if err := put(append(interfaceXML, '\n'), l.dir, "config.xml"); err != nil {
		return err
	}
	return put(append(data, '\n'), l.dir, "tasks.json")
}

// cvat writes images/NAME.jpg and annotations.xml, "CVAT for images 1.1" (docs.cvat.ai, formats): a mask an object, exact, its runs along
// the rows of its box and beginning with those that are not of it.
type cvat struct {
	dir string
	doc cvatDocument
}

type cvatDocument struct {
	XMLName xml.Name    `xml:"annotations"`
	Version string      `xml:"version"`
	Labels  []cvatLabel `xml:"meta>task>labels>label"`
	Images  []cvatImage `xml:"image"`
}

type cvatLabel struct {
	Name       string `xml:"name"`
	Type       string `xml:"type"`
	Attributes string `xml:"attributes"`
}

type cvatImage struct {
	ID     int        `xml:"id,attr"`
	Name   string     `xml:"name,attr"`
	Width  int        `xml:"width,attr"`
	Height int        `xml:"height,attr"`
	Masks  []cvatMask `xml:"mask"`
}

type cvatMask struct {
	Label    string `xml:"label,attr"`
	Source   string `xml:"source,attr"`
	Occluded int    `xml:"occluded,attr"`
	RLE      string `xml:"rle,attr"`
	Left     int    `xml:"left,attr"`
	Top      int    `xml:"top,attr"`
	Width    int    `xml:"width,attr"`
	Height   int    `xml:"height,attr"`
	Order    int    `xml:"z_order,attr"`
}

func newCVAT(dir string, classes []string) *cvat {
	c := &cvat{dir: dir, doc: cvatDocument{Version: "1.1"}}
	for _, name := range classes {
		c.doc.Labels = append(c.doc.Labels, cvatLabel{Name: name, Type: "mask"})
	}
	return c
}

func (c *cvat) add(p *Picture, objects []object) error {
	im := cvatImage{ID: len(c.doc.Images), Name: p.Name + ".jpg", Width: p.Doc.Image.Width, Height: p.Doc.Image.Height}
	for _, o := range objects {
		m := o.mask.Trim()
		im.Masks = append(im.Masks, cvatMask{
			Label: className(o.SA1BAnnotation), Source: "semi-auto", RLE: rowRuns(m),
			Left: m.Rect.Min.X, Top: m.Rect.Min.Y, Width: m.Rect.Dx(), Height: m.Rect.Dy(),
		})
	}
	c.doc.Images = append(c.doc.Images, im)
	return put(p.JPEG, c.dir, "images", p.Name+".jpg")
}

func (c *cvat) close() error {
	data, err := xml.MarshalIndent(&c.doc, "", "  ")
	if err != nil {
		return err
	}
	return put(append([]byte(xml.Header), append(data, '\n')...), c.dir, "annotations.xml")
}

// rowRuns are the run lengths of a trimmed mask along the rows of its box, 0s first.
func rowRuns(m *seg.Mask) string {
	var out []string
	value, run := uint8(0), 0
	for _, b := range m.Bits {
		if b != value {
			out, value, run = append(out, fmt.Sprint(run)), b, 0
		}
		run++
	}
	return strings.Join(append(out, fmt.Sprint(run)), ", ")
}
