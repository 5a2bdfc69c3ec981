package frame

import (
	"encoding/binary"
	"image"
)

// Shrinker reduces frames to a smaller size by averaging the area under each new pixel, as an antialiased resize
// does. It keeps its weights and its rows between calls, so one size costs no allocation. One goroutine uses it.
type Shrinker struct {
	from, to  [2]int // width, height
	cols      []span
	rows      []span
	even, odd []uint64 // sums of the bytes at even and at odd places of a row, four lanes of 16 bits a word
	part      []byte   // of the source, from its first pixel on, during a call
	stride    int      // of the source
	row       []uint16 // the weighted mean of the rows under one new row, times 256
}

// span is the source cells that one new cell covers: the first, and the weights of each in 1/256, which add up to 256.
type span struct {
	first   int
	weights []uint16
}

// Shrink writes src, reduced to width × height, into dst and copies its Meta apart from the size. A size that is not
// smaller on either side is clamped to the source's, so that an equal size is a plain copy.
func (s *Shrinker) Shrink(dst, src *Frame, width, height int) {
	s.ShrinkPart(dst, src, image.Rect(0, 0, src.Width, src.Height), width, height)
}

// ShrinkPart is Shrink of the part r of src alone, which must lie within it and not be empty.
func (s *Shrinker) ShrinkPart(dst, src *Frame, r image.Rectangle, width, height int) {
	width, height = min(width, r.Dx()), min(height, r.Dy())
	meta := src.Meta
	dst.Resize(width, height)
	meta.Width, meta.Height = width, height
	dst.Meta = meta
	s.part = src.Pix[r.Min.Y*src.Stride()+3*r.Min.X:]
	s.stride = src.Stride()
	if width == r.Dx() && height == r.Dy() {
		for y := range height {
			copy(dst.Pix[y*dst.Stride():][:dst.Stride()], s.part[y*s.stride:])
		}
	} else {
		s.prepare(r.Dx(), r.Dy(), width, height)
		for y, rows := range s.rows {
			s.sumRows(rows)
			s.sumColumns(dst.Pix[y*dst.Stride():][:dst.Stride()])
		}
	}
	s.part = nil
}

func (s *Shrinker) prepare(w, h, nw, nh int) {
	if s.from == [2]int{w, h} && s.to == [2]int{nw, nh} {
		return
	}
	s.from, s.to = [2]int{w, h}, [2]int{nw, nh}
	s.cols, s.rows = spans(w, nw), spans(h, nh)
	words := (3*w + 7) / 8
	s.even, s.odd, s.row = make([]uint64, words), make([]uint64, words), make([]uint16, 8*words)
}

// spans divides n source cells into m new ones, m ≤ n.
func spans(n, m int) []span {
	out := make([]span, m)
	for i := range out {
		a, b := float64(i)*float64(n)/float64(m), float64(i+1)*float64(n)/float64(m)
		first := int(a)
		sp := span{first: first}
		given, covered := 0, 0.0
		for c := first; c < n && float64(c) < b; c++ {
			covered += min(b, float64(c+1)) - max(a, float64(c))
			upTo := int(covered/(b-a)*256 + 0.5) // rounding the running sum, so that the weights add up
			sp.weights = append(sp.weights, uint16(upTo-given))
			given = upTo
		}
		sp.weights[len(sp.weights)-1] += uint16(256 - given)
		out[i] = sp
	}
	return out
}

// lanes selects every other byte of a word, as four lanes of 16 bits. A lane times a weight, summed over weights that add up to
// 256, is at most 255·256 and so never reaches its neighbour.
const lanes = 0x00ff00ff00ff00ff

// sumRows leaves the weighted mean of the source rows under one new row in s.row, eight bytes at a time.
func (s *Shrinker) sumRows(r span) {
	clear(s.even)
	clear(s.odd)
	for k, weight := range r.weights {
		w := uint64(weight)
		line := s.part[(r.first+k)*s.stride:][:3*s.from[0]]
		even, odd := s.even[:len(line)/8], s.odd[:len(line)/8]
		for i := range even {
			v := binary.LittleEndian.Uint64(line[8*i:])
			even[i] += v & lanes * w
			odd[i] += v >> 8 & lanes * w
		}
		if rest := line[len(line)&^7:]; len(rest) > 0 {
			var last [8]byte
			copy(last[:], rest)
			v, i := binary.LittleEndian.Uint64(last[:]), len(s.even)-1
			s.even[i] += v & lanes * w
			s.odd[i] += v >> 8 & lanes * w
		}
	}
	for i, e := range s.even {
		o, row := s.odd[i], s.row[8*i:][:8]
		row[0], row[2], row[4], row[6] = uint16(e), uint16(e>>16), uint16(e>>32), uint16(e>>48)
		row[1], row[3], row[5], row[7] = uint16(o), uint16(o>>16), uint16(o>>32), uint16(o>>48)
	}
}

// sumColumns averages s.row under each new pixel into one new row.
func (s *Shrinker) sumColumns(dst []byte) {
	for x := range s.cols {
		c := &s.cols[x]
		p := s.row[3*c.first:][:3*len(c.weights)]
		b, g, r := uint32(1<<15), uint32(1<<15), uint32(1<<15)
		for i, weight := range c.weights {
			w := uint32(weight)
			b += uint32(p[3*i]) * w
			g += uint32(p[3*i+1]) * w
			r += uint32(p[3*i+2]) * w
		}
		d := dst[3*x:][:3]
		d[0], d[1], d[2] = byte(b>>16), byte(g>>16), byte(r>>16)
	}
}
