package overlay

import (
	"image"
	"image/color"
	"math"

	"github.com/segedge/segedge/seg"
)

// column is where a pixel column lies on the field's grid: between cells i and i+1, f/256 of the way.
type column struct {
	i int32
	f uint32
}

// dashLength is the length of a dash and of a gap along either axis, in pixels of a picture 720 high.
const dashLength = 9

// mask paints one mask in one style.
func (p *Painter) mask(c *canvas, m *seg.Mask, s style, color color.RGBA) {
	if m == nil || m.Rect.Empty() || m.W <= 0 || m.H <= 0 {
		return
	}
	sx, sy := float64(c.w)/float64(m.W), float64(c.h)/float64(m.H) // a cell in pixels
	nx, ny := passes(sx), passes(sy)
	p.field.set(m, nx, ny)
	thick := max(0.75, float64(c.h)/720)
	steep := math.Sqrt(slope(nx) / sx * slope(ny) / sy)
	p.lut[0].build(s, color, steep, thick, true)
	dash := 0
	if s.dash {
		p.lut[1].build(s, color, steep, thick, false)
		dash = max(3, int(dashLength*thick))
	}
	p.inside.build(&p.lut[0][255])
	box := p.place(c, sx, sy)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		p.scan(c, y, sy, box, dash)
	}
}

// place finds the pixels that the field covers and the place of each pixel column on its grid.
func (p *Painter) place(c *canvas, sx, sy float64) image.Rectangle {
	f := &p.field
	// Pixel x lies at grid (x+0.5)/s − 0.5 and needs the cells on both sides of it.
	first := func(cell int, s float64) int { return int(math.Ceil((float64(cell)+0.5)*s - 0.5)) }
	box := image.Rect(first(f.x0, sx), first(f.y0, sy), first(f.x0+f.w-1, sx), first(f.y0+f.h-1, sy)).Intersect(c.bounds())
	if cap(p.cols) < box.Dx() {
		p.cols = make([]column, c.w)
	}
	p.cols = p.cols[:box.Dx()]
	for i := range p.cols {
		p.cols[i].i, p.cols[i].f = between(box.Min.X+i, sx, f.x0)
	}
	if cap(p.row) < f.w {
		p.row = make([]uint16, f.w)
	}
	p.row = p.row[:f.w]
	if cap(p.first) < f.w+1 {
		p.first = make([]int32, f.w+1)
	}
	p.first = p.first[:f.w+1]
	x := 0
	for cell := range p.first {
		for x < len(p.cols) && p.cols[x].i < int32(cell) {
			x++
		}
		p.first[cell] = int32(x)
	}
	return box
}

// between is the cell left of (or above) the pixel's centre, counted from origin, and how far on it is, in 256ths.
func between(pixel int, scale float64, origin int) (cell int32, f uint32) {
	v := (float64(pixel)+0.5)/scale - 0.5 - float64(origin)
	i := math.Floor(v)
	return int32(i), uint32((v - i) * 256)
}

// full is a row of the field where the mask is whole.
const full = 255 << 8

// scan paints one row of pixels: nothing where the field is empty, one blend where it is full, which is most of a large
// mask, and the tables only along the edges.
func (p *Painter) scan(c *canvas, y int, sy float64, box image.Rectangle, dash int) {
	j, fy := between(y, sy, p.field.y0)
	if j < 0 || int(j) >= p.field.h-1 {
		return
	}
	row := p.row
	if !mixRows(row, p.field.line(int(j)), p.field.line(int(j)+1), fy) {
		return
	}
	dst := c.row(y)[3*box.Min.X : 3*box.Max.X]
	plain := func(i int) bool { return row[i] == row[i+1] && (row[i] == 0 || row[i] == full) }
	for i := 0; i < len(row)-1; {
		end := i + 1
		if !plain(i) {
			for end < len(row)-1 && !plain(end) {
				end++
			}
			p.edge(dst, int(p.first[i]), int(p.first[end]), box.Min.X+y, dash)
			i = end
			continue
		}
		for end < len(row)-1 && row[end+1] == row[i] {
			end++
		}
		if row[i] == full {
			p.inside.fill(dst[3*p.first[i] : 3*p.first[end]])
		}
		i = end
	}
}

// edge paints the columns from..to by table. Runs of line and gap alternate along both axes, so that an edge of any
// direction is broken.
func (p *Painter) edge(dst []byte, from, to, offset, dash int) {
	if dash == 0 {
		paint(dst[3*from:3*to], p.cols[from:to], p.row, &p.lut[0])
		return
	}
	for x := from; x < to; {
		at := x + offset
		end := min(to, x+dash-at%dash)
		paint(dst[3*x:3*end], p.cols[x:end], p.row, &p.lut[at/dash&1])
		x = end
	}
}

// mixRows blends two rows of the field, f/256 of the second, scaled by 256. It reports whether anything is there.
func mixRows(dst []uint16, a, b []uint8, f uint32) bool {
	var some uint16
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		v := uint16(uint32(a[i])*(256-f) + uint32(b[i])*f)
		dst[i] = v
		some |= v
	}
	return some != 0
}

// paint blends a run of pixels.
func paint(dst []byte, cols []column, row []uint16, t *table) {
	for x, k := range cols {
		if int(k.i)+1 >= len(row) || k.i < 0 {
			continue
		}
		v := (uint32(row[k.i])*(256-k.f) + uint32(row[k.i+1])*k.f) >> 16
		if v == 0 {
			continue
		}
		m := &t[v&255]
		px := dst[3*x : 3*x+3 : 3*x+3]
		px[0] = uint8((uint32(px[0])*m.mul + m.b) >> 8)
		px[1] = uint8((uint32(px[1])*m.mul + m.g) >> 8)
		px[2] = uint8((uint32(px[2])*m.mul + m.r) >> 8)
	}
}
