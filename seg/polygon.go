package seg

import "math"

// Polygons are the outlines of the mask along the edges of its cells, normalised: an outer ring runs clockwise on the
// screen, a hole counter-clockwise, so that both the even-odd and the non-zero rule fill the mask. Cells that touch only at
// a corner belong to different rings. epsilon, in cells, is how far a simplified ring may stray from the exact one
// (Douglas and Peucker 1973); at 0 the rings are exact, and at 1 the stairs of a slanted edge are gone. A ring that
// shrinks to fewer than three corners is left out. Rings come in scan order of their topmost cells.
func (m *Mask) Polygons(epsilon float64) [][]Point {
	if m.Rect.Empty() {
		return nil
	}
	t := tracer{m: m, seen: make([]bool, len(m.Bits))}
	var rings [][]Point
	for i, b := range m.Bits {
		x, y := m.Rect.Min.X+i%m.Rect.Dx(), m.Rect.Min.Y+i/m.Rect.Dx()
		if b == 0 || t.seen[i] || m.At(x, y-1) != 0 {
			continue
		}
		ring := simplify(t.trace(x, y), epsilon)
		if len(ring) < 3 {
			continue
		}
		for k := range ring {
			ring[k] = Point{ring[k].X / float64(m.W), ring[k].Y / float64(m.H)}
		}
		rings = append(rings, ring)
	}
	return rings
}

// tracer walks along the edges between set and unset cells, the set cell on its right.
type tracer struct {
	m    *Mask
	seen []bool // cells whose upper edge has been walked; every ring has at least one
}

// Directions of a step, in the order of right turns on the screen.
const (
	east = iota
	south
	west
	north
)

// trace follows the ring that begins with the upper edge of cell (x, y) and gives its corners, in cells.
func (t *tracer) trace(x, y int) []Point {
	var ring []Point
	startX, startY, dir := x, y, east
	for {
		if dir == east {
			t.seen[(y-t.m.Rect.Min.Y)*t.m.Rect.Dx()+x-t.m.Rect.Min.X] = true
		}
		switch dir {
		case east:
			x++
		case south:
			y++
		case west:
			x--
		default:
			y--
		}
		next := t.turn(x, y, dir)
		if next != dir {
			ring = append(ring, Point{float64(x), float64(y)})
		}
		if dir = next; x == startX && y == startY && dir == east {
			return ring
		}
	}
}

// turn is where a ring goes on from corner (x, y): to the right if it can, so that it hugs its own cell where two cells
// touch at the corner.
func (t *tracer) turn(x, y, dir int) int {
	nw, ne, sw, se := t.m.At(x-1, y-1), t.m.At(x, y-1), t.m.At(x-1, y), t.m.At(x, y)
	open := [4]bool{se > ne, sw > se, nw > sw, ne > nw}
	for _, d := range [3]int{(dir + 1) % 4, dir, (dir + 3) % 4} {
		if open[d] {
			return d
		}
	}
	return (dir + 2) % 4 // cannot be: an edge that enters a corner leaves it
}

// simplify drops corners of a closed ring that lie within epsilon of the line between those kept. The two kept first
// are far apart, so that the result does not depend on where the ring was entered.
func simplify(ring []Point, epsilon float64) []Point {
	if epsilon <= 0 || len(ring) < 4 {
		return ring
	}
	keep := make([]bool, len(ring)+1)
	a := farthest(ring, ring[0])
	b := farthest(ring, ring[a])
	if a > b {
		a, b = b, a
	}
	closed := append(append(make([]Point, 0, len(ring)+1), ring[a:]...), ring[:a+1]...)
	keep[0], keep[b-a], keep[len(ring)] = true, true, true
	for todo := [][2]int{{0, b - a}, {b - a, len(ring)}}; len(todo) > 0; {
		lo, hi := todo[len(todo)-1][0], todo[len(todo)-1][1]
		todo = todo[:len(todo)-1]
		at, worst := 0, epsilon
		for i := lo + 1; i < hi; i++ {
			if d := distance(closed[i], closed[lo], closed[hi]); d > worst {
				at, worst = i, d
			}
		}
		if at > 0 {
			keep[at] = true
			todo = append(todo, [2]int{lo, at}, [2]int{at, hi})
		}
	}
	out := closed[:0]
	for i, p := range closed[:len(ring)] {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out
}

func farthest(ring []Point, from Point) int {
	at, worst := 0, -1.0
	for i, p := range ring {
		if d := p.Sub(from); d.X*d.X+d.Y*d.Y > worst {
			at, worst = i, d.X*d.X+d.Y*d.Y
		}
	}
	return at
}

// distance is how far p lies from the segment a–b.
func distance(p, a, b Point) float64 {
	d, v := b.Sub(a), p.Sub(a)
	if n := d.X*d.X + d.Y*d.Y; n > 0 {
		t := clamp01((v.X*d.X + v.Y*d.Y) / n)
		v = v.Sub(Point{d.X * t, d.Y * t})
	}
	return math.Hypot(v.X, v.Y)
}
