package seg

import (
	"image"
	"testing"
)

func TestClean(t *testing.T) {
	m := draw(
		"##....#.",
		"##..####",
		"....#..#",
		"....#.##",
		"#...####")
	same(t, "small holes filled, small islands gone", m.Trim().Clean(5), draw(
		"......##", // the corner is a hole too: nothing joins it to the rest
		"....####",
		"....####",
		"....####",
		"....####"))
	same(t, "nothing is small", m.Clean(1), m)
	same(t, "all are small: the largest stays", draw("#..##.....", "....#.....").Clean(4), draw("...##.....", "....#....."))
	same(t, "empty", (&Mask{W: 3, H: 2}).Clean(9), &Mask{W: 3, H: 2})
}

func TestCleanLeavesBaysAndWhatTouchesTheEdge(t *testing.T) {
	m := draw(
		"#####",
		"#...#",
		"#.###",
		"#.###")
	grown := NewMask(9, 9, image.Rect(2, 0, 7, 4))
	copy(grown.Bits, m.Bits)
	same(t, "a bay is no hole", grown.Clean(30), grown)
}

func TestCleanIsThatOfSegmentAnything(t *testing.T) {
	m := draw(
		"######......",
		"#....#....#.",
		"#.##.#......",
		"#.##.#.###..",
		"#....#.###..",
		"######.###..",
		"............",
		"#...........")
	same(t, "islands of one and four cells gone, the hole too large", m.Clean(5), draw(
		"######......",
		"#....#......",
		"#....#......",
		"#....#.###..",
		"#....#.###..",
		"######.###..",
		"............",
		"............"))
	same(t, "the hole filled, every island but the largest gone", m.Clean(20), draw(
		"######......",
		"######......",
		"######......",
		"######......",
		"######......",
		"######......",
		"............",
		"............"))
	same(t, "the first of the largest stays", draw("##...##").Clean(3), draw("##....."))
	open := draw(
		".####",
		".#.##",
		"..###")
	same(t, "a hole that a corner joins to the rest is none", open.Clean(5), open)
}

func TestLargest(t *testing.T) {
	same(t, "corners join", draw("##..#", "...#.", "#..#.").Largest(), draw("....#", "...#.", "...#."))
	same(t, "the first of equals", draw("#.#").Largest(), draw("#.."))
	one := draw("##", "..")
	if one.Largest() != one {
		t.Error("one part is itself")
	}
}

func TestMinus(t *testing.T) {
	a, b := draw("###.", "###.").Trim(), draw("....", ".###").Trim()
	same(t, "minus", a.Minus(b), draw("###.", "#..."))
	same(t, "minus itself", a.Minus(a), draw("....", "...."))
	same(t, "minus nothing", a.Minus(&Mask{W: 4, H: 2}), a)
	if text(a) != "###.\n###.\n" {
		t.Error("the operand changed")
	}
}

func TestCenterIsTheDeepestCell(t *testing.T) {
	r := seeded()
	for range 200 {
		m := noise(r, 1+r.IntN(14), 1+r.IntN(14), 0.5+r.Float64()/2)
		if m.Rect.Empty() {
			continue
		}
		if got, want := m.Center(), deepestByHand(m); got != want {
			t.Fatalf("%v, want %v in\n%s", got, want, text(m))
		}
	}
	if c := (&Mask{W: 3, H: 3}).Center(); c != (Point{0.5, 0.5}) {
		t.Errorf("an empty mask: %v", c)
	}
	ring := disc(101, 101, Point{0.5, 0.5}, 0.4, 0.4).Minus(disc(101, 101, Point{0.5, 0.5}, 0.2, 0.2))
	if !ring.Contains(ring.Center()) || ring.Contains(ring.Centroid()) {
		t.Error("the centre of a ring lies in it, its centroid does not")
	}
}

// deepestByHand looks for the nearest cell outside of every cell.
func deepestByHand(m *Mask) Point {
	best, at := -1, Point{}
	for y := range m.H {
		for x := range m.W {
			if m.At(x, y) == 0 {
				continue
			}
			nearest := 1 << 30
			for v := -1; v <= m.H; v++ {
				for u := -1; u <= m.W; u++ {
					if d := (u-x)*(u-x) + (v-y)*(v-y); m.At(u, v) == 0 && d < nearest {
						nearest = d
					}
				}
			}
			if nearest > best {
				best, at = nearest, Point{(float64(x) + 0.5) / float64(m.W), (float64(y) + 0.5) / float64(m.H)}
			}
		}
	}
	return at
}

func BenchmarkCenter(b *testing.B) {
	m := disc(854, 480, Point{0.5, 0.5}, 0.4, 0.45)
	for b.Loop() {
		m.Center()
	}
}

func TestPieceUnderAPoint(t *testing.T) {
	m := NewMask(10, 4, image.Rect(0, 0, 10, 4))
	for _, c := range [][2]int{{0, 0}, {1, 0}, {1, 1}, {5, 2}, {6, 3}, {7, 3}, {8, 3}} {
		m.Row(c[1])[c[0]] = 1
	}
	for _, c := range []struct {
		at   Point
		want image.Rectangle
	}{{Point{X: 0.05, Y: 0.1}, image.Rect(0, 0, 2, 2)}, {Point{X: 0.65, Y: 0.9}, image.Rect(5, 2, 9, 4)}, {Point{X: 0.95, Y: 0.1}, image.Rect(5, 2, 9, 4)}} {
		if got := m.Piece(c.at); got.Rect != c.want {
			t.Errorf("%v: %v, want %v", c.at, got.Rect, c.want)
		}
	}
	if e := (&Mask{W: 4, H: 4}).Piece(Point{}); !e.Rect.Empty() {
		t.Error("of nothing")
	}
}
