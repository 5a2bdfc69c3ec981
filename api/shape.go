package api

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/segedge/segedge/seg"
)

func (z *Zone) check() error { return checkShape("zone", z.Name, z.Points, z.Classes, 3, 64) }
func (l *Line) check() error { return checkShape("line", l.Name, l.Points, l.Classes, 2, 2) }

// mostClasses bounds those of a zone or line.
const mostClasses = 32

func checkShape(kind, name string, points [][2]float64, classes []string, least, most int) error {
	if name == "" {
		return fmt.Errorf("a %s needs a name", kind)
	}
	if err := checkText("name", name); err != nil {
		return err
	}
	if len(classes) > mostClasses {
		return fmt.Errorf("a %s of %d classes: there may be %d", kind, len(classes), mostClasses)
	}
	for _, c := range classes {
		if strings.IndexFunc(c, isWordy) < 0 { // there would be nothing to find in a name
			return fmt.Errorf("a class has a letter or a digit in it, such as person, not %q; without classes a %s sees everything", c, kind)
		}
		if err := checkText("classes", c); err != nil {
			return err
		}
	}
	if n := len(points); n != 0 && (n < least || n > most) {
		return fmt.Errorf("a %s has %d to %d points, not %d", kind, least, most, n)
	}
	corners := make([]seg.Point, len(points))
	for i, p := range points {
		if corners[i] = (seg.Point{X: p[0], Y: p[1]}); !corners[i].In01() {
			return fmt.Errorf("%s %q: point %d, %g,%g: %w", kind, name, i, p[0], p[1], seg.ErrOutsidePicture)
		}
	}
	switch n := len(corners); {
	case n == 2 && corners[0] == corners[1]:
		return fmt.Errorf("%s %q begins and ends at one point: nobody could cross it", kind, name)
	case n > 2 && seg.Flat(corners):
		return fmt.Errorf("the points of %s %q lie on one line: there is nothing in it", kind, name)
	}
	return nil
}

func isWordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
