package eval

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/overlay"
	"github.com/segedge/segedge/seg"
)

// A tile of the sheet at most, pixels, the gap between two, and how many lie side by side.
const (
	tileW, tileH = 320, 240
	gap          = 6
	tilesAcross  = 4
)

// tile is a picture on a sheet: a mask as a tint with a label, and the click that it answers as a dot.
type tile struct {
	label       string
	frame       *frame.Frame // a copy, reduced
	mask, truth *seg.Mask    // either may be nil; the truth is a white outline
	click       seg.Point
}

// thumbnail is a copy of a picture that fits into a rectangle.
func thumbnail(f *frame.Frame, width, height int) *frame.Frame {
	k := min(1, float64(width)/float64(f.Width), float64(height)/float64(f.Height))
	small := frame.New(2, 2)
	new(frame.Shrinker).Shrink(small, f, max(1, int(k*float64(f.Width))), max(1, int(k*float64(f.Height))))
	return small
}

// Sheet writes a PNG picture of the worst cases and, below them, the best: the answer to the first click as a tint with a
// label that gives its IoU, the truth as a white outline, the click as a dot.
func (r *ClicksResult) Sheet(w io.Writer) error {
	if len(r.worst)+len(r.best) == 0 {
		return errors.New("eval clicks: no cases were kept for a sheet")
	}
	var rows [][]tile
	for _, list := range [2][]example{r.worst, r.best} {
		var tiles []tile
		for _, e := range list {
			tiles = append(tiles, e.tile)
		}
		rows = append(rows, slices.Collect(slices.Chunk(tiles, tilesAcross))...)
	}
	sheet, err := layOut(rows)
	if err != nil {
		return err
	}
	if err := png.Encode(w, sheet); err != nil {
		return fmt.Errorf("sheet: %w", err)
	}
	return nil
}

// layOut draws rows of tiles, each as high as its tallest and as wide as its tiles.
func layOut(rows [][]tile) (*image.RGBA, error) {
	painter, err := overlay.New(overlay.Options{})
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	size := image.Pt(0, -gap)
	for _, row := range rows {
		w, h := rowSize(row)
		size = image.Pt(max(size.X, w), size.Y+h+gap)
	}
	sheet := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(sheet, sheet.Rect, image.Black, image.Point{}, draw.Src)
	y := 0
	for _, row := range rows {
		x := 0
		for i := range row {
			pix, err := row[i].paint(painter, i)
			if err != nil {
				return nil, err
			}
			place(sheet, pix, row[i].frame, x, y)
			x += row[i].frame.Width + gap
		}
		_, h := rowSize(row)
		y += h + gap
	}
	return sheet, nil
}

// rowSize is the width of a row's pictures with the gaps between them, and the height of the tallest.
func rowSize(row []tile) (w, h int) {
	w = -gap
	for i := range row {
		w, h = w+row[i].frame.Width+gap, max(h, row[i].frame.Height)
	}
	return w, h
}

// paint is the tile as packed BGR. The colour is by its place in the row.
func (t *tile) paint(p *overlay.Painter, i int) ([]byte, error) {
	object := seg.Object{ID: seg.ID(i + 1), Name: cmp.Or(t.label, "?"), State: seg.Tracking, Mask: t.mask}
	pix, err := p.Over(nil, t.frame, []seg.Object{object})
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	w, h := t.frame.Width, t.frame.Height
	if t.truth != nil {
		for _, c := range outlineOf(t.truth.Resize(w, h)) {
			copy(pix[3*(int(c.y)*w+int(c.x)):][:3], []byte{255, 255, 255})
		}
	}
	dot(pix, w, h, int(t.click.X*float64(w)), int(t.click.Y*float64(h)))
	return pix, nil
}

// dot draws a green dot with a dark rim around a pixel.
func dot(pix []byte, w, h, cx, cy int) {
	for y := max(0, cy-4); y <= min(h-1, cy+4); y++ {
		for x := max(0, cx-4); x <= min(w-1, cx+4); x++ {
			switch d := (x-cx)*(x-cx) + (y-cy)*(y-cy); {
			case d <= 10:
				copy(pix[3*(y*w+x):][:3], []byte{60, 230, 60})
			case d <= 18:
				copy(pix[3*(y*w+x):][:3], []byte{20, 20, 20})
			}
		}
	}
}

// place copies packed BGR of f's size into the sheet at (x, y).
func place(sheet *image.RGBA, pix []byte, f *frame.Frame, x, y int) {
	for j := range f.Height {
		dst := sheet.Pix[sheet.PixOffset(x, y+j):]
		for i := range f.Width {
			s := pix[3*(j*f.Width+i):]
			dst[4*i], dst[4*i+1], dst[4*i+2] = s[2], s[1], s[0]
		}
	}
}
