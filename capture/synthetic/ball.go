package synthetic

import "math"

// ball is a beach ball: six coloured gores and two white caps, with fine marks.
type ball struct {
	gores [6]rgb
	cap   rgb
	marks *grain
}

func newBall(seed uint64) *ball {
	return &ball{
		gores: [6]rgb{{222, 52, 44}, {240, 236, 226}, {36, 96, 196}, {244, 190, 30}, {238, 234, 224}, {30, 150, 92}},
		cap:   rgb{242, 240, 232},
		marks: newGrain(seed),
	}
}

func (b *ball) reach(*pose) (float64, float64) { return 1, 1 }

// sectors maps the signs of three planes through the axis to the gore between them; two combinations never occur.
var sectors = [8]int{5, 0, 0, 1, 4, 0, 3, 2}

func (b *ball) span(p *pose, y, x0 int, dst []px) {
	inv := float32(1 / p.size)
	r := float32(p.size)
	ny := (float32(y) + 0.5 - float32(p.y)) * inv
	for i := range dst {
		nx := (float32(x0+i) + 0.5 - float32(p.x)) * inv
		d2 := nx*nx + ny*ny
		edge := (1 - d2) * r * 0.5 // distance to the outline in pixels, exact where it matters
		if edge <= -0.5 {
			continue
		}
		nz := float32(math.Sqrt(float64(max(0, 1-d2))))
		c := b.colour(p, nx, ny, nz, r)
		diffuse, shine := lit(nx, ny, nz)
		dst[i] = c.mul(diffuse * (0.72 + 0.28*nz)).add(120 * shine).px(clamp32(edge + 0.5))
	}
}

// colour is the paint at a place of the unit sphere, seams antialiased.
func (b *ball) colour(p *pose, nx, ny, nz, r float32) rgb {
	x, y, z := p.turn.apply(nx, ny, nz)
	const c60, s60 = 0.5, 0.8660254
	s := [3]float32{y, y*c60 - x*s60, -y*c60 - x*s60}
	bits, near, which := 0, float32(2), 0
	for k, v := range s {
		if v > 0 {
			bits |= 1 << k
		} else {
			v = -v
		}
		if v < near {
			near, which = v, k
		}
	}
	c := b.gores[sectors[bits]]
	if w := near * r; w < 0.5 {
		c = c.mix(b.gores[sectors[bits^1<<which]], 0.5-w)
	}
	if w := (max(z, -z) - 0.95) * r * 0.31; w > -0.5 {
		c = c.mix(b.cap, clamp32(w+0.5))
	}
	return c.mul(1 + 0.09*b.marks.at(9*x, 9*y, 9*z))
}
