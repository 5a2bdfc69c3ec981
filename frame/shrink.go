package frame

// Shrinker reduces frames to a smaller size by averaging the area under each new pixel, as an antialiased resize
// does. It keeps its weights and its row between calls, so one size costs no allocation. One goroutine uses it.
type Shrinker struct {
	from, to [2]int // width, height
	cols     []span
	rows     []span
	row      []uint32
}

// span is the source cells that one new cell covers: the first, how many, and the weights of the first and last in
// 1/256 (those between weigh 256); norm is 2^24 over the weights' sum.
type span struct {
	first, n    int
	head, tail  uint32
	reciprocals uint32
}

// Shrink writes src, reduced to width × height, into dst and copies its Meta apart from the size. A size that is not
// smaller on either side is clamped to the source's, so that an equal size is a plain copy.
func (s *Shrinker) Shrink(dst, src *Frame, width, height int) {
	width, height = min(width, src.Width), min(height, src.Height)
	meta := src.Meta
	dst.Resize(width, height)
	meta.Width, meta.Height = width, height
	dst.Meta = meta
	if width == src.Width && height == src.Height {
		copy(dst.Pix, src.Pix)
		return
	}
	s.prepare(src.Width, src.Height, width, height)
	for y, r := range s.rows {
		s.sumRows(src, r)
		s.sumColumns(dst.Pix[y*dst.Stride():][:dst.Stride()])
	}
}

func (s *Shrinker) prepare(w, h, nw, nh int) {
	if s.from == [2]int{w, h} && s.to == [2]int{nw, nh} {
		return
	}
	s.from, s.to = [2]int{w, h}, [2]int{nw, nh}
	s.cols, s.rows = spans(w, nw), spans(h, nh)
	s.row = make([]uint32, 3*w)
}

// spans divides n source cells into m new ones, m ≤ n, in steps of 1/256 of a cell.
func spans(n, m int) []span {
	out := make([]span, m)
	for i := range out {
		a, b := i*n*256/m, (i+1)*n*256/m
		first, last := a>>8, (b-1)>>8
		sp := span{first: first, n: last - first + 1, head: uint32(256 - a&255), tail: uint32(b - last<<8)}
		if sp.n == 1 {
			sp.head, sp.tail = uint32(b-a), 0
		}
		sp.reciprocals = uint32((1<<24 + (b-a)/2) / (b - a))
		out[i] = sp
	}
	return out
}

// sumRows leaves the average of the source rows under one new row, times 256, in s.row.
func (s *Shrinker) sumRows(src *Frame, r span) {
	stride := src.Stride()
	row := s.row[:stride]
	line := src.Pix[r.first*stride:][:len(row)]
	for i, v := range line {
		row[i] = uint32(v) * r.head
	}
	for k := 1; k < r.n-1; k++ {
		line = src.Pix[(r.first+k)*stride:][:len(row)]
		for i, v := range line {
			row[i] += uint32(v) << 8
		}
	}
	if r.n > 1 {
		line = src.Pix[(r.first+r.n-1)*stride:][:len(row)]
		for i, v := range line {
			row[i] += uint32(v) * r.tail
		}
	}
	for i, v := range row {
		row[i] = uint32(uint64(v) * uint64(r.reciprocals) >> 16)
	}
}

// sumColumns averages s.row under each new pixel into one new row.
func (s *Shrinker) sumColumns(dst []byte) {
	for x, c := range s.cols {
		p := s.row[3*c.first:][: 3*c.n : 3*c.n]
		b, g, r := uint64(p[0])*uint64(c.head), uint64(p[1])*uint64(c.head), uint64(p[2])*uint64(c.head)
		i := 3
		for ; i < len(p)-3; i += 3 {
			b += uint64(p[i]) << 8
			g += uint64(p[i+1]) << 8
			r += uint64(p[i+2]) << 8
		}
		if c.n > 1 {
			b += uint64(p[i]) * uint64(c.tail)
			g += uint64(p[i+1]) * uint64(c.tail)
			r += uint64(p[i+2]) * uint64(c.tail)
		}
		k := uint64(c.reciprocals)
		d := dst[3*x:][:3]
		d[0], d[1], d[2] = round(b*k), round(g*k), round(r*k)
	}
}

// round turns a value in 1/2^32 into a byte.
func round(v uint64) byte { return byte(min((v+1<<31)>>32, 255)) }
