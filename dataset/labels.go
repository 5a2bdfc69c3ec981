package dataset

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"os"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// Labels is a label map: 0 is unlabelled, n the n-th object. Beside other labels 255 is what nobody can tell, and counts as
// unlabelled; alone it is the one object, as DAVIS 2016 writes it.
type Labels struct {
	W, H int
	Pix  []uint8 // row by row, len W·H
}

// ReadLabels decodes a PNG file: grey, or with a palette whose indices are the labels.
func ReadLabels(path string) (*Labels, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	img, err := decode(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("labels %s: %w", path, err)
	}
	return labelsOf(img), nil
}

func labelsOf(img image.Image) *Labels {
	b := img.Bounds()
	l := &Labels{W: b.Dx(), H: b.Dy(), Pix: make([]uint8, b.Dx()*b.Dy())}
	for y := range l.H {
		dst := l.Pix[y*l.W:][:l.W]
		switch m := img.(type) {
		case *image.Gray:
			copy(dst, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.Paletted:
			copy(dst, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		default: // a mask that some tool has turned to colours
			for x := range dst {
				dst[x] = color.GrayModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.Gray).Y
			}
		}
	}
	return l
}

// IDs are the labels of the objects, ascending.
func (l *Labels) IDs() []uint8 {
	var seen [256]bool
	for _, v := range l.Pix {
		seen[v] = true
	}
	var ids []uint8
	for v := 1; v < 255; v++ {
		if seen[v] {
			ids = append(ids, uint8(v))
		}
	}
	if len(ids) == 0 && seen[255] {
		ids = append(ids, 255)
	}
	return ids
}

// Mask is the object with the given label.
func (l *Labels) Mask(id uint8) *seg.Mask {
	m := seg.NewMask(l.W, l.H, image.Rect(0, 0, l.W, l.H))
	for i, v := range l.Pix {
		if v == id {
			m.Bits[i] = 1
		}
	}
	return m.Trim()
}

// Masks are the objects, by their labels.
func (l *Labels) Masks() []*seg.Mask {
	ids := l.IDs()
	out := make([]*seg.Mask, len(ids))
	for i, id := range ids {
		out[i] = l.Mask(id)
	}
	return out
}

// crop fits the labels to a frame whose odd edges were cropped.
func (l *Labels) crop(f *frame.Frame, path string) (*Labels, error) {
	if l.W&^1 != f.Width || l.H&^1 != f.Height {
		return nil, fmt.Errorf("labels %s: %dx%d, but the picture is %dx%d", path, l.W, l.H, f.Width, f.Height)
	}
	if l.W == f.Width && l.H == f.Height {
		return l, nil
	}
	c := &Labels{W: f.Width, H: f.Height, Pix: make([]uint8, f.Width*f.Height)}
	for y := range c.H {
		copy(c.Pix[y*c.W:][:c.W], l.Pix[y*l.W:])
	}
	return c, nil
}
