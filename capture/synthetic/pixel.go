package synthetic

// px is a colour, 0..240 a channel, premultiplied by its coverage a, 0..1.
type px struct{ b, g, r, a float32 }

// top is the brightest value drawn: the noise adds up to 15 on it, and bytes never carry.
const top = 240

// over is p in front of q.
func (p px) over(q px) px {
	k := 1 - p.a
	return px{p.b + k*q.b, p.g + k*q.g, p.r + k*q.r, p.a + k*q.a}
}

// blend lays a row of pixels over BGR bytes.
func blend(row []byte, src []px) {
	for i := range src {
		p := &src[i]
		if p.a <= 0 {
			continue
		}
		d := row[3*i : 3*i+3 : 3*i+3]
		if p.a >= 0.999 {
			d[0], d[1], d[2] = level(p.b), level(p.g), level(p.r)
			continue
		}
		k := 1 - p.a
		d[0], d[1], d[2] = level(p.b+k*float32(d[0])), level(p.g+k*float32(d[1])), level(p.r+k*float32(d[2]))
	}
}

// level rounds a channel to its byte within 0..top.
func level(v float32) byte {
	i := int32(v + 0.5)
	return byte(min(max(i, 0), top))
}

// rgb is a colour as artists write it, 0..255 a channel.
type rgb struct{ r, g, b float32 }

func (c rgb) mul(k float32) rgb { return rgb{c.r * k, c.g * k, c.b * k} }

func (c rgb) add(v float32) rgb { return rgb{c.r + v, c.g + v, c.b + v} }

func (c rgb) mix(d rgb, k float32) rgb {
	return rgb{c.r + k*(d.r-c.r), c.g + k*(d.g-c.g), c.b + k*(d.b-c.b)}
}

// px is the colour at coverage a, clamped to what may be drawn.
func (c rgb) px(a float32) px {
	return px{limit(c.b) * a, limit(c.g) * a, limit(c.r) * a, a}
}

func limit(v float32) float32 { return min(max(v, 0), top) }

func clamp32(v float32) float32 { return min(max(v, 0), 1) }

func clamp64(v float64) float64 { return min(max(v, 0), 1) }

// smooth is the cubic step from 0 at a to 1 at b.
func smooth(a, b, x float64) float64 {
	k := clamp64((x - a) / (b - a))
	return k * k * (3 - 2*k)
}
