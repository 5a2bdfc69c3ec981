package eval

import (
	"cmp"
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
	"github.com/segedge/segedge/tracker/motion"
)

// flowWidth is the width of the grey picture on which the flow baseline measures, flowPoints how many places.
const (
	flowWidth  = 384
	flowPoints = 300
)

// FlowAlone is the baseline without a model after the first frame: the mask moves by a similarity fitted to the optical flow
// inside it. open is as in ProductOptions.
func FlowAlone(m inference.Segmenter, open func() (motion.Flow, func() error, error)) func() (Follower, error) {
	return func() (Follower, error) {
		f, done, err := open()
		if err != nil {
			return nil, err
		}
		return &flowAlone{model: m, flow: f, done: done, motion: similarity{a: 1}}, nil
	}
}

type flowAlone struct {
	model  inference.Segmenter
	flow   motion.Flow
	done   func() error
	first  *seg.Mask // on the grey picture's grid times two
	grey   [2]motion.Gray
	motion similarity // from the first frame to the last
	size   image.Point
}

func (a *flowAlone) Start(f *frame.Frame, p seg.Prompt) (err error) {
	a.size = image.Pt(f.Width, f.Height)
	reduceGray(&a.grey[0], f)
	a.first, err = firstMask(a.model, f, p)
	return err
}

func (a *flowAlone) Next(f *frame.Frame) (*seg.Mask, error) {
	if a.first == nil || a.first.Rect.Empty() {
		return nil, nil
	}
	reduceGray(&a.grey[1], f)
	now := a.warped()
	pts := spread(now.Resize(a.grey[0].W, a.grey[0].H), flowPoints)
	moves := make([]motion.Vector, len(pts))
	if err := a.flow.Step(&a.grey[0], &a.grey[1], pts, moves); err != nil {
		return nil, err
	}
	a.motion = fitSimilarity(pts, moves).after(a.motion)
	a.grey[0], a.grey[1] = a.grey[1], a.grey[0]
	return a.warped(), nil
}

func (a *flowAlone) Close() error {
	if a.done == nil {
		return nil
	}
	return a.done()
}

// warped is the first mask moved to the present frame, each cell taken from where it came from.
func (a *flowAlone) warped() *seg.Mask {
	scale := float64(a.size.X) / float64(a.grey[0].W)
	back := a.motion.inverse()
	m := seg.NewMask(a.size.X, a.size.Y, image.Rect(0, 0, a.size.X, a.size.Y))
	for y := range a.size.Y {
		row := m.Row(y)
		for x := range row {
			u, v := back.at((float64(x)+0.5)/scale-0.5, (float64(y)+0.5)/scale-0.5)
			row[x] = a.first.At(int(math.Floor((u+0.5)*scale)), int(math.Floor((v+0.5)*scale)))
		}
	}
	return m.Trim()
}

// spread are up to n cells of a mask, evenly over them in scan order.
func spread(m *seg.Mask, n int) []motion.Pixel {
	step := max(1, m.Count()/n)
	var out []motion.Pixel
	i := 0
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x, b := range m.Row(y) {
			if b == 0 {
				continue
			}
			if i%step == 0 {
				out = append(out, motion.Pixel{X: float32(m.Rect.Min.X + x), Y: float32(y)})
			}
			i++
		}
	}
	return out
}

// reduceGray writes the frame, reduced by area, as luma.
func reduceGray(dst *motion.Gray, f *frame.Frame) {
	w := min(flowWidth, f.Width)
	h := max(1, f.Height*w/f.Width)
	small := frame.New(w, h)
	defer small.Release()
	new(frame.Shrinker).Shrink(small, f, w, h)
	*dst = motion.Gray{W: w, H: h, Pix: make([]byte, w*h)}
	for i := range dst.Pix {
		b, g, r := int(small.Pix[3*i]), int(small.Pix[3*i+1]), int(small.Pix[3*i+2])
		dst.Pix[i] = byte((29*b + 150*g + 77*r) >> 8)
	}
}

// similarity is a turn, a scale and a shift: (x, y) goes to (a·x − b·y + tx, b·x + a·y + ty).
type similarity struct{ a, b, tx, ty float64 }

func (s similarity) at(x, y float64) (float64, float64) {
	return s.a*x - s.b*y + s.tx, s.b*x + s.a*y + s.ty
}

// after is first, then s.
func (s similarity) after(first similarity) similarity {
	tx, ty := s.at(first.tx, first.ty)
	return similarity{s.a*first.a - s.b*first.b, s.b*first.a + s.a*first.b, tx, ty}
}

func (s similarity) inverse() similarity {
	n := s.a*s.a + s.b*s.b
	i := similarity{a: s.a / n, b: -s.b / n}
	i.tx, i.ty = i.at(-s.tx, -s.ty)
	return i
}

// fitSimilarity is the least-squares similarity of the vectors found, fitted again to the better half of them a few times, so
// that a background that shines through has no say. Fewer than three vectors, or a fit out of all proportion, mean no motion.
func fitSimilarity(pts []motion.Pixel, moves []motion.Vector) similarity {
	still := similarity{a: 1}
	var pairs []pair
	for i, m := range moves {
		if m.OK {
			pairs = append(pairs, pair{float64(pts[i].X), float64(pts[i].Y), float64(m.D.X), float64(m.D.Y)})
		}
	}
	fit := medianShift(pairs)
	for range 4 {
		if len(pairs) < 3 {
			return still
		}
		slices.SortFunc(pairs, func(p, q pair) int { return cmp.Compare(p.error(fit), q.error(fit)) })
		fit = leastSquares(pairs[:max(3, len(pairs)*7/10)])
	}
	if scale := math.Hypot(fit.a, fit.b); !(scale > 0.8 && scale < 1.25) {
		return medianShift(pairs)
	}
	return fit
}

// pair is a place and how it moved.
type pair struct{ x, y, dx, dy float64 }

func (p pair) error(s similarity) float64 {
	x, y := s.at(p.x, p.y)
	return math.Hypot(x-p.x-p.dx, y-p.y-p.dy)
}

func medianShift(pairs []pair) similarity {
	if len(pairs) == 0 {
		return similarity{a: 1}
	}
	xs, ys := make([]float64, len(pairs)), make([]float64, len(pairs))
	for i, p := range pairs {
		xs[i], ys[i] = p.dx, p.dy
	}
	slices.Sort(xs)
	slices.Sort(ys)
	return similarity{1, 0, xs[len(xs)/2], ys[len(ys)/2]}
}

// leastSquares is the similarity that fits the pairs best (Umeyama 1991, in two dimensions).
func leastSquares(pairs []pair) similarity {
	var cx, cy, dx, dy float64
	n := float64(len(pairs))
	for _, p := range pairs {
		cx, cy, dx, dy = cx+p.x/n, cy+p.y/n, dx+p.dx/n, dy+p.dy/n
	}
	var sxx, dot, cross float64
	for _, p := range pairs {
		x, y, u, v := p.x-cx, p.y-cy, p.x+p.dx-cx-dx, p.y+p.dy-cy-dy
		sxx += x*x + y*y
		dot += x*u + y*v
		cross += x*v - y*u
	}
	if sxx < 1e-9 {
		return similarity{1, 0, dx, dy}
	}
	s := similarity{a: dot / sxx, b: cross / sxx}
	x, y := s.at(cx, cy)
	s.tx, s.ty = cx+dx-x, cy+dy-y
	return s
}
