package eval

import (
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

// thumbnail is a copy of a picture that fits into a tile.
func thumbnail(f *frame.Frame) *frame.Frame {
	k := min(1, float64(tileW)/float64(f.Width), float64(tileH)/float64(f.Height))
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
	painter, err := overlay.New(overlay.Options{})
	if err != nil {
		return err
	}
	var rows [][]example
	for _, list := range [2][]example{r.worst, r.best} {
		rows = append(rows, slices.Collect(slices.Chunk(list, tilesAcross))...)
	}
	height := 0
	for _, row := range rows {
		height += rowHeight(row)
	}
	sheet := image.NewRGBA(image.Rect(0, 0, tilesAcross*(tileW+gap)-gap, height-gap))
	draw.Draw(sheet, sheet.Rect, image.Black, image.Point{}, draw.Src)
	y := 0
	for _, row := range rows {
		for i := range row {
			pix, err := row[i].paint(painter, i)
			if err != nil {
				return err
			}
			place(sheet, pix, row[i].frame, i*(tileW+gap), y)
		}
		y += rowHeight(row)
	}
	if err := png.Encode(w, sheet); err != nil {
		return fmt.Errorf("sheet: %w", err)
	}
	return nil
}

// rowHeight is the height of the tallest picture of a row, and the gap below it.
func rowHeight(row []example) int {
	h := 0
	for i := range row {
		h = max(h, row[i].frame.Height)
	}
	return h + gap
}

// paint is the case as packed BGR.
func (e *example) paint(p *overlay.Painter, i int) ([]byte, error) {
	object := seg.Object{ID: seg.ID(i + 1), Name: fmt.Sprintf("%.2f", e.iou), State: seg.Tracking, Mask: e.mask}
	pix, err := p.Over(nil, e.frame, []seg.Object{object})
	if err != nil {
		return nil, fmt.Errorf("sheet: %w", err)
	}
	w, h := e.frame.Width, e.frame.Height
	for _, c := range outlineOf(e.truth.Resize(w, h)) {
		copy(pix[3*(int(c.y)*w+int(c.x)):][:3], []byte{255, 255, 255})
	}
	cx, cy := int(e.click.X*float64(w)), int(e.click.Y*float64(h))
	for y := max(0, cy-3); y <= min(h-1, cy+3); y++ {
		for x := max(0, cx-3); x <= min(w-1, cx+3); x++ {
			if (x-cx)*(x-cx)+(y-cy)*(y-cy) <= 10 {
				copy(pix[3*(y*w+x):][:3], []byte{60, 230, 60})
			}
		}
	}
	return pix, nil
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
