package lk

import "math"

// maxRadius is the largest half side of a window: the sums of one of 19×19 pixels fit 32 bits.
const maxRadius = 9

// window is what is searched for: the slopes of a square of one picture. What a search asks of the other picture is the sum, over the
// square, of slope times difference. Between four pixels the other picture is interpolated bilinearly, so that sum is bilinear as well:
// once it is known at the four corners of a cell, an iteration inside the cell costs a handful of multiplications instead of the whole
// square.
type window struct {
	radius, side  int
	slopes        []int64 // gx + gy<<32: one multiplication serves both
	hxx, hxy, hyy float32 // the structure tensor, of the eightfold slopes
	det           float32
	own           corner    // of the picture that it was taken from
	corners       [4]corner // of the cell that it was laid on: first, right, below, both
}

// corner is the sum of slope times grey, by axis.
type corner struct{ x, y float32 }

func newWindow(radius int) window {
	side := 2*radius + 1
	return window{radius: radius, side: side, slopes: make([]int64, side*side)}
}

// unpack takes the two sums of a sum of products with packed slopes apart.
func unpack(s int64) corner {
	x := int32(s)
	return corner{float32(x), float32((s - int64(x)) >> 32)}
}

// take makes the square around pixel (x, y) the window.
func (w *window) take(a *plane, x, y int) {
	var h, hyy, own int64
	at := a.at(x-w.radius, y-w.radius)
	for v := range w.side {
		dst := w.slopes[v*w.side:][:w.side]
		pix, slopes := a.pix[at:][:len(dst)], a.slope[at:][:len(dst)]
		for u, g := range slopes {
			gx, gy := int64(g.x), int64(g.y)
			both := gx + gy<<32
			dst[u] = both
			own += both * int64(pix[u])
			h += both * gx
			hyy += gy * gy
		}
		at += a.stride
	}
	hx := unpack(h)
	w.own, w.hxx, w.hxy, w.hyy = unpack(own), hx.x, hx.y, float32(hyy)
	w.det = w.hxx*w.hyy - w.hxy*w.hxy
}

// least is the least eigenvalue of the structure tensor, per pixel, in grey steps squared.
func (w *window) least() float32 {
	if w.det <= 0 {
		return 0
	}
	tr, diff := w.hxx+w.hyy, w.hxx-w.hyy
	return (tr - float32(math.Sqrt(float64(diff*diff+4*w.hxy*w.hxy)))) / float32(2*64*w.side*w.side)
}

// compare lays the window on b, its middle in the cell whose first corner is (x, y). It is false where that is outside the picture.
func (w *window) compare(b *plane, x, y int) bool {
	if x < 0 || y < 0 || x >= b.w || y >= b.h {
		return false
	}
	var s00, s10, s01, s11 int64
	at := b.at(x-w.radius, y-w.radius)
	for v := range w.side {
		slopes := w.slopes[v*w.side:][:w.side]
		r0, r1 := b.pix[at:][:len(slopes)+1], b.pix[at+b.stride:][:len(slopes)+1]
		p0, p1 := int64(r0[0]), int64(r1[0])
		for u, g := range slopes {
			q0, q1 := int64(r0[u+1]), int64(r1[u+1])
			s00 += g * p0
			s10 += g * q0
			s01 += g * p1
			s11 += g * q1
			p0, p1 = q0, q1
		}
		at += b.stride
	}
	w.corners = [4]corner{unpack(s00), unpack(s10), unpack(s01), unpack(s11)}
	return true
}

// step is the Newton step at the place (fx, fy), 0..1, of the cell, pixels.
func (w *window) step(fx, fy float32) (sx, sy float32) {
	c := &w.corners
	w11 := fx * fy
	w10, w01 := fx-w11, fy-w11
	w00 := 1 - fx - w01
	ex := w00*c[0].x + w10*c[1].x + w01*c[2].x + w11*c[3].x - w.own.x
	ey := w00*c[0].y + w10*c[1].y + w01*c[2].y + w11*c[3].y - w.own.y
	k := 8 / w.det // the slopes are eightfold
	return (w.hyy*ex - w.hxy*ey) * k, (w.hxx*ey - w.hxy*ex) * k
}
