package synthetic

import "math"

// car is a toy car seen from the side, with turning wheels. One unit is half its length.
type car struct{ body, wheel *canvas }

const (
	axleX, axleY = 0.56, 0.27
	tyre         = 0.185
)

func newCar(seed uint64, scale float64) *car {
	c := &car{body: newCanvas(1.04, 0.5, scale), wheel: newCanvas(tyre, tyre, scale)}
	paintBody(c.body, seed)
	paintWheel(c.wheel)
	return c
}

func paintBody(c *canvas, seed uint64) {
	hull := union(
		outline(0.06, [2]float64{-0.94, 0.2}, [2]float64{-0.94, -0.04}, [2]float64{-0.6, -0.1}, [2]float64{0.5, -0.1},
			[2]float64{0.9, 0.0}, [2]float64{0.95, 0.2}),
		outline(0.05, [2]float64{-0.72, -0.06}, [2]float64{-0.5, -0.4}, [2]float64{0.16, -0.4}, [2]float64{0.46, -0.06}))
	shade := graded(rgb{252, 120, 92}, rgb{150, 22, 30}, -0.34, 0.3)
	c.paint(hull, func(x, y float64) rgb {
		return shade(x, y).mul(float32(0.94 + 0.12*fbm(seed, 9*x, 9*y, 2)))
	})
	glass := graded(rgb{196, 226, 240}, rgb{86, 120, 146}, -0.4, -0.06)
	c.paint(outline(0.02, [2]float64{-0.62, -0.1}, [2]float64{-0.46, -0.36}, [2]float64{-0.2, -0.36}, [2]float64{-0.2, -0.1}), glass)
	c.paint(outline(0.02, [2]float64{-0.1, -0.1}, [2]float64{-0.1, -0.36}, [2]float64{0.13, -0.36}, [2]float64{0.34, -0.1}), glass)
	c.paint(
		outline(0.0, [2]float64{0.0, -0.12}, [2]float64{0.08, -0.34}, [2]float64{0.13, -0.34}, [2]float64{0.06, -0.12}),
		plain(rgb{226, 240, 246}),
	)
	c.paint(slab(0, 0.075, 0.97, 0.028, 0), plain(rgb{244, 240, 228}))
	c.paint(slab(-0.15, 0.07, 0.006, 0.15, 0), plain(rgb{110, 16, 22}))
	c.paint(rim(disc(-0.33, 0.04, 0.115), 0.012), plain(rgb{60, 20, 20}))
	c.paint(disc(-0.33, 0.04, 0.11), plain(rgb{246, 244, 236}))
	c.paint(
		outline(0.012, [2]float64{-0.345, 0.09}, [2]float64{-0.31, -0.03}, [2]float64{-0.375, -0.03}, [2]float64{-0.31, -0.03}),
		plain(rgb{30, 30, 34}),
	)
	c.paint(disc(0.88, 0.06, 0.06), plain(rgb{255, 244, 180}))
	c.paint(disc(-0.92, 0.05, 0.05), plain(rgb{255, 90, 50}))
	c.paint(slab(0.93, 0.2, 0.075, 0.04, 0.03), plain(rgb{170, 176, 184}))
	c.paint(slab(-0.93, 0.2, 0.075, 0.04, 0.03), plain(rgb{170, 176, 184}))
	c.paint(union(disc(-axleX, axleY, 0.215), disc(axleX, axleY, 0.215)), plain(rgb{34, 22, 24}))
}

func paintWheel(c *canvas) {
	c.paint(disc(0, 0, tyre), plain(rgb{38, 38, 42}))
	c.paint(rim(disc(0, 0, 0.155), 0.012), plain(rgb{74, 74, 80}))
	c.paint(disc(0, 0, 0.12), plain(rgb{206, 210, 216}))
	for i := range 5 {
		s, k := math.Sincos(float64(i) * 2 * math.Pi / 5)
		c.paint(oval(0.072*k, 0.072*s, 0.03, 0.022, math.Atan2(s, k)), plain(rgb{70, 74, 84}))
	}
	c.paint(disc(0, 0, 0.03), plain(rgb{196, 40, 40}))
}

func (c *car) reach(p *pose) (float64, float64) { return tilted(p, 1.06, 0.52) }

func (c *car) span(p *pose, y, x0 int, dst []px) {
	sin, cos := math.Sincos(2 * math.Pi * p.phase)
	s, k := float32(sin), float32(cos)
	each(p, y, x0, dst, func(x, yy float32) px {
		q := c.body.at(x, yy)
		if dy := yy - axleY; dy > -tyre && dy < tyre {
			ax := x
			side := float32(axleX)
			if ax < 0 {
				side = -side
			}
			if dx := x - side; dx > -tyre && dx < tyre {
				return c.wheel.at(k*dx+s*dy, k*dy-s*dx).over(q)
			}
		}
		return q
	})
}

// each calls at with the place, in units of the pose, of each pixel of a row: moved, turned and mirrored back.
func each(p *pose, y, x0 int, dst []px, at func(x, y float32) px) {
	inv := 1 / float32(p.size)
	dy := (float32(y) + 0.5 - float32(p.y)) * inv
	for i := range dst {
		dx := (float32(x0+i) + 0.5 - float32(p.x)) * inv
		ux, uy := p.cos*dx+p.sin*dy, p.cos*dy-p.sin*dx
		if p.flip {
			ux = -ux
		}
		dst[i] = at(ux, uy)
	}
}

// tilted is the reach of a flat shape of half sides x and y, turned in the picture.
func tilted(p *pose, x, y float64) (float64, float64) {
	s, c := math.Abs(float64(p.sin)), math.Abs(float64(p.cos))
	return c*x + s*y, s*x + c*y
}

// bird is a bird in flight seen from the side, its wings in a few positions. One unit is half its length.
type bird struct{ wings [flaps]*canvas }

const flaps = 12

func newBird(scale float64) *bird {
	b := &bird{}
	for i := range b.wings {
		b.wings[i] = newCanvas(1.05, 1.0, scale)
		paintBird(b.wings[i], math.Sin(2*math.Pi*float64(i)/flaps))
	}
	return b
}

// paintBird draws the bird with its wings at lift, 1 for up and -1 for down.
func paintBird(c *canvas, lift float64) {
	tip := -0.85*lift - 0.05
	wing := func(dx float64) field {
		return outline(
			0.03,
			[2]float64{-0.28 + dx, -0.02},
			[2]float64{0.3 + dx, -0.06},
			[2]float64{0.1 + dx, tip * 0.6},
			[2]float64{-0.32 + dx, tip},
			[2]float64{-0.38 + dx, tip * 0.55},
		)
	}
	c.paint(wing(0.14), graded(rgb{28, 52, 104}, rgb{44, 76, 140}, -0.8, 0.8))
	c.paint(
		outline(0.02, [2]float64{-0.5, 0}, [2]float64{-0.98, -0.14}, [2]float64{-0.9, 0.02}, [2]float64{-1, 0.14}, [2]float64{-0.5, 0.12}),
		plain(rgb{34, 62, 122}),
	)
	c.paint(oval(0, 0.05, 0.62, 0.2, -0.06), graded(rgb{64, 110, 196}, rgb{236, 226, 206}, 0.0, 0.2))
	c.paint(disc(0.58, -0.06, 0.19), graded(rgb{58, 104, 190}, rgb{226, 150, 90}, -0.1, 0.12))
	c.paint(outline(0.01, [2]float64{0.74, -0.1}, [2]float64{0.98, -0.02}, [2]float64{0.74, 0.02}), plain(rgb{238, 168, 40}))
	c.paint(disc(0.65, -0.1, 0.035), plain(rgb{16, 16, 20}))
	c.paint(wing(0), graded(rgb{48, 92, 178}, rgb{92, 146, 220}, -0.8, 0.8))
	c.paint(rim(wing(0), 0.02), plain(rgb{30, 56, 112}))
}

func (b *bird) reach(p *pose) (float64, float64) { return tilted(p, 1.06, 1.02) }

func (b *bird) span(p *pose, y, x0 int, dst []px) {
	c := b.wings[int(p.phase*flaps)%flaps]
	each(p, y, x0, dst, c.at)
}
