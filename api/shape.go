package api

import (
	"fmt"

	"github.com/segedge/segedge/seg"
)

func (z *Zone) check() error { return checkShape("zone", z.Name, z.Points, 3, 64) }
func (l *Line) check() error { return checkShape("line", l.Name, l.Points, 2, 2) }

func checkShape(kind, name string, points [][2]float64, least, most int) error {
	if name == "" {
		return fmt.Errorf("a %s needs a name", kind)
	}
	if err := checkText("name", name); err != nil {
		return err
	}
	if n := len(points); n != 0 && (n < least || n > most) {
		return fmt.Errorf("a %s has %d to %d points, not %d", kind, least, most, n)
	}
	for i, p := range points {
		if !(seg.Point{X: p[0], Y: p[1]}).In01() {
			return fmt.Errorf("%s %q: point %d lies outside 0..1", kind, name, i)
		}
	}
	return nil
}
