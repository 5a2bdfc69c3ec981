package synthetic

import "math"

// box is a toy block with a painted sign on each pair of faces, seen without perspective.
type box struct{ faces [3]*canvas }

// newBox paints the block; scale is the pixels of half a side.
func newBox(seed uint64, scale float64) *box {
	signs := [3]field{star(0.62), rim(disc(0, 0, 0.42), 0.24), heart(0.6)}
	paints := [3]rgb{{232, 60, 50}, {40, 120, 214}, {236, 150, 20}}
	b := &box{}
	for i := range b.faces {
		c := newCanvas(1, 1, scale)
		wood := woodgrain(seed + uint64(i))
		c.paint(slab(0, 0, 1.1, 1.1, 0), wood)
		c.paint(cut(slab(0, 0, 1.1, 1.1, 0), slab(0, 0, 0.84, 0.84, 0.12)), func(x, y float64) rgb { return paints[i].mix(wood(x, y), 0.18) })
		c.paint(rim(slab(0, 0, 0.84, 0.84, 0.12), 0.035), plain(rgb{96, 62, 34}))
		c.paint(signs[i], func(x, y float64) rgb { return paints[(i+1)%3].mix(wood(x, y), 0.12) })
		c.paint(rim(signs[i], 0.03), plain(rgb{70, 44, 26}))
		b.faces[i] = c
	}
	return b
}

// woodgrain is pale wood with long wavy fibres.
func woodgrain(seed uint64) func(x, y float64) rgb {
	light, dark := rgb{228, 190, 134}, rgb{176, 130, 78}
	return func(x, y float64) rgb {
		ring := fbm(seed, 1.2*x+7, 5*y+3, 3)
		fibre := valueNoise(seed+31, 3*x, 40*y)
		return light.mix(dark, float32(0.5+0.5*math.Sin(26*ring)*0.7)).mul(float32(0.9 + 0.16*fibre))
	}
}

func star(r float64) field {
	var pts [][2]float64
	for i := range 10 {
		k := r
		if i%2 == 1 {
			k = 0.42 * r
		}
		s, c := math.Sincos(float64(i) * math.Pi / 5)
		pts = append(pts, [2]float64{k * s, -k * c})
	}
	return outline(0.02, pts...)
}

func heart(r float64) field {
	return union(disc(-0.42*r, -0.3*r, 0.5*r), disc(0.42*r, -0.3*r, 0.5*r),
		outline(0, [2]float64{-0.84 * r, -0.02 * r}, [2]float64{0, -0.52 * r}, [2]float64{0.84 * r, -0.02 * r}, [2]float64{0, 0.95 * r}))
}

func (b *box) reach(*pose) (float64, float64) { return 1.7321, 1.7321 }

// facet is what one axis of the block gives to every pixel of a frame.
type facet struct {
	nx, ny, reach float32 // the outline's pair of lines across this axis: |n·p| ≤ reach
	ox, oy, oz    float32 // the axis in the camera's directions
	light         float32
	outline       bool    // long enough to have lines
	z0, zx, zy    float32 // the height of its visible face's plane over the picture: z0 - zx·x - zy·y
}

// far3 is beyond every face: the height of a face that is not seen.
const far3 = 1e6

func (b *box) span(p *pose, y, x0 int, dst []px) {
	fs := facets(&p.turn)
	r := float32(p.size)
	inv := 1 / r
	ny := (float32(y) + 0.5 - float32(p.y)) * inv
	for i := range dst {
		nx := (float32(x0+i) + 0.5 - float32(p.x)) * inv
		edge := float32(10)
		for k := range fs {
			f := &fs[k]
			if f.outline {
				d := f.nx*nx + f.ny*ny
				edge = min(edge, f.reach-max(d, -d))
			}
		}
		if edge *= r; edge > -0.5 {
			dst[i] = b.colour(&fs, nx, ny, r).px(clamp32(edge + 0.5))
		}
	}
}

// facets prepares the three axes of a block of half side 1.
func facets(m *mat3) (fs [3]facet) {
	for i := range fs {
		f := &fs[i]
		f.ox, f.oy, f.oz = m[3*i], m[3*i+1], m[3*i+2]
		sign := float32(1)
		if f.oz < 0 {
			sign = -1
		}
		f.z0 = far3
		if o := f.oz * sign; o > 1e-4 {
			f.z0, f.zx, f.zy = 1/o, sign*f.ox/o, sign*f.oy/o
		}
		diffuse, shine := lit(f.ox*sign, f.oy*sign, f.oz*sign)
		f.light = diffuse + 0.25*shine
		if n := float32(math.Hypot(float64(f.ox), float64(f.oy))); n > 1e-3 {
			f.outline = true
			f.nx, f.ny = -f.oy/n, f.ox/n
			for j := range fs {
				if d := f.nx*m[3*j] + f.ny*m[3*j+1]; j != i {
					f.reach += max(d, -d)
				}
			}
		}
	}
	return fs
}

// colour is what is painted on the face that the line of sight through (nx, ny) meets first, the seam to the next
// face antialiased.
func (b *box) colour(fs *[3]facet, nx, ny, r float32) rgb {
	first, second := -1, -1
	var z, z2 float32 = far3, far3
	for i := range fs {
		f := &fs[i]
		k := f.z0 - f.zx*nx - f.zy*ny
		if k < z {
			second, z2 = first, z
			first, z = i, k
		} else if k < z2 {
			second, z2 = i, k
		}
	}
	c := b.paint(fs, first, nx, ny, z)
	if second < 0 {
		return c
	}
	f, g := &fs[first], &fs[second]
	dx, dy := f.zx-g.zx, f.zy-g.zy
	if gap := (z2 - z) * r; gap*gap < 0.25*(dx*dx+dy*dy) {
		w := gap / float32(math.Sqrt(float64(dx*dx+dy*dy)))
		c = c.mix(b.paint(fs, second, nx, ny, z2), 0.5-w)
	}
	return c
}

// paint is the lit skin of face i at (nx, ny), z towards the eye.
func (b *box) paint(fs *[3]facet, i int, nx, ny, z float32) rgb {
	u, v := &fs[(i+1)%3], &fs[(i+2)%3]
	a := u.ox*nx + u.oy*ny + u.oz*z
	c := v.ox*nx + v.oy*ny + v.oz*z
	t := b.faces[i].at(min(max(a, -0.999), 0.999), min(max(c, -0.999), 0.999))
	return rgb{t.r, t.g, t.b}.mul(fs[i].light / max(t.a, 0.01))
}
