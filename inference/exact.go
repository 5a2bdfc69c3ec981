package inference

import (
	"math"

	"github.com/segedge/segedge/frame"
)

// exact resizes as the published models' own code does, for families whose answers are compared with it.
type exact struct {
	x, y  axis
	wx    []int32 // for pillow, 22 bits
	wy    []int32
	fx    []float32 // for torch
	fy    []float32
	bytes []byte    // the frame at the target's width and its own height
	float []float32 // the same without rounding
	sums  []int32   // of one row of the target
}

func (e *exact) prepare(sw, sh, w, h int, r Resample) {
	if e.x.in == sw && e.x.out == w && e.y.in == sh && e.y.out == h {
		return
	}
	f := triangle()
	if r == Bicubic {
		f = cubic()
	}
	e.x, e.y = newAxis(sw, w, f), newAxis(sh, h, f)
	e.wx, e.wy = e.x.signed(22), e.y.signed(22)
	e.fx, e.fy = e.x.float(), e.y.float()
	e.bytes, e.float = nil, nil
}

func (a *axis) float() []float32 {
	out := make([]float32, len(a.weight))
	for i, w := range a.weight {
		out[i] = float32(w)
	}
	return out
}

// signed is the weights in units of 1/2^bits, rounded away from zero at the half.
func (a *axis) signed(bits int) []int32 {
	out := make([]int32, len(a.weight))
	for i, w := range a.weight {
		out[i] = int32(math.Round(w * float64(int(1)<<bits)))
	}
	return out
}

// byteOf is a sum of 22 bits as a byte (Pillow, clip8).
func byteOf(sum int32) byte { return byte(min(max(sum>>22, 0), 255)) }

// pillow is Pillow's Image.resize of 8-bit images, BILINEAR or BICUBIC: along the rows, rounded to bytes, then down the columns,
// rounded again, with weights of 22 bits (Pillow, Resample.c). dst has the target's size.
func (e *exact) pillow(dst []byte, src *frame.Frame) {
	w := e.x.out
	if e.bytes == nil {
		e.bytes = make([]byte, 3*w*src.Height)
	}
	for y := range src.Height {
		row := src.Pix[y*src.Stride():][:src.Stride()]
		out := e.bytes[3*w*y:][:3*w]
		for x, start := range e.x.start {
			var s [3]int32
			for k, c := range e.wx[x*e.x.taps:][:e.x.taps] {
				p := row[3*(start+k):][:3]
				s[0] += int32(p[0]) * c
				s[1] += int32(p[1]) * c
				s[2] += int32(p[2]) * c
			}
			for c := range s {
				out[3*x+c] = byteOf(s[c] + 1<<21)
			}
		}
	}
	if len(e.sums) != 3*w {
		e.sums = make([]int32, 3*w)
	}
	sums := e.sums
	for y, start := range e.y.start {
		for i := range sums {
			sums[i] = 1 << 21
		}
		for k, c := range e.wy[y*e.y.taps:][:e.y.taps] {
			if c == 0 {
				continue
			}
			for i, v := range e.bytes[3*w*(start+k):][:3*w] {
				sums[i] += int32(v) * c
			}
		}
		out := dst[3*w*y:][:3*w]
		for i, s := range sums {
			out[i] = byteOf(s)
		}
	}
}

// torch is torchvision's resize of a float image with antialias: the same filter, nothing rounded (PyTorch,
// _upsample_bilinear2d_aa). It gives row y of the result, BGR, 0..255, in out.
func (e *exact) torch(src *frame.Frame) {
	w := e.x.out
	if e.float == nil {
		e.float = make([]float32, 3*w*src.Height)
	}
	for y := range src.Height {
		row := src.Pix[y*src.Stride():][:src.Stride()]
		out := e.float[3*w*y:][:3*w]
		for x, start := range e.x.start {
			var s [3]float32
			for k, c := range e.fx[x*e.x.taps:][:e.x.taps] {
				p := row[3*(start+k):][:3]
				s[0] += float32(p[0]) * c
				s[1] += float32(p[1]) * c
				s[2] += float32(p[2]) * c
			}
			copy(out[3*x:], s[:])
		}
	}
}

// torchRow is row y of the result of torch.
func (e *exact) torchRow(y int, out []float32) {
	clear(out)
	start := e.y.start[y]
	for k, c := range e.fy[y*e.y.taps:][:e.y.taps] {
		if c == 0 {
			continue
		}
		for i, v := range e.float[len(out)*(start+k):][:len(out)] {
			out[i] += v * c
		}
	}
}
