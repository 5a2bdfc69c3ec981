package synthetic

import "math"

// shape is what an object looks like, apart from where it is. Immutable; shared by frames and by objects.
type shape interface {
	// reach is how far the shape extends from its centre in this pose, to each side and up and down, in units of the
	// pose's size.
	reach(p *pose) (x, y float64)
	// span adds the pixels of row y from column x0 on, colour and coverage, to dst, which is clear.
	span(p *pose, y, x0 int, dst []px)
}

// pose is where an object is in one frame, in pixels.
type pose struct {
	x, y   float64 // the centre; the centre of the first pixel is (0.5, 0.5)
	size   float64 // half the object's nominal size
	turn   mat3    // from the camera's axes to the object's own: x right, y down, z towards the eye
	cos    float32 // the turn in the picture, for flat shapes
	sin    float32
	phase  float64 // of an inner motion: wheels, wings; in turns
	flip   bool    // looks left
	shadow shadow

	x0, y0, x1, y1 int // the pixels that may be covered, not clipped to the picture
}

// state is where an object is at a time, normalised: what the motions set.
type state struct {
	x, y       float64 // centre, 0..1 of the picture's width and height
	scale      float64 // of the object's own size
	ax, ay, az float64 // turns about the three axes, radians
	phase      float64
	flip       bool
	ground     float64 // the height of the ground under it, 0..1; 0 for no shadow
}

// place turns a state into a pose.
func (s *state) place(p *pose, sh shape, size, w, h float64, v view) {
	*p = pose{x: s.x*w + v.dx, y: s.y*h + v.dy, size: size * s.scale * h, phase: s.phase, flip: s.flip}
	p.turn = turned(s.ax, s.ay, s.az)
	sin, cos := math.Sincos(s.az)
	p.cos, p.sin = float32(cos), float32(sin)
	rx, ry := sh.reach(p)
	p.x0, p.x1 = int(math.Floor(p.x-rx*p.size))-2, int(math.Ceil(p.x+rx*p.size))+2
	p.y0, p.y1 = int(math.Floor(p.y-ry*p.size))-2, int(math.Ceil(p.y+ry*p.size))+2
	if s.ground > 0 {
		above := math.Max(0, s.ground-s.y) * h / p.size
		p.shadow = newShadow(p.x, s.ground*h+v.dy, p.size*(rx*0.85+0.08*above), 0.42/(1+0.5*math.Max(0, above-1)))
	}
}

// shadow is a soft dark ellipse on the lawn.
type shadow struct {
	x, y, rx, ry float64
	depth        float32
}

func newShadow(x, y, radius, depth float64) shadow {
	return shadow{x: x, y: y, rx: radius, ry: radius * 0.26, depth: float32(depth)}
}

// shade darkens row y of the picture under the pose's shadow.
func (p *pose) shade(row []byte, y, width int) {
	s := &p.shadow
	if s.depth == 0 {
		return
	}
	dy := (float64(y) + 0.5 - s.y) / s.ry
	if dy*dy >= 1 {
		return
	}
	half := s.rx * math.Sqrt(1-dy*dy)
	x0, x1 := max(int(s.x-half), 0), min(int(s.x+half), width)
	for x := x0; x < x1; x++ {
		dx := (float64(x) + 0.5 - s.x) / s.rx
		k := 1 - float32(dx*dx+dy*dy)
		m := 256 - uint32(256*s.depth*min(k*1.6, 1)*clamp32(k*2))
		d := row[3*x : 3*x+3 : 3*x+3]
		d[0], d[1], d[2] = byte(uint32(d[0])*m>>8), byte(uint32(d[1])*m>>8), byte(uint32(d[2])*m>>8)
	}
}

// mat3 is a rotation, row by row.
type mat3 [9]float32

// turned is the rotation about x, then y, then z.
func turned(ax, ay, az float64) mat3 {
	sx, cx := math.Sincos(ax)
	sy, cy := math.Sincos(ay)
	sz, cz := math.Sincos(az)
	return mat3{
		float32(cy * cz), float32(cy * sz), float32(-sy),
		float32(sx*sy*cz - cx*sz), float32(sx*sy*sz + cx*cz), float32(sx * cy),
		float32(cx*sy*cz + sx*sz), float32(cx*sy*sz - sx*cz), float32(cx * cy),
	}
}

func (m *mat3) apply(x, y, z float32) (float32, float32, float32) {
	return m[0]*x + m[1]*y + m[2]*z, m[3]*x + m[4]*y + m[5]*z, m[6]*x + m[7]*y + m[8]*z
}

// The direction to the light, and half-way between it and the eye; unit vectors.
const (
	lampX, lampY, lampZ = -0.45, -0.65, 0.612
	halfX, halfY, halfZ = -0.2506, -0.3620, 0.8978
)

// lit is the light on a surface that faces (x, y, z): diffuse and highlight.
func lit(x, y, z float32) (diffuse, shine float32) {
	diffuse = 0.38 + 0.72*max(0, x*lampX+y*lampY+z*lampZ)
	s := max(0, x*halfX+y*halfY+z*halfZ)
	s *= s
	s *= s
	s *= s
	s *= s
	return diffuse, s * s
}
