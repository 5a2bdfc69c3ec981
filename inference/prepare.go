package inference

import "github.com/segedge/segedge/frame"

// lut maps a byte of each channel, RGB, to the model's input value.
type lut [3][256]float32

func (r *ImageRule) table() *lut {
	t := &lut{}
	for c := range t {
		std := r.Std[c]
		if std == 0 {
			std = 1
		}
		for v := range t[c] {
			t[c][v] = (float32(v) - r.Mean[c]) / std
		}
	}
	return t
}

// scratch is the memory of one Embed: the input tensor and what resizing needs. Kept for the next frame.
type scratch struct {
	input   []float32
	padded  geometry // whose padding input holds
	fast    Resizer
	exact   exact
	bytes   []byte
	line    []float32
	tensors [1]Tensor
	shape   [4]int64
}

// fill writes the frame into the input tensor as the rule says, in one pass where the picture has its size already.
func (s *scratch) fill(r *ImageRule, t *lut, g geometry, f *frame.Frame) *Tensor {
	if n := 3 * g.tw * g.th; cap(s.input) < n {
		s.input = make([]float32, n)
	} else {
		s.input = s.input[:n]
	}
	if s.padded != g {
		s.pad(r, g)
		s.padded = g
	}
	put := s.planar
	if r.Rank == 3 {
		put = s.packed
	}
	switch {
	case g.sw == f.Width && g.sh == f.Height:
		for y := range g.sh {
			put(t, g, y, f.Pix[y*f.Stride():][:f.Stride()])
		}
	case r.Resample == Torch:
		s.fillFloat(r, g, f)
	case r.Resample == Fast:
		s.fast.prepare(f.Width, f.Height, g.sw, g.sh)
		row := s.room(3 * g.sw)
		for y := range g.sh {
			s.fast.line(f, y, row)
			put(t, g, y, row)
		}
	default:
		s.exact.prepare(f.Width, f.Height, g.sw, g.sh, r.Resample)
		all := s.room(3 * g.sw * g.sh)
		s.exact.pillow(all, f)
		for y := range g.sh {
			put(t, g, y, all[3*g.sw*y:][:3*g.sw])
		}
	}
	return s.tensor(r, g)
}

func (s *scratch) room(n int) []byte {
	if cap(s.bytes) < n {
		s.bytes = make([]byte, n)
	}
	return s.bytes[:n]
}

func (s *scratch) tensor(r *ImageRule, g geometry) *Tensor {
	t := &s.tensors[0]
	t.Name, t.Float32 = r.Input, s.input
	if r.Rank == 3 {
		s.shape = [4]int64{int64(g.th), int64(g.tw), 3}
		t.Shape = s.shape[:3]
		return t
	}
	s.shape = [4]int64{1, 3, int64(g.th), int64(g.tw)}
	t.Shape = s.shape[:]
	return t
}

// pad fills the tensor with the padding value; the picture is written over it, so this happens once a size.
func (s *scratch) pad(r *ImageRule, g geometry) {
	n := g.tw * g.th
	for c := range 3 {
		for i := range n {
			if r.Rank == 3 {
				s.input[3*i+c] = r.Pad[c]
			} else {
				s.input[c*n+i] = r.Pad[c]
			}
		}
	}
}

// planar writes a row of BGR bytes into the three planes.
func (s *scratch) planar(t *lut, g geometry, y int, row []byte) {
	n, w := g.tw*g.th, g.sw
	red, green, blue := s.input[y*g.tw:][:w], s.input[n+y*g.tw:][:w], s.input[2*n+y*g.tw:][:w]
	row = row[:3*w]
	for x := range red {
		p := row[3*x : 3*x+3]
		red[x], green[x], blue[x] = t[0][p[2]], t[1][p[1]], t[2][p[0]]
	}
}

// packed writes a row of BGR bytes as RGB.
func (s *scratch) packed(t *lut, g geometry, y int, row []byte) {
	out := s.input[3*y*g.tw:][:3*g.sw]
	for x := 0; x < len(out); x += 3 {
		out[x], out[x+1], out[x+2] = t[0][row[x+2]], t[1][row[x+1]], t[2][row[x]]
	}
}

// fillFloat resizes without rounding and normalises the result: SAM 2's transforms.
func (s *scratch) fillFloat(r *ImageRule, g geometry, f *frame.Frame) {
	s.exact.prepare(f.Width, f.Height, g.sw, g.sh, r.Resample)
	s.exact.torch(f)
	if cap(s.line) < 3*g.sw {
		s.line = make([]float32, 3*g.sw)
	}
	line, n := s.line[:3*g.sw], g.tw*g.th
	for y := range g.sh {
		s.exact.torchRow(y, line)
		for c := range 3 {
			out, mean, std := s.input[c*n+y*g.tw:][:g.sw], r.Mean[c], r.Std[c]
			for x := range out {
				out[x] = (line[3*x+2-c] - mean) / std
			}
		}
	}
}
