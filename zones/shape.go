package zones

import (
	"math"
	"strings"
	"unicode"

	"github.com/segedge/segedge/seg"
)

// zone is a polygon, line a directed line between two points.
type (
	zone struct {
		name    string
		corners []seg.Point
		only    classes
	}
	line struct {
		name     string
		from, to seg.Point
		only     classes
	}
)

func (l *line) points() []seg.Point { return []seg.Point{l.from, l.to} }

// classes are the words of which an object must have one in its name, or in the phrase that it was prompted with; none is all objects.
type classes []string

// are reports whether an object is one of some classes. What its name says is looked up once.
func (v *visitor) are(o *seg.Object, only classes) bool {
	if len(only) == 0 {
		return true
	}
	if v.fits == nil || v.name != o.Name || v.prompt != o.Prompt {
		v.name, v.prompt, v.fits = o.Name, o.Prompt, map[string]bool{}
	}
	for _, class := range only {
		fits, known := v.fits[class]
		if !known {
			fits = says(o.Name, class) || says(o.Prompt, class)
			v.fits[class] = fits
		}
		if fits {
			return true
		}
	}
	return false
}

// says reports whether a class stands in a text as words of its own, in whatever case.
func says(text, class string) bool {
	words := func(s string) string {
		return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), noPartOfAWord), " ") + " "
	}
	return strings.Contains(words(text), words(class)) && strings.TrimSpace(words(class)) != ""
}

func noPartOfAWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
}

// side is where an object was last seen clear of a line.
type side struct {
	left bool
	at   seg.Point
}

func (z *zone) contains(p seg.Point) bool { return Contains(z.corners, p) }

// Contains says whether a point lies in a polygon: it counts how often a ray to the right meets the border (Shimrat, CACM 1962).
func Contains(corners []seg.Point, p seg.Point) bool {
	in := false
	for i, a := range corners {
		b := corners[(i+1)%len(corners)]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < a.X+(p.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

// distance is that of p from the endless line, negative on its left; 0 for a line whose ends are one point.
func (l *line) distance(p seg.Point) float64 {
	dx, dy := l.to.X-l.from.X, l.to.Y-l.from.Y
	n := math.Hypot(dx, dy)
	if n == 0 {
		return 0
	}
	return (dx*(p.Y-l.from.Y) - dy*(p.X-l.from.X)) / n
}

// between says whether the way from a to b meets the line between its ends.
func (l *line) between(a, b seg.Point) bool {
	da, db := l.distance(a), l.distance(b)
	if da == db {
		return false
	}
	k := da / (da - db)
	x, y := a.X+k*(b.X-a.X), a.Y+k*(b.Y-a.Y)
	dx, dy := l.to.X-l.from.X, l.to.Y-l.from.Y
	s := ((x-l.from.X)*dx + (y-l.from.Y)*dy) / (dx*dx + dy*dy)
	return s >= 0 && s <= 1
}
