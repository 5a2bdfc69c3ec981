package seg

import (
	"image"
	"math/rand/v2"
	"strings"
	"testing"
)

// draw makes a mask of rows of '#' and '.', storing the whole grid.
func draw(rows ...string) *Mask {
	m := NewMask(len(rows[0]), len(rows), image.Rect(0, 0, len(rows[0]), len(rows)))
	for y, r := range rows {
		for x, c := range r {
			if c == '#' {
				m.Row(y)[x] = 1
			}
		}
	}
	return m
}

// text is the whole grid as draw reads it.
func text(m *Mask) string {
	var b strings.Builder
	for y := range m.H {
		for x := range m.W {
			b.WriteByte(".#"[m.At(x, y)])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// noise is a mask of random cells, trimmed, with a share of them set.
func noise(r *rand.Rand, w, h int, share float64) *Mask {
	m := NewMask(w, h, image.Rect(0, 0, w, h))
	for i := range m.Bits {
		if r.Float64() < share {
			m.Bits[i] = 1
		}
	}
	return m.Trim()
}

// disc is a filled ellipse around c, normalised.
func disc(w, h int, c Point, rx, ry float64) *Mask {
	m := NewMask(w, h, image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			dx, dy := ((float64(x)+0.5)/float64(w)-c.X)/rx, ((float64(y)+0.5)/float64(h)-c.Y)/ry
			if dx*dx+dy*dy < 1 {
				m.Row(y)[x] = 1
			}
		}
	}
	return m.Trim()
}

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func same(t *testing.T, what string, got, want *Mask) {
	t.Helper()
	if got.W != want.W || got.H != want.H || text(got) != text(want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, text(got), text(want))
	}
	if tight := got.tight(); !got.Rect.Empty() && tight != got.Rect {
		t.Errorf("%s stores %v, its cells need %v", what, got.Rect, tight)
	}
}
