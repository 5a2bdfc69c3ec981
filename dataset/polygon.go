package dataset

import (
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/frame/picture"
	"github.com/segedge/segedge/seg"
)

// maxSide bounds the grid on which polygons are painted.
const maxSide = 1 << 15

// fillPolygons paints the union of polygons, each given as x and y in turn.
func fillPolygons(polygons [][]float64, w, h int) (*seg.Mask, error) {
	if w < 1 || h < 1 || w > maxSide || h > picture.MaxPixels/w {
		return nil, fmt.Errorf("polygons on a grid of %dx%d", w, h)
	}
	m := seg.NewMask(w, h, image.Rect(0, 0, w, h))
	var cuts []float64
	for _, p := range polygons {
		if len(p)%2 != 0 {
			return nil, fmt.Errorf("a polygon of %d numbers: x and y in turn are expected", len(p))
		}
		for y := range h {
			cuts = crossings(p, float64(y)+0.5, cuts[:0])
			row := m.Row(y)
			for i := 0; i+1 < len(cuts); i += 2 {
				from, to := max(0, ceil(cuts[i]-0.5, w)), min(w, ceil(cuts[i+1]-0.5, w))
				for x := from; x < to; x++ {
					row[x] = 1
				}
			}
		}
	}
	return m.Trim(), nil
}

// crossings are the places where the polygon's outline meets the line at height y, sorted.
func crossings(p []float64, y float64, out []float64) []float64 {
	for i := 0; i+1 < len(p); i += 2 {
		j := (i + 2) % len(p)
		x0, y0, x1, y1 := p[i], p[i+1], p[j], p[j+1]
		if (y0 > y) != (y1 > y) {
			out = append(out, x0+(y-y0)/(y1-y0)*(x1-x0))
		}
	}
	slices.Sort(out)
	return out
}

// ceil is v rounded up, held within 0..limit before it becomes an int.
func ceil(v float64, limit int) int { return int(math.Ceil(min(max(v, 0), float64(limit)))) }
