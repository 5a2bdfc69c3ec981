package overlay

import "github.com/segedge/segedge/seg"

// field is a mask made smooth: coverage 0..255 on the mask's own grid, a little wider than the mask's rectangle. Its
// slope at the edge is known, so that coverage tells how far a pixel is from the edge, which is what draws a
// contour of even width whatever the grid.
type field struct {
	data   []uint8
	prev   []uint8
	x0, y0 int // grid cell of data[0]
	w, h   int
}

// passes is how often a grid is smoothed when a cell is scale pixels wide: a fine grid needs more for a ramp that is
// wide enough to draw a line in, a coarse one would lose thin parts.
func passes(scale float64) int {
	switch {
	case scale >= 2:
		return 1
	case scale >= 0.9:
		return 2
	default:
		return 4
	}
}

// slope is the change of coverage per cell across a straight edge after n passes of the kernel [1 2 1]/4: the middle
// binomial coefficient of order 2n.
func slope(n int) float64 {
	switch n {
	case 1:
		return 0.5
	case 2:
		return 0.375
	default:
		return 70.0 / 256
	}
}

// set takes the mask's cells, nx passes wide and ny high. Beyond the picture the outermost cells go on, so that an
// object that leaves the picture has no contour along its border.
func (f *field) set(m *seg.Mask, nx, ny int) {
	f.x0, f.y0 = m.Rect.Min.X-nx-1, m.Rect.Min.Y-ny-1
	f.w, f.h = m.Rect.Dx()+2*nx+2, m.Rect.Dy()+2*ny+2
	if n := f.w * f.h; cap(f.data) < n {
		f.data = make([]uint8, n)
	}
	f.data = f.data[:f.w*f.h]
	for j := range f.h {
		f.fill(f.line(j), m, min(max(f.y0+j, 0), m.H-1))
	}
	for range nx {
		for j := range f.h {
			smoothRow(f.line(j))
		}
	}
	for range ny {
		f.smoothColumns()
	}
}

func (f *field) line(j int) []uint8 { return f.data[j*f.w:][:f.w] }

func (f *field) fill(dst []uint8, m *seg.Mask, y int) {
	clear(dst)
	row := m.Row(y)
	if row == nil {
		return
	}
	at := m.Rect.Min.X - f.x0
	for i, b := range row {
		dst[at+i] = -b // 1 → 255
	}
	if m.Rect.Min.X == 0 {
		for i := range at {
			dst[i] = dst[at]
		}
	}
	if m.Rect.Max.X == m.W {
		for i := at + len(row); i < len(dst); i++ {
			dst[i] = dst[at+len(row)-1]
		}
	}
}

func smoothRow(row []uint8) {
	before := row[0]
	for i := 0; i < len(row)-1; i++ {
		now := row[i]
		row[i] = smooth(before, now, row[i+1])
		before = now
	}
}

func (f *field) smoothColumns() {
	if cap(f.prev) < f.w {
		f.prev = make([]uint8, f.w)
	}
	before := f.prev[:f.w]
	copy(before, f.line(0))
	for j := 0; j < f.h-1; j++ {
		row, next := f.line(j), f.line(j + 1)[:f.w]
		for i, now := range row {
			row[i] = smooth(before[i], now, next[i])
			before[i] = now
		}
	}
}

func smooth(a, b, c uint8) uint8 { return uint8((uint(a) + 2*uint(b) + uint(c) + 2) >> 2) }
