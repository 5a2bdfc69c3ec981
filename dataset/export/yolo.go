package export

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/segedge/segedge/seg"
)

// smooth is how far, in pixels, the outlines may stray of forms that people edit or that are read as text.
const smooth = 0.5

// yolo writes images/{train,val}/NAME.jpg, labels/{train,val}/NAME.txt and data.yaml (Ultralytics, segment): a line an object, its class
// and one polygon, normalised. Every tenth picture is for validation.
type yolo struct {
	dir     string
	classes []string
	n       int
	val     bool
}

func (y *yolo) add(p *Picture, objects []object) error {
	y.n++
	part := "train"
	if y.n%10 == 0 {
		part, y.val = "val", true
	}
	var text strings.Builder
	for _, o := range objects {
		fmt.Fprint(&text, o.class)
		for _, q := range outline(o.mask, smooth) {
			fmt.Fprintf(&text, " %g %g", fraction(q.X, o.mask.W), fraction(q.Y, o.mask.H))
		}
		text.WriteByte('\n')
	}
	if err := put([]byte(text.String()), y.dir, "labels", part, p.Name+".txt"); err != nil {
		return err
	}
	return put(p.JPEG, y.dir, "images", part, p.Name+".jpg")
}

// fraction is a coordinate within 0..1, to a hundredth of a pixel of a 4K picture.
func fraction(v float64, of int) float64 { return float64(int(v/float64(of)*1e6+0.5)) / 1e6 }

func (y *yolo) close() error {
	val := "images/train" // too few to keep some apart
	if y.val {
		val = "images/val"
	}
	var text strings.Builder
	fmt.Fprintf(&text, "path: .\ntrain: images/train\nval: %s\nnames:\n", val)
	for i, c := range y.classes {
		name, err := json.Marshal(c) // is a YAML string, too
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "  %d: %s\n", i, name)
	}
	return put([]byte(text.String()), y.dir, "data.yaml")
}

// labelStudio writes images/NAME.jpg, tasks.json and config.xml: tasks with an annotation each, for local files served below images
// (labelstud.io, Import pre-annotated data). An object is one polygon, in percent.
type labelStudio struct {
	dir   string
	tasks []task
	names map[string]bool
}

type task struct {
	Data        map[string]string `json:"data"`
	Annotations []taskAnnotation  `json:"annotations"`
}

type taskAnnotation struct {
	Result []taskResult `json:"result"`
}

type taskResult struct {
	ID       string     `json:"id"`
	Type     string     `json:"type"`
	From     string     `json:"from_name"`
	To       string     `json:"to_name"`
	Width    int        `json:"original_width"`
	Height   int        `json:"original_height"`
	Rotation int        `json:"image_rotation"`
	Value    taskOfMask `json:"value"`
}

type taskOfMask struct {
	Points [][2]float64 `json:"points"`
	Closed bool         `json:"closed"`
	Labels []string     `json:"polygonlabels"`
}

func (l *labelStudio) add(p *Picture, objects []object) error {
	t := task{Data: map[string]string{"image": "/data/local-files/?d=images/" + p.Name + ".jpg"}}
	var a taskAnnotation
	for _, o := range objects {
		if l.names == nil {
			l.names = map[string]bool{}
		}
		l.names[className(o.SA1BAnnotation)] = true
		a.Result = append(a.Result, taskResult{
			ID: fmt.Sprintf("%s-%d", p.Name, o.ID), Type: "polygonlabels", From: "label", To: "image", Width: o.mask.W, Height: o.mask.H,
			Value: taskOfMask{Points: percent(outline(o.mask, smooth), o.mask), Closed: true, Labels: []string{className(o.SA1BAnnotation)}},
		})
	}
	t.Annotations = []taskAnnotation{a}
	l.tasks = append(l.tasks, t)
	return put(p.JPEG, l.dir, "images", p.Name+".jpg")
}

func percent(ring []seg.Point, m *seg.Mask) [][2]float64 {
	out := make([][2]float64, len(ring))
	for i, q := range ring {
		out[i] = [2]float64{100 * fraction(q.X, m.W), 100 * fraction(q.Y, m.H)}
	}
	return out
}
