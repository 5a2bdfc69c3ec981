package inference

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/segedge/segedge/frame"
)

// axis holds the weights of a filter that maps in samples to out, widened by the scale when reducing, so that nothing aliases. With the
// triangle this is what Pillow and torchvision call bilinear with antialias.
type axis struct {
	in, out int
	taps    int // per output sample, unused ones have weight 0
	start   []int
	weight  []float64 // out × taps, each row adds up to 1
}

// filter is the value of a resampling filter at x, and how far it reaches.
type filter struct {
	at     func(x float64) float64
	radius float64
}

func triangle() filter {
	return filter{func(x float64) float64 { return math.Max(0, 1-math.Abs(x)) }, 1}
}

// cubic is Keys's, with a = −0.5 (Pillow, bicubic_filter).
func cubic() filter {
	return filter{func(x float64) float64 {
		switch x = math.Abs(x); {
		case x < 1:
			return (1.5*x-2.5)*x*x + 1
		case x < 2:
			return ((-0.5*x+2.5)*x-4)*x + 2
		}
		return 0
	}, 2}
}

func newAxis(in, out int, f filter) axis {
	scale := float64(in) / float64(out)
	wide := math.Max(scale, 1)
	support := f.radius * wide
	a := axis{in: in, out: out, taps: min(int(math.Ceil(support))*2+1, in), start: make([]int, out)}
	a.weight = make([]float64, out*a.taps)
	for i := range out {
		center := (float64(i) + 0.5) * scale
		a.start[i] = min(max(int(center-support+0.5), 0), in-a.taps)
		row, sum := a.weight[i*a.taps:][:a.taps], 0.0
		for k := range row {
			row[k] = f.at((float64(a.start[i]+k) - center + 0.5) / wide)
			sum += row[k]
		}
		for k := range row {
			row[k] /= sum
		}
	}
	return a
}

// fixed is the weights in units of 1/2^bits.
func (a *axis) fixed(bits int) []uint32 {
	out := make([]uint32, len(a.weight))
	for i, w := range a.weight {
		out[i] = uint32(w*float64(int(1)<<bits) + 0.5)
	}
	return out
}

// level makes the weights of each row add up to exactly 1: the rounding error goes to the largest.
func (a *axis) level(weights []uint32, bits int) []uint32 {
	for i := 0; i < len(weights); i += a.taps {
		sum, largest := uint32(0), i
		for k := i; k < i+a.taps; k++ {
			sum += weights[k]
			if weights[k] > weights[largest] {
				largest = k
			}
		}
		weights[largest] += 1<<bits - sum
	}
	return weights
}

// Resizer reduces (or enlarges) frames from one size to another, with a triangle filter in 8-bit weights: at most one
// grey level from the exact result, at a quarter of its cost. The zero value is ready; a change of size rebuilds its
// tables, else it allocates nothing. One goroutine uses it.
type Resizer struct {
	x, y   axis
	wx, wy []uint32
	even   []uint64 // sums of every second byte of a row of the source, four to a word
	odd    []uint64
	row    []byte // one row at the source's width and the target's height, with room to read past its end
}

// Resize writes src at dst's size, which the caller has set.
func (r *Resizer) Resize(dst, src *frame.Frame) {
	if dst.Width == src.Width && dst.Height == src.Height {
		copy(dst.Pix, src.Pix)
		return
	}
	r.prepare(src.Width, src.Height, dst.Width, dst.Height)
	for y := range dst.Height {
		r.line(src, y, dst.Pix[y*dst.Stride():][:dst.Stride()])
	}
}

func (r *Resizer) prepare(sw, sh, w, h int) {
	if w <= 0 || h <= 0 {
		panic(fmt.Sprintf("inference: resize to %dx%d", w, h))
	}
	if r.x.in == sw && r.x.out == w && r.y.in == sh && r.y.out == h {
		return
	}
	r.x, r.y = newAxis(sw, w, triangle()), newAxis(sh, h, triangle())
	r.wx, r.wy = r.x.level(r.x.fixed(8), 8), r.y.level(r.y.fixed(8), 8)
	words := (3*sw + 7) / 8
	r.even, r.odd = make([]uint64, words), make([]uint64, words)
	r.row = make([]byte, 8*words+8)
}

// line computes row y of the result: down the columns first, eight bytes at a time, then along the row.
func (r *Resizer) line(src *frame.Frame, y int, dst []byte) {
	clear(r.even)
	clear(r.odd)
	for k := range r.y.taps {
		if w := r.wy[y*r.y.taps+k]; w != 0 {
			i := (r.y.start[y] + k) * src.Stride()
			r.addRow(src.Pix[i:i+src.Stride()], uint64(w))
		}
	}
	const low, half = 0x00ff00ff00ff00ff, 0x0080008000800080
	for i, e := range r.even {
		binary.LittleEndian.PutUint64(r.row[8*i:], (e+half)>>8&low|(r.odd[i]+half)&^low)
	}
	r.along(dst)
}

// addRow adds w times the row to the sums. Weights of a row add up to 256, so no 16-bit sum overflows.
func (r *Resizer) addRow(row []byte, w uint64) {
	const low = 0x00ff00ff00ff00ff
	n := len(row) / 8
	even, odd := r.even[:n], r.odd[:n]
	for i := range even {
		v := binary.LittleEndian.Uint64(row[8*i : 8*i+8])
		even[i] += v & low * w
		odd[i] += v >> 8 & low * w
	}
	if 8*n < len(row) {
		var tail [8]byte
		copy(tail[:], row[8*n:])
		v := binary.LittleEndian.Uint64(tail[:])
		r.even[n] += v & low * w
		r.odd[n] += v >> 8 & low * w
	}
}

// along reduces r.row to dst, three channels in two sums.
func (r *Resizer) along(dst []byte) {
	taps := r.x.taps
	for x, start := range r.x.start {
		px := r.row[3*start:][:3*taps+1]
		w := r.wx[x*taps:][:taps]
		var br, g uint32
		for k, w := range w {
			v := binary.LittleEndian.Uint32(px[3*k : 3*k+4])
			br += v & 0xff00ff * w
			g += v >> 8 & 0xff * w
		}
		br, g = br+0x800080, g+0x80
		d := dst[3*x : 3*x+3]
		d[0], d[1], d[2] = byte(br>>8), byte(g>>8), byte(br>>24)
	}
}
