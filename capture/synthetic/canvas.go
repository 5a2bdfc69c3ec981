package synthetic

import "math"

// canvas is a picture that is painted once and sampled in every frame: the skin of a face, a car, a wing. Its units are
// chosen by the painter: x from -rx to rx, y from -ry to ry, with a clear margin of two pixels on each side.
type canvas struct {
	w, h   int
	scale  float64 // pixels a unit
	rx, ry float64
	pix    []px
}

const margin = 2

func newCanvas(rx, ry, scale float64) *canvas {
	w, h := int(math.Ceil(2*rx*scale))+2*margin, int(math.Ceil(2*ry*scale))+2*margin
	return &canvas{w: w, h: h, scale: scale, rx: rx, ry: ry, pix: make([]px, w*h)}
}

// field is a signed distance in units, negative inside.
type field func(x, y float64) float64

// paint fills the inside of a field with a colour that may depend on the place.
func (c *canvas) paint(inside field, colour func(x, y float64) rgb) {
	for j := margin; j < c.h-margin; j++ {
		for i := margin; i < c.w-margin; i++ {
			x, y := c.unit(i, j)
			a := clamp64(0.5 - inside(x, y)*c.scale)
			if a > 0 {
				p := &c.pix[j*c.w+i]
				*p = colour(x, y).px(float32(a)).over(*p)
			}
		}
	}
}

// unit is the place of a pixel's centre.
func (c *canvas) unit(i, j int) (x, y float64) {
	return (float64(i-margin)+0.5)/c.scale - c.rx, (float64(j-margin)+0.5)/c.scale - c.ry
}

// at samples the canvas at a place in units, bilinear; clear outside.
func (c *canvas) at(x, y float32) px {
	fx := (x+float32(c.rx))*float32(c.scale) + (margin - 0.5)
	fy := (y+float32(c.ry))*float32(c.scale) + (margin - 0.5)
	if fx < 0 || fy < 0 || fx >= float32(c.w-1) || fy >= float32(c.h-1) {
		return px{}
	}
	ix, iy := int(fx), int(fy)
	u, v := fx-float32(ix), fy-float32(iy)
	r0 := c.pix[iy*c.w+ix:][:2:2]
	r1 := c.pix[(iy+1)*c.w+ix:][:2:2]
	k00, k10, k01, k11 := (1-u)*(1-v), u*(1-v), (1-u)*v, u*v
	return px{
		k00*r0[0].b + k10*r0[1].b + k01*r1[0].b + k11*r1[1].b,
		k00*r0[0].g + k10*r0[1].g + k01*r1[0].g + k11*r1[1].g,
		k00*r0[0].r + k10*r0[1].r + k01*r1[0].r + k11*r1[1].r,
		k00*r0[0].a + k10*r0[1].a + k01*r1[0].a + k11*r1[1].a,
	}
}

// plain is one colour everywhere.
func plain(c rgb) func(x, y float64) rgb { return func(float64, float64) rgb { return c } }

// graded runs from one colour at y0 to another at y1.
func graded(c, d rgb, y0, y1 float64) func(x, y float64) rgb {
	return func(_, y float64) rgb { return c.mix(d, float32(smooth(y0, y1, y))) }
}

// The fields that the art is made of.

func disc(cx, cy, r float64) field {
	return func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }
}

// oval is an ellipse; the distance is exact near its outline only.
func oval(cx, cy, rx, ry, turn float64) field {
	s, c := math.Sincos(turn)
	return func(x, y float64) float64 {
		x, y = x-cx, y-cy
		x, y = c*x+s*y, c*y-s*x
		k := math.Hypot(x/rx, y/ry)
		g := math.Hypot(x/(rx*rx), y/(ry*ry))
		if g == 0 {
			return -min(rx, ry)
		}
		return k * (k - 1) / g
	}
}

func slab(cx, cy, hx, hy, round float64) field {
	return func(x, y float64) float64 {
		dx, dy := math.Abs(x-cx)-hx+round, math.Abs(y-cy)-hy+round
		return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - round
	}
}

// outline is a closed polygon, grown by round.
func outline(round float64, pts ...[2]float64) field {
	return func(x, y float64) float64 {
		d, sign := math.Inf(1), 1.0
		for i, j := 0, len(pts)-1; i < len(pts); j, i = i, i+1 {
			ex, ey := pts[j][0]-pts[i][0], pts[j][1]-pts[i][1]
			wx, wy := x-pts[i][0], y-pts[i][1]
			k := clamp64((wx*ex + wy*ey) / (ex*ex + ey*ey))
			d = min(d, math.Hypot(wx-k*ex, wy-k*ey))
			above, below, left := y >= pts[i][1], y < pts[j][1], ex*wy > ey*wx
			if above == below && below == left {
				sign = -sign
			}
		}
		return sign*d - round
	}
}

func union(fs ...field) field {
	return func(x, y float64) float64 {
		d := math.Inf(1)
		for _, f := range fs {
			d = min(d, f(x, y))
		}
		return d
	}
}

// cut is f without g.
func cut(f, g field) field {
	return func(x, y float64) float64 { return max(f(x, y), -g(x, y)) }
}

// rim is a line of a width along the outline of f.
func rim(f field, width float64) field {
	return func(x, y float64) float64 { return math.Abs(f(x, y)) - width/2 }
}
