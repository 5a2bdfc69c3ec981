package tracker_test

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker"
)

// scene is a picture with exact truth: textured discs over a textured ground, each moved by a function of the frame number.
type scene struct {
	w, h   int
	ground texture
	pan    func(n int) (x, y float64)
	discs  []disc // later ones lie in front
}

type disc struct {
	tex  texture
	r    float64
	at   func(n int) (x, y float64) // pixels
	look [3]float64                 // colour
}

// texture is a sum of waves, defined everywhere.
type texture [5][4]float64

func newTexture(seed uint64) (t texture) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range t {
		f, a := 0.05+0.6*r.Float64(), 2*math.Pi*r.Float64()
		t[i] = [4]float64{f * math.Cos(a), f * math.Sin(a), 2 * math.Pi * r.Float64(), 14 / (0.3 + 2*f)}
	}
	return t
}

// fill writes the texture's values at the whole places of r, seen from (ox, oy), row by row. A wave is a product of what its column and its
// row have, so that no pixel needs a sine.
func (t *texture) fill(dst []float64, r image.Rectangle, ox, oy float64) []float64 {
	dst = slices.Grow(dst[:0], r.Dx()*r.Dy())[:r.Dx()*r.Dy()]
	clear(dst)
	type wave struct{ sin, cos float64 }
	cols := make([]wave, r.Dx())
	for _, w := range t {
		for i := range cols {
			sin, cos := math.Sincos(w[0] * (float64(r.Min.X+i) - ox))
			cols[i] = wave{w[3] * sin, w[3] * cos}
		}
		for j := range r.Dy() {
			sin, cos := math.Sincos(w[1]*(float64(r.Min.Y+j)-oy) + w[2])
			for i, c := range cols {
				dst[j*len(cols)+i] += c.sin*cos + c.cos*sin
			}
		}
	}
	return dst
}

// bounds is a rectangle of the picture that holds a disc at (cx, cy).
func (s *scene) bounds(d *disc, cx, cy float64) image.Rectangle {
	r := image.Rect(int(math.Floor(cx-d.r)), int(math.Floor(cy-d.r)), int(math.Ceil(cx+d.r))+1, int(math.Ceil(cy+d.r))+1)
	return r.Intersect(image.Rect(0, 0, s.w, s.h))
}

// render draws frame n, whose sequence number is n+1.
func (s *scene) render(n int) *frame.Frame {
	f := frame.New(s.w, s.h)
	f.Seq = uint64(n + 1)
	px, py := 0.0, 0.0
	if s.pan != nil {
		px, py = s.pan(n)
	}
	paint := func(x, y int, look [3]float64, v float64) {
		p := f.Pix[y*f.Stride()+3*x:][:3]
		for c := range p {
			p[c] = byte(min(max(look[c]+v, 0), 255))
		}
	}
	all := image.Rect(0, 0, s.w, s.h)
	values := s.ground.fill(nil, all, px, py)
	for i, v := range values {
		paint(i%s.w, i/s.w, [3]float64{90, 110, 100}, v)
	}
	for i := range s.discs {
		d := &s.discs[i]
		cx, cy := d.at(n)
		r := s.bounds(d, cx, cy)
		values = d.tex.fill(values, r, cx, cy)
		for k, v := range values {
			x, y := r.Min.X+k%r.Dx(), r.Min.Y+k/r.Dx()
			if dx, dy := float64(x)-cx, float64(y)-cy; dx*dx+dy*dy < d.r*d.r {
				paint(x, y, d.look, v)
			}
		}
	}
	return f
}

// truth is the visible part of disc i in frame n on the frame's own grid.
func (s *scene) truth(i, n int) *seg.Mask {
	cx, cy := s.discs[i].at(n)
	m := seg.NewMask(s.w, s.h, s.bounds(&s.discs[i], cx, cy))
	for j := i; j < len(s.discs); j++ { // those behind it hide nothing of it
		d := &s.discs[j]
		cx, cy := d.at(n)
		r := s.bounds(d, cx, cy).Intersect(m.Rect)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			row := m.Row(y)
			for x := r.Min.X; x < r.Max.X; x++ {
				if dx, dy := float64(x)-cx, float64(y)-cy; dx*dx+dy*dy < d.r*d.r {
					row[x-m.Rect.Min.X] = 0
					if j == i {
						row[x-m.Rect.Min.X] = 1
					}
				}
			}
		}
	}
	return m.Trim()
}

// answer is what a perfect model says about disc i in frame n.
func (s *scene) answer(_ seg.ID, i, n int) (p seg.Prediction) {
	m := s.truth(i, n)
	if m.Count() == 0 {
		return p
	}
	l := seg.LogitsOf(m, s.w/2, s.h/2, seg.Point{X: 1, Y: 1}, 6)
	p.Candidates = []seg.Candidate{{Logits: l, PredictedIoU: 0.95, Stability: 0.95}}
	return p
}

func line(x, y, vx, vy float64) func(int) (float64, float64) {
	return func(n int) (float64, float64) { return x + vx*float64(n), y + vy*float64(n) }
}

func point(x, y float64) seg.Prompt {
	return seg.Prompt{Clicks: []seg.Click{{Point: seg.Point{X: x, Y: y}, Label: seg.Positive}}}
}

// features are what a fair encoder sees: the mean colour of each cell, its square and its roughness.
func (s *scene) features(n int) []seg.Features { return cellMeans(s.render(n)) }

func cellMeans(f *frame.Frame) []seg.Features {
	w, h := f.Width/4, f.Height/4
	out := seg.Features{W: w, H: h, C: 7, Extent: seg.Point{X: 1, Y: 1}, Data: make([]float32, 7*w*h)}
	for j := range h {
		for i := range w {
			var sum [3]float32
			rough := float32(0)
			for y := 4 * j; y < 4*j+4; y++ {
				for x := 4 * i; x < 4*i+4; x++ {
					p := f.Pix[y*f.Stride()+3*x:][:3]
					for c := range sum {
						sum[c] += float32(p[c]) / 16 / 64
					}
					rough += float32(p[1]) * float32(p[1]) / 16 / 4096
				}
			}
			for c, v := range sum {
				out.Data[(c*h+j)*w+i] = v
				out.Data[((c+3)*h+j)*w+i] = v * v
			}
			out.Data[(6*h+j)*w+i] = rough - sum[1]*sum[1]
		}
	}
	return []seg.Features{out}
}

// reply is what a truthful model answers: the disc that the prompt points at, whoever asked.
func (s *scene) reply(q tracker.Query, n int) seg.Prediction {
	best, at := 0.0, -1
	for i := range s.discs {
		m := s.truth(i, n)
		score := 0.0
		for _, c := range q.Prompt.Clicks {
			if m.Contains(c.Point) {
				score += 0.3
			}
		}
		if l := q.Prompt.Mask; l != nil {
			score += m.IoU(l.Cut(s.w, s.h, 0))
		}
		if score > best {
			best, at = score, i
		}
	}
	if at < 0 || best < 0.1 {
		return seg.Prediction{}
	}
	return s.answer(q.ID, at, n)
}
