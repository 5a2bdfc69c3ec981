package dataset

import (
	"errors"
	"fmt"
	"image"
	"maps"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/seg"
)

// Labels is a label map: 0 is unlabelled, any other number one object.
type Labels struct {
	W, H int
	Pix  []uint32 // row by row, len W·H
}

// ErrLossy is a label map in a form that does not keep its numbers.
var ErrLossy = errors.New("this form does not keep labels: its values are colours, and approximate ones; save label maps as PNG or TIFF")

// ReadLabels decodes a label map. PNG and TIFF keep one:
//
//   - grey of 1 to 16 bits, in TIFF of 32 bits too (whole numbers, also as floats): the values are the labels;
//   - with a palette: the indices are the labels;
//   - colours, of 8 bits a channel: each is an object and black none. Where all are of the palette of PASCAL VOC and DAVIS, the label is
//
// the
//
//	place in it, else R + 256·G + 65536·B as COCO's panoptic maps have it, and + 2²⁴·A where the transparency is used for more than being
//
// there.
//
// Beside other labels the largest value of 8 or 16 bits (255, white; 65535) is what nobody can tell, and is unlabelled; alone it is the one
// object, as DAVIS 2016 writes it.
func ReadLabels(path string) (*Labels, error) {
	l, err := readLabels(path)
	if err != nil {
		return nil, fmt.Errorf("labels %s: %w", path, err)
	}
	return l, nil
}

func readLabels(path string) (*Labels, error) {
	if l, err := readTIFF32(path); l != nil || err != nil {
		return l, err
	}
	raw, err := picture.Open(path)
	if err != nil {
		return nil, err
	}
	if raw.Format != "png" && raw.Format != "tiff" {
		return nil, fmt.Errorf("a %s file: %w", raw.Format, ErrLossy)
	}
	l, void, err := labelsOf(raw)
	if err != nil {
		return nil, err
	}
	l.forget(void)
	return l, nil
}

// forget makes void unlabelled, unless it is the only label.
func (l *Labels) forget(void uint32) {
	if void == 0 || !slices.ContainsFunc(l.Pix, func(v uint32) bool { return v != 0 && v != void }) {
		return
	}
	for i, v := range l.Pix {
		if v == void {
			l.Pix[i] = 0
		}
	}
}

// IDs are the labels of the objects, ascending.
func (l *Labels) IDs() []uint32 { return slices.Sorted(maps.Keys(l.boxes())) }

// boxes are the rectangles around the objects, by label.
func (l *Labels) boxes() map[uint32]image.Rectangle {
	out := map[uint32]image.Rectangle{}
	for y := range l.H {
		row := l.Pix[y*l.W:][:l.W]
		for x := 0; x < l.W; {
			v, from := row[x], x
			for x < l.W && row[x] == v {
				x++
			}
			if v != 0 {
				out[v] = out[v].Union(image.Rect(from, y, x, y+1))
			}
		}
	}
	return out
}

// Mask is the object with the given label.
func (l *Labels) Mask(id uint32) *seg.Mask { return l.mask(id, image.Rect(0, 0, l.W, l.H)).Trim() }

func (l *Labels) mask(id uint32, r image.Rectangle) *seg.Mask {
	m := seg.NewMask(l.W, l.H, r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := m.Row(y)
		for i, v := range l.Pix[y*l.W+r.Min.X:][:r.Dx()] {
			if v == id {
				row[i] = 1
			}
		}
	}
	return m
}

// Masks are the objects, by their labels.
func (l *Labels) Masks() []*seg.Mask {
	boxes := l.boxes()
	out := make([]*seg.Mask, 0, len(boxes))
	for _, id := range slices.Sorted(maps.Keys(boxes)) {
		out = append(out, l.mask(id, boxes[id]))
	}
	return out
}

// fit brings the labels onto the grid of a picture that was turned by o to be upright. Labels of the upright size are taken as they are;
// those of the stored size are turned as the picture was, and those of a picture whose odd edges somebody cropped are cropped.
func (l *Labels) fit(f *frame.Frame, o picture.Orientation) (*Labels, error) {
	switch {
	case l.W == f.Width && l.H == f.Height:
		return l, nil
	case o.Turns() && l.W == f.Height && l.H == f.Width:
		return l.at(f.Width, f.Height, func(x, y int) (int, int) { return o.Stored(x, y, f.Width, f.Height) }), nil
	case l.W&^1 == f.Width && l.H&^1 == f.Height:
		return l.at(f.Width, f.Height, func(x, y int) (int, int) { return x, y }), nil
	}
	return nil, fmt.Errorf("%dx%d, but the picture is %dx%d", l.W, l.H, f.Width, f.Height)
}

// at is the map of w×h labels that come from the places that from says.
func (l *Labels) at(w, h int, from func(x, y int) (int, int)) *Labels {
	out := &Labels{W: w, H: h, Pix: make([]uint32, w*h)}
	for y := range h {
		for x := range w {
			sx, sy := from(x, y)
			out.Pix[y*w+x] = l.Pix[sy*l.W+sx]
		}
	}
	return out
}
