package synthetic

import (
	"math"
	"runtime"
	"sync"
)

// backdrop is the painted park: sky, hills and a lawn, wider than the picture. Panning copies each row from its own
// place, near rows faster than far ones, as the ground of a real scene moves. There are four copies, a quarter of a
// pixel apart, so that a slow pan is smooth and still costs no more than a copy.
type backdrop struct {
	height int
	edge   int // rows and columns beyond the picture on each side, for the shake
	w, h   int // of the texture
	phases [subpixels][]byte
}

const (
	subpixels = 4
	horizon   = 0.40 // of the picture's height
	farPan    = 0.30 // how much of the pan the sky shows
	nearPan   = 0.90 // and how much more the bottom of the lawn
)

func newBackdrop(o Options, pan, shake float64) *backdrop {
	edge := int(math.Ceil(shake*float64(o.Width))) + 4
	b := &backdrop{height: o.Height, edge: edge, h: o.Height + 2*edge}
	b.w = o.Width + 2*edge + int(math.Ceil(pan*float64(o.Width)*(farPan+nearPan))) + 4
	base := make([]rgb, b.w*b.h)
	rows(b.h, func(y int) { b.paintRow(base[y*b.w:][:b.w], y, o) })
	for k := range b.phases {
		b.phases[k] = make([]byte, 3*b.w*b.h)
		rows(b.h, func(y int) { shiftRow(b.phases[k][3*y*b.w:][:3*b.w], base[y*b.w:][:b.w], float32(k)/subpixels) })
	}
	return b
}

// rows calls f for each of n rows, on all processors.
func rows(n int, f func(y int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for k := range workers {
		wg.Go(func() {
			for y := k; y < n; y += workers {
				f(y)
			}
		})
	}
	wg.Wait()
}

// shiftRow moves a row left by a part of a pixel with a cubic B-spline: it softens all phases alike, so that panning
// does not shimmer.
func shiftRow(dst []byte, src []rgb, k float32) {
	j := 1 - k
	w0, w3 := j*j*j/6, k*k*k/6
	w1, w2 := 2.0/3-k*k*(2-k)/2, 2.0/3-j*j*(2-j)/2
	for x := range src {
		a, b := src[max(x-1, 0)], src[x]
		c, d := src[min(x+1, len(src)-1)], src[min(x+2, len(src)-1)]
		dst[3*x] = level(w0*a.b + w1*b.b + w2*c.b + w3*d.b)
		dst[3*x+1] = level(w0*a.g + w1*b.g + w2*c.g + w3*d.g)
		dst[3*x+2] = level(w0*a.r + w1*b.r + w2*c.r + w3*d.r)
	}
}

// copyRow copies row y of the picture as the view sees it.
func (b *backdrop) copyRow(dst []byte, y int, v view) {
	ty := min(max(y+b.edge-int(v.dy), 0), b.h-1)
	k := farPan + nearPan*depthAt(float64(y)/float64(b.height))
	q := int(math.Floor(subpixels*(v.pan*k-v.dx) + 0.5))
	x := q>>2 + b.edge
	row := b.phases[q&(subpixels-1)][3*ty*b.w:][:3*b.w]
	copy(dst, row[3*x:])
}

// depthAt is 0 at the horizon and above, 1 at the bottom of the picture.
func depthAt(y float64) float64 { return max(0, (y-horizon)/(1-horizon)) }

// paintRow paints a row of the texture; its coordinates are picture heights.
func (b *backdrop) paintRow(dst []rgb, row int, o Options) {
	h := float64(o.Height)
	y := (float64(row-b.edge) + 0.5) / h
	seed := mix64(o.Seed + 77)
	for i := range dst {
		x := (float64(i-b.edge) + 0.5) / h
		if y > horizon {
			dst[i] = lawn(seed, x-float64(b.w)/(2*h), y)
			continue
		}
		dst[i] = far(seed, x, y, 1/h)
	}
}

// far is the sky, its clouds, the hills and the trees at the edge of the lawn.
func far(seed uint64, x, y, pixel float64) rgb {
	c := rgb{92, 156, 222}.mix(rgb{212, 230, 240}, float32(smooth(0, horizon, y)))
	cloud := fbm(seed, 2.2*x, 6*y+0.7*x, 5)
	white := rgb{250, 250, 248}.mix(rgb{196, 206, 218}, float32(smooth(0.5, 0.8, fbm(seed+5, 5*x, 9*y-0.2, 3))))
	c = c.mix(white, 0.9*float32(smooth(0.5, 0.72, cloud)))
	hill := horizon - 0.05 - 0.09*fbm(seed+11, 1.3*x, 0, 3)
	slope := rgb{128, 164, 166}.mix(rgb{96, 146, 92}, float32(smooth(hill, horizon-0.02, y)))
	slope = slope.mul(float32(0.66 + 0.62*fbm(seed+13, 16*x, 34*y, 4)))
	c = c.mix(slope, float32(smooth(hill-pixel, hill+pixel, y)))
	crown := horizon - 0.014 - 0.13*fbm(seed+17, 9*x, 0, 4)*smooth(0.3, 0.6, valueNoise(seed+19, 1.7*x, 3))
	leaf := fbm(seed+23, 46*x, 46*y, 3)
	trees := rgb{36, 84, 44}.mix(rgb{112, 156, 70}, float32(smooth(0.25, 0.75, leaf+3*(crown+0.03-y))))
	return c.mix(trees, float32(smooth(crown-pixel, crown+2*pixel, y)))
}

// lawn is mown grass with a sandy path and flowers, seen in perspective; x from the picture's middle.
func lawn(seed uint64, x, y float64) rgb {
	d := depthAt(y)
	z := 1 / (d + farPan/nearPan)
	u, v := x*z, 6*z
	stripe := smooth(-0.15, 0.15, math.Sin(2*math.Pi*u*0.75))
	c := rgb{98, 150, 58}.mix(rgb{122, 176, 72}, float32(stripe))
	c = c.mul(float32(0.78 + 0.22*d + 0.1))
	patch := fbm(seed+29, 2.6*u, 2.6*v, 3)
	blade := fbm(seed+31, 30*u, 12*v, 3)
	c = c.mul(float32(0.62 + 0.36*patch + 0.42*blade))
	bend := 0.03 * (fbm(seed+37, 1.2*u, 0, 2) - 0.5)
	sand := rgb{206, 178, 130}.mul(float32(0.74 + 0.34*fbm(seed+41, 26*u, 14*v, 3)))
	wide := min(d-0.21+bend, 0.37+bend-d)
	c = c.mix(sand, float32(smooth(-0.012, 0.012, wide+0.02*(blade-0.5))))
	if wide < -0.02 {
		c = flower(seed+43, u, v, c)
	}
	return c
}

// flower lays a flower over the grass where one grows: at most one in each cell of the lawn.
func flower(seed uint64, u, v float64, grass rgb) rgb {
	const cell = 0.16
	cu, cv := math.Floor(u/cell), math.Floor(v/cell)
	pick := lattice(seed, int(cu), int(cv))
	if pick > 0.45 {
		return grass
	}
	fu := (cu + 0.25 + 0.5*lattice(seed+1, int(cu), int(cv))) * cell
	fv := (cv + 0.25 + 0.5*lattice(seed+2, int(cu), int(cv))) * cell
	r := math.Hypot(u-fu, (v-fv)*0.6) / (0.022 + 0.012*pick)
	petals := [3]rgb{{250, 246, 238}, {246, 214, 60}, {226, 120, 170}}[int(pick*1000)%3]
	c := grass.mix(petals, float32(smooth(1, 0.75, r)))
	return c.mix(rgb{222, 150, 30}, float32(smooth(0.45, 0.3, r)))
}
