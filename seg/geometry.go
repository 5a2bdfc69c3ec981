// Package seg is the vocabulary that every other package speaks: prompts, masks, predictions, objects and
// events. Values only: nothing in it does IO, keeps time or runs a model.
package seg

import "math"

// Point is a place in a frame, normalised: (0,0) is the top-left corner of the picture, (1,1) the bottom-right.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// In01 reports whether the point lies in the picture, edges included; false for NaN.
func (p Point) In01() bool { return p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1 }

// Sub is the vector from q to p.
func (p Point) Sub(q Point) Point { return Point{p.X - q.X, p.Y - q.Y} }

// Flat reports whether points lie on one line, or on one another: a polygon of them has nothing in it.
func Flat(points []Point) bool {
	const nothing = 1e-9
	for i := 2; i < len(points); i++ {
		a := points[i].Sub(points[0])
		for _, p := range points[1:i] {
			if b := p.Sub(points[0]); math.Abs(a.X*b.Y-a.Y*b.X) > nothing {
				return false
			}
		}
	}
	return true
}

// Box is an axis-aligned rectangle in normalised coordinates, X0 ≤ X1 and Y0 ≤ Y1. It is written [x0,y0,x1,y1].
type Box struct{ X0, Y0, X1, Y1 float64 }

// Valid reports whether the box lies in the picture and has an area.
func (b Box) Valid() bool {
	return Point{b.X0, b.Y0}.In01() && Point{b.X1, b.Y1}.In01() && b.X0 < b.X1 && b.Y0 < b.Y1
}

// Empty reports whether the box has no area.
func (b Box) Empty() bool { return b.X0 >= b.X1 || b.Y0 >= b.Y1 }

// Area is a fraction of the frame.
func (b Box) Area() float64 {
	if b.Empty() {
		return 0
	}
	return (b.X1 - b.X0) * (b.Y1 - b.Y0)
}

// Center is the middle of the box.
func (b Box) Center() Point { return Point{(b.X0 + b.X1) / 2, (b.Y0 + b.Y1) / 2} }

// Contains reports whether p lies in the box, edges included.
func (b Box) Contains(p Point) bool { return p.X >= b.X0 && p.X <= b.X1 && p.Y >= b.Y0 && p.Y <= b.Y1 }

// Clip is the part of the box that lies in the picture.
func (b Box) Clip() Box {
	return Box{clamp01(b.X0), clamp01(b.Y0), clamp01(b.X1), clamp01(b.Y1)}
}

// Intersect is the common part of two boxes; it may be empty.
func (b Box) Intersect(c Box) Box {
	return Box{max(b.X0, c.X0), max(b.Y0, c.Y0), min(b.X1, c.X1), min(b.Y1, c.Y1)}
}

// IoU is the intersection over union of two boxes, 0 where both are empty.
func (b Box) IoU(c Box) float64 {
	i := b.Intersect(c).Area()
	if u := b.Area() + c.Area() - i; u > 0 {
		return i / u
	}
	return 0
}

func clamp01(v float64) float64 { return math.Min(1, math.Max(0, v)) }
