package tracker

import (
	"image"
	"math"

	"github.com/segedge/segedge/seg"
)

// unary adds up what speaks for each pixel of a rectangle of the working grid, in log odds. Its memory is kept between uses.
type unary struct {
	w, h int // the grid
	r    image.Rectangle
	u    []float32
	a, b []float32 // scratch, as long as u
	cols []tap
}

// tap is a place between two cells of an axis.
type tap struct {
	i0, i1 int
	f      float32
}

func tapAt(v float64, n int) tap {
	v = min(max(v, 0), float64(n-1))
	i := int(v)
	return tap{i, min(i+1, n-1), float32(v - float64(i))}
}

// reset starts anew with a rectangle of a grid.
func (a *unary) reset(w, h int, r image.Rectangle) {
	a.w, a.h, a.r = w, h, r.Intersect(image.Rect(0, 0, w, h))
	n := a.r.Dx() * a.r.Dy()
	a.u, a.a, a.b = grown(a.u, n), grown(a.a, n), grown(a.b, n)
	clear(a.u)
}

// box is the normalised rectangle.
func (a *unary) box() seg.Box {
	w, h := float64(a.w), float64(a.h)
	return seg.Box{X0: float64(a.r.Min.X) / w, Y0: float64(a.r.Min.Y) / h, X1: float64(a.r.Max.X) / w, Y1: float64(a.r.Max.Y) / h}
}

func grown(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n, n+n/4)
	}
	return s[:n]
}

// addMap adds weight times a low-resolution map, clipped to ±clip, bilinearly, where the map speaks of the picture.
func (a *unary) addMap(l *seg.Logits, weight, clip float32) {
	sx, sy, ox, oy := l.Scale(a.w, a.h)
	known := l.Covered(a.w, a.h).Intersect(a.r).Sub(a.r.Min)
	if known.Empty() {
		return
	}
	dx := a.r.Dx()
	if cap(a.cols) < dx {
		a.cols = make([]tap, dx, a.w)
	}
	a.cols = a.cols[:dx]
	for i := range a.cols {
		a.cols[i] = tapAt((float64(a.r.Min.X+i)+0.5)*sx-ox-0.5, l.W)
	}
	for j := known.Min.Y; j < known.Max.Y; j++ {
		t := tapAt((float64(a.r.Min.Y+j)+0.5)*sy-oy-0.5, l.H)
		p, q := l.Data[t.i0*l.W:][:l.W], l.Data[t.i1*l.W:][:l.W]
		row := a.u[j*dx:][known.Min.X:known.Max.X]
		for i, c := range a.cols[known.Min.X:known.Max.X] {
			top := p[c.i0] + (p[c.i1]-p[c.i0])*c.f
			bottom := q[c.i0] + (q[c.i1]-q[c.i0])*c.f
			row[i] += weight * min(max(top+(bottom-top)*t.f, -clip), clip)
		}
	}
}

// addColours adds weight times the log odds of each pixel's colour, clipped to ±clip.
func (a *unary) addColours(c *palette, bgr []byte, weight, clip float32) {
	dx := a.r.Dx()
	for j := range a.r.Dy() {
		row := a.u[j*dx:][:dx]
		pix := bgr[3*((a.r.Min.Y+j)*a.w+a.r.Min.X):][:3*dx]
		for i := range row {
			row[i] += weight * min(max(c.logit(pix[3*i:]), -clip), clip)
		}
	}
}

// addPrior adds weight times the log odds of a warped patch whose edge may be off by about radius pixels: its chances, box-blurred twice.
func (a *unary) addPrior(t *track, radius int, weight, clip float32) {
	dx, dy := a.r.Dx(), a.r.Dy()
	t.sample(a.r, a.a)
	for i, v := range a.a {
		a.a[i] = chances[int(v)+128]
	}
	for range 2 {
		boxBlur(a.b, a.a, dx, dy, radius)
		boxBlur(a.a, a.b, dy, dx, radius)
	}
	for i, v := range a.a {
		o := odds[int(v*1024+0.5)]
		a.u[i] += weight * min(max(o, -clip), clip)
	}
}

// chances is the logistic function of a patch's steps, −128..127; odds is its inverse on an even grid over 0..1.
var (
	chances = func() (t [256]float32) {
		for i := range t {
			t[i] = float32(1 / (1 + math.Exp(-float64(i-128)/patchScale)))
		}
		return t
	}()
	odds = func() (t [1025]float32) {
		for i := range t {
			p := min(max(float64(i)/1024, 0.0008), 1-0.0008)
			t[i] = float32(math.Log(p / (1 - p)))
		}
		return t
	}()
)

// limit lowers the sum by as much as leaves at most n places above 0, and says how many there were.
func (a *unary) limit(n int) int {
	const bins, step = 256, 1.0 / 8
	var above [bins]int
	all := 0
	for _, v := range a.u {
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
	for i := range a.u {
		a.u[i] -= float32(k) * step
	}
	return all
}

// core is the rectangle of the cells above 0.
func (a *unary) core() image.Rectangle { return positive(a.r, a.u) }

// patch freezes the sum around what lies above 0.
func (a *unary) patch() *patch {
	p := &patch{w: a.w, h: a.h}
	core := a.core()
	if core.Empty() {
		return p
	}
	p.rect = core.Inset(-patchMargin).Intersect(a.r)
	p.data = make([]int8, 0, p.rect.Dx()*p.rect.Dy())
	for y := p.rect.Min.Y; y < p.rect.Max.Y; y++ {
		for _, v := range a.u[(y-a.r.Min.Y)*a.r.Dx()+p.rect.Min.X-a.r.Min.X:][:p.rect.Dx()] {
			p.data = append(p.data, int8(min(max(v*patchScale, -127), 127)))
		}
	}
	return p
}

// mask cuts the sum at 0.
func (a *unary) mask() *seg.Mask { return cut(a.w, a.h, a.r, a.u) }

// boxBlur averages rows of w places over 2·radius+1 of them and writes the result transposed, edges repeated.
func boxBlur(dst, src []float32, w, h, radius int) {
	if w == 0 {
		return
	}
	k := 1 / float32(2*radius+1)
	for y := range h {
		row := src[y*w:][:w]
		sum := float32(radius+1) * row[0]
		for i := 1; i <= radius; i++ {
			sum += row[min(i, w-1)]
		}
		for x := range row {
			dst[x*h+y] = sum * k
			sum += row[min(x+radius+1, w-1)] - row[max(x-radius, 0)]
		}
	}
}

// leave puts back what was believed before where another object hides what is: nothing of it was seen.
func (a *unary) leave(cover, prior *track) {
	r := cover.bounds().Intersect(a.r)
	if r.Empty() {
		return
	}
	n := r.Dx() * r.Dy()
	cover.sample(r, a.a[:n])
	prior.sample(r, a.b[:n])
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := a.u[(y-a.r.Min.Y)*a.r.Dx()+r.Min.X-a.r.Min.X:][:r.Dx()]
		for x := range row {
			if a.a[i] > 0 {
				row[x] = a.b[i] / patchScale
			}
			i++
		}
	}
}

// exclude takes weight from where another object is, but not from where own, which may be nil, is believed to lie in front of it.
func (a *unary) exclude(t, own *track, weight float32) {
	r := t.bounds().Intersect(a.r)
	if r.Empty() {
		return
	}
	n := r.Dx() * r.Dy()
	t.sample(r, a.a[:n])
	if own == nil {
		clear(a.b[:n])
	} else {
		own.sample(r, a.b[:n])
	}
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := a.u[(y-a.r.Min.Y)*a.r.Dx()+r.Min.X-a.r.Min.X:][:r.Dx()]
		for x := range row {
			if a.a[i] > 0 && a.b[i] <= 0 {
				row[x] -= weight
			}
			i++
		}
	}
}
