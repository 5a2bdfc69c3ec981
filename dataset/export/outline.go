package export

import (
	"image"
	"slices"

	"github.com/segedge/segedge/seg"
)

// outlines are closed polygons in pixels, one a part of the mask, whose even-odd filling is the mask: a hole is joined to the ring around
// it by a slit of no width, walked there and back, since the forms that take polygons know no holes. epsilon is how far, in pixels, an
// outline may stray.
func outlines(m *seg.Mask, epsilon float64) [][]seg.Point {
	var outer, holes [][]seg.Point
	for _, ring := range m.Polygons(epsilon) {
		for i := range ring {
			ring[i].X, ring[i].Y = ring[i].X*float64(m.W), ring[i].Y*float64(m.H)
		}
		if turns(ring) > 0 {
			outer = append(outer, ring)
		} else {
			holes = append(holes, ring)
		}
	}
	if len(outer) == 0 {
		return boxes(m)
	}
	for _, h := range holes {
		i := around(outer, h[0])
		outer[i] = joined(outer[i], h)
	}
	return outer
}

// boxes is the tight box of a mask whose every ring was simplified away.
func boxes(m *seg.Mask) [][]seg.Point {
	r := m.Trim().Rect
	if r.Empty() {
		return nil
	}
	return [][]seg.Point{corners(r)}
}

func corners(r image.Rectangle) []seg.Point {
	x0, y0, x1, y1 := float64(r.Min.X), float64(r.Min.Y), float64(r.Max.X), float64(r.Max.Y)
	return []seg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}

// outline is one closed polygon for the whole mask, its parts joined like holes.
func outline(m *seg.Mask, epsilon float64) []seg.Point {
	all := outlines(m, epsilon)
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b []seg.Point) int { return len(b) - len(a) })
	out := all[0]
	for _, part := range all[1:] {
		out = joined(out, part)
	}
	return out
}

// turns is twice the area of a ring, positive where it runs clockwise on the screen, as outer rings do.
func turns(ring []seg.Point) (sum float64) {
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += p.X*q.Y - q.X*p.Y
	}
	return sum
}

// around is the smallest outer ring that a hole's corner lies in, or on.
func around(outer [][]seg.Point, p seg.Point) int {
	best, area := 0, 0.0
	for i, ring := range outer {
		if a := turns(ring); inside(ring, p) && (area == 0 || a < area) {
			best, area = i, a
		}
	}
	return best
}

// inside is the even-odd rule, a little right of and below a corner of the grid, which is never on an edge itself.
func inside(ring []seg.Point, p seg.Point) (in bool) {
	x, y := p.X-0.25, p.Y-0.25 // a hole begins at its upper left corner: what is up and left of that is its outer's
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a.Y > y) != (b.Y > y) && x < a.X+(y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

// joined is a ring with another spliced in at the corners where they are nearest.
func joined(ring, other []seg.Point) []seg.Point {
	at, from, least := 0, 0, -1.0
	for i, p := range ring {
		for j, q := range other {
			if d := (p.X-q.X)*(p.X-q.X) + (p.Y-q.Y)*(p.Y-q.Y); least < 0 || d < least {
				at, from, least = i, j, d
			}
		}
	}
	out := slices.Clone(ring[:at+1])
	out = append(out, other[from:]...)
	out = append(out, other[:from+1]...)
	return append(out, ring[at:]...)
}

// flat are the numbers of a polygon, x and y in turn.
func flat(ring []seg.Point) []float64 {
	out := make([]float64, 0, 2*len(ring))
	for _, p := range ring {
		out = append(out, p.X, p.Y)
	}
	return out
}
