package shape

import (
	"image"
	"slices"

	"github.com/segedge/segedge/seg"
)

// Sum adds up what speaks for each cell of a rectangle of the grid, in log-odds (logits): evidence that is independent is added (Moravec
// and Elfes, ICRA 1985). Its memory is kept between uses.
type Sum struct {
	w, h int // the grid
	rect image.Rectangle
	odds []float32
	a, b []float32 // as long as odds: two tracks read out
	cols []seg.Tap
}

// Reset starts anew with a rectangle of a grid of w×h cells.
func (s *Sum) Reset(w, h int, r image.Rectangle) {
	s.w, s.h, s.rect = w, h, r.Intersect(image.Rect(0, 0, w, h))
	n := s.rect.Dx() * s.rect.Dy()
	s.odds, s.a, s.b = slices.Grow(s.odds[:0], n)[:n], slices.Grow(s.a[:0], n)[:n], slices.Grow(s.b[:0], n)[:n]
	clear(s.odds)
}

// Rect is the rectangle.
func (s *Sum) Rect() image.Rectangle { return s.rect }

// Box is the rectangle, normalised.
func (s *Sum) Box() seg.Box {
	r, w, h := s.rect, float64(s.w), float64(s.h)
	return seg.Box{X0: float64(r.Min.X) / w, Y0: float64(r.Min.Y) / h, X1: float64(r.Max.X) / w, Y1: float64(r.Max.Y) / h}
}

// Row is the sum along row y of the grid, from the rectangle's first column on, to be added to.
func (s *Sum) Row(y int) []float32 { return s.odds[(y-s.rect.Min.Y)*s.rect.Dx():][:s.rect.Dx()] }

// part is the sum along row y in the columns of r.
func (s *Sum) part(y int, r image.Rectangle) []float32 {
	return s.Row(y)[r.Min.X-s.rect.Min.X:][:r.Dx()]
}

// AddMap adds weight times a low-resolution map, clipped to ±clip, bilinearly, where the map speaks of the picture.
func (s *Sum) AddMap(l *seg.Logits, weight, clip float32) {
	sx, sy, ox, oy := l.Scale(s.w, s.h)
	known := l.Covered(s.w, s.h).Intersect(s.rect)
	if known.Empty() {
		return
	}
	s.cols = slices.Grow(s.cols[:0], known.Dx())[:known.Dx()]
	for i := range s.cols {
		s.cols[i] = seg.TapAt((float64(known.Min.X+i)+0.5)*sx-ox-0.5, l.W)
	}
	for y := known.Min.Y; y < known.Max.Y; y++ {
		t := seg.TapAt((float64(y)+0.5)*sy-oy-0.5, l.H)
		p, q := l.Data[t.I*l.W:][:l.W], l.Data[t.J*l.W:][:l.W]
		row := s.part(y, known)
		for i, c := range s.cols {
			top := p[c.I] + (p[c.J]-p[c.I])*c.F
			bottom := q[c.I] + (q[c.J]-q[c.I])*c.F
			row[i] += weight * min(max(top+(bottom-top)*t.F, -clip), clip)
		}
	}
}

// AddPrior adds weight times the log-odds of a warped patch whose edge may be off by about radius pixels: its chances, box-blurred twice.
func (s *Sum) AddPrior(t *Track, radius int, weight, clip float32) {
	dx, dy := s.rect.Dx(), s.rect.Dy()
	t.sample(s.rect, s.a)
	for i, v := range s.a {
		s.a[i] = chances[int(v)+128]
	}
	for range 2 {
		boxBlur(s.b, s.a, dx, dy, radius)
		boxBlur(s.a, s.b, dy, dx, radius)
	}
	for i, v := range s.a {
		o := logits[int(v*float32(len(logits)-1)+0.5)]
		s.odds[i] += weight * min(max(o, -clip), clip)
	}
}

// Keep puts back what was believed before, where another object hides what is: nothing of it was seen.
func (s *Sum) Keep(cover, prior *Track) {
	r := cover.Bounds().Intersect(s.rect)
	if r.Empty() {
		return
	}
	n := r.Dx() * r.Dy()
	cover.sample(r, s.a[:n])
	prior.sample(r, s.b[:n])
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.part(y, r)
		for x := range row {
			if s.a[i] > 0 {
				row[x] = s.b[i] / Scale
			}
			i++
		}
	}
}

// Exclude takes weight from where another object is, but not from where own, which may be nil, is believed to lie in front of it.
func (s *Sum) Exclude(other, own *Track, weight float32) {
	r := other.Bounds().Intersect(s.rect)
	if r.Empty() {
		return
	}
	n := r.Dx() * r.Dy()
	other.sample(r, s.a[:n])
	if own == nil {
		clear(s.b[:n])
	} else {
		own.sample(r, s.b[:n])
	}
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.part(y, r)
		for x := range row {
			if s.a[i] > 0 && s.b[i] <= 0 {
				row[x] -= weight
			}
			i++
		}
	}
}

// Limit lowers the sum by as much as leaves at most n cells above 0, to an eighth of a logit, and says how many there were.
func (s *Sum) Limit(n int) int {
	const bins, step = 256, 1 / Scale
	var above [bins]int
	all := 0
	for _, v := range s.odds {
		if v > 0 {
			above[min(int(v/step), bins-1)]++
			all++
		}
	}
	k := 0
	for left := all; k < bins && left > n; k++ {
		left -= above[k]
	}
	if k == 0 {
		return all
	}
	for i := range s.odds {
		s.odds[i] -= float32(k) * step
	}
	return all
}

// Patch freezes the sum around what lies above 0.
func (k *Tuning) Patch(s *Sum) *Patch {
	p := &Patch{W: s.w, H: s.h}
	core := positive(s.rect, s.odds)
	if core.Empty() {
		return p
	}
	p.Rect = core.Inset(-k.Margin).Intersect(s.rect)
	p.data = make([]int8, 0, p.Rect.Dx()*p.Rect.Dy())
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		for _, v := range s.part(y, p.Rect) {
			p.data = append(p.data, int8(min(max(v*Scale, -127), 127)))
		}
	}
	return p
}

// Mask cuts the sum at 0.
func (s *Sum) Mask() *seg.Mask { return cut(s.w, s.h, s.rect, s.odds) }
