package collect

import (
	"fmt"
	"image"

	"github.com/segedge/segedge/frame"
)

// Finder finds what nobody may recognise later: faces, number plates, people. Its rectangles are in pixels.
type Finder interface {
	Find(f *frame.Frame) ([]image.Rectangle, error)
}

// conceal makes what the finders find unrecognisable. With an error the picture must not be kept.
func conceal(f *frame.Frame, finders []Finder) error {
	for _, finder := range finders {
		found, err := finder.Find(f)
		if err != nil {
			return fmt.Errorf("what must not be seen cannot be looked for: %w", err)
		}
		for _, r := range found {
			Blur(f, r)
		}
	}
	return nil
}

const (
	cells  = 4   // along the longer side of what is blurred: of a face that leaves its colours
	margin = 0.2 // of each side, around it: hair and chin tell who it is, too
)

// Blur replaces a rectangle and a margin around it by at most 4×4 cells of their mean colours. Nothing finer is left to be brought back.
func Blur(f *frame.Frame, r image.Rectangle) {
	dx, dy := int(margin*float64(r.Dx())+0.5), int(margin*float64(r.Dy())+0.5)
	r = image.Rect(r.Min.X-dx, r.Min.Y-dy, r.Max.X+dx, r.Max.Y+dy).Intersect(image.Rect(0, 0, f.Width, f.Height))
	side := (max(r.Dx(), r.Dy()) + cells - 1) / cells
	for y := r.Min.Y; y < r.Max.Y; y += side {
		for x := r.Min.X; x < r.Max.X; x += side {
			level(f, image.Rect(x, y, x+side, y+side).Intersect(r))
		}
	}
}

// level gives a cell its mean colour.
func level(f *frame.Frame, cell image.Rectangle) {
	var sum [3]int
	each(f, cell, func(p []byte) {
		sum[0], sum[1], sum[2] = sum[0]+int(p[0]), sum[1]+int(p[1]), sum[2]+int(p[2])
	})
	n := cell.Dx() * cell.Dy()
	each(f, cell, func(p []byte) {
		p[0], p[1], p[2] = byte(sum[0]/n), byte(sum[1]/n), byte(sum[2]/n)
	})
}

func each(f *frame.Frame, r image.Rectangle, do func(p []byte)) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := f.Pix[y*f.Stride()+3*r.Min.X:][:3*r.Dx()]
		for i := 0; i < len(row); i += 3 {
			do(row[i : i+3])
		}
	}
}
