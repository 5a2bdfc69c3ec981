package synthetic

import "math"

// mix64 scrambles 64 bits (the finaliser of SplitMix64, Steele et al. 2014).
func mix64(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// lattice is a random number in 0..1 for each integer place.
func lattice(seed uint64, x, y int) float64 {
	h := mix64(seed ^ uint64(uint32(x))<<32 ^ uint64(uint32(y)))
	return float64(h>>11) / (1 << 53)
}

// valueNoise interpolates the lattice smoothly; 0..1.
func valueNoise(seed uint64, x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	u, v := fade(x-fx), fade(y-fy)
	a := lattice(seed, ix, iy)
	b := lattice(seed, ix+1, iy)
	c := lattice(seed, ix, iy+1)
	d := lattice(seed, ix+1, iy+1)
	return a + u*(b-a) + v*(c-a+u*(a-b-c+d))
}

func fade(t float64) float64 { return t * t * (3 - 2*t) }

// fbm sums octaves of value noise, each twice as fine and half as strong; 0..1.
func fbm(seed uint64, x, y float64, octaves int) float64 {
	sum, amp, norm := 0.0, 1.0, 0.0
	for i := range octaves {
		sum += amp * valueNoise(seed+uint64(i)*7919, x, y)
		norm += amp
		amp /= 2
		x, y = 2*x+17.3, 2*y+5.1
	}
	return sum / norm
}

// grainSize is the side of the solid texture.
const grainSize = 32

// grain is a solid texture: a cube of values in -1..1 that repeats, sampled with trilinear interpolation. A ball that
// turns through it shows the same marks on the same places.
type grain [grainSize * grainSize * grainSize]float32

func newGrain(seed uint64) *grain {
	g := new(grain)
	for i := range g {
		g[i] = float32(mix64(seed+uint64(i))>>40)/(1<<23) - 1
	}
	return g
}

// at samples the texture; x, y and z must lie above -1024.
func (g *grain) at(x, y, z float32) float32 {
	x, y, z = x+1024, y+1024, z+1024
	ix, iy, iz := int(x), int(y), int(z)
	u, v, w := x-float32(ix), y-float32(iy), z-float32(iz)
	const m = grainSize - 1
	x0, x1 := ix&m, (ix+1)&m
	y0, y1 := (iy&m)*grainSize, ((iy+1)&m)*grainSize
	z0, z1 := (iz&m)*grainSize*grainSize, ((iz+1)&m)*grainSize*grainSize
	a := lerp(lerp(g[x0+y0+z0], g[x1+y0+z0], u), lerp(g[x0+y1+z0], g[x1+y1+z0], u), v)
	b := lerp(lerp(g[x0+y0+z1], g[x1+y0+z1], u), lerp(g[x0+y1+z1], g[x1+y1+z1], u), v)
	return lerp(a, b, w)
}

func lerp(a, b, k float32) float32 { return a + k*(b-a) }
