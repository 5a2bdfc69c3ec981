package synthetic

import (
	"math"
	"slices"
	"testing"

	"github.com/segedge/segedge/testkit"
)

// Eight bytes at a time must give what one at a time gives.
func TestLightIsExact(t *testing.T) {
	testkit.Long(t)
	for _, width := range []int{64, 66, 70, 322} {
		o := Options{Width: width, Height: 100, Preset: "default", Noise: 2, Seed: 9}
		l := newLight(o)
		shade := make([]uint64, l.shadeLen())
		sun := l.prepare(4, shade)
		for y := 0; y < 100; y += 7 {
			row := make([]byte, 3*width)
			for i := range row {
				row[i] = byte(mix64(uint64(y*len(row)+i)) % (top + 1))
			}
			want := slices.Clone(row)
			slowly(l, want, 3, y, sun, shade)
			if l.apply(row, 3, y, sun, shade); !slices.Equal(row, want) {
				t.Fatalf("width %d, row %d differs", width, y)
			}
		}
	}
}

// slowly is the definition of apply.
func slowly(l *light, row []byte, n uint64, y int, sun uint64, shade []uint64) {
	start := int(mix64(l.seed^n<<20^uint64(y)) % noiseWords)
	deep := uint64(256 * smooth(horizon-0.16, horizon+0.06, float64(y)/float64(l.height)))
	for i := range row {
		word := i / 8
		k := sun - shade[l.slant*y/l.height+word]*deep>>8
		noise := l.noise[(start+word)&(noiseWords-1)] >> (8 * (i % 8)) & 0xff
		if word == l.words { // the rest of a row that is not a multiple of eight
			noise = l.noise[start] >> (8 * (i % 8)) & 0xff
		}
		row[i] = byte(uint64(row[i])*k>>8 + noise)
	}
}

func TestNoiseNeverCarries(t *testing.T) {
	testkit.Long(t)
	for _, sigma := range []float64{0, 2, 3} {
		for _, w := range newNoise(1, sigma) {
			if w&0xf0f0f0f0f0f0f0f0 != 0 {
				t.Fatalf("noise %#x exceeds 15", w)
			}
		}
	}
	if level(1000) != top || level(-5) != 0 || level(7.6) != 8 {
		t.Error("levels must stay within what the noise may be added to")
	}
}

func TestLightStaysInRange(t *testing.T) {
	for _, p := range Presets() {
		sun, clouds := sunOf(p)
		darkest, brightest := 1.0, 0.0
		for i := range 900 {
			v := sun(float64(i) / 30)
			darkest, brightest = math.Min(darkest, v), math.Max(brightest, v)
		}
		if brightest > 1 || darkest*(1-clouds) < 0.25 {
			t.Errorf("%s: light from %.2f to %.2f, clouds %.2f", p, darkest, brightest, clouds)
		}
		if p == "light" && darkest > 0.6 {
			t.Errorf("light: never darker than %.2f", darkest)
		}
	}
}

func TestSmoothNoise(t *testing.T) {
	testkit.Long(t)
	last := valueNoise(1, -3, 0.5)
	for i := range 6000 {
		v := valueNoise(1, -3+float64(i)/1000, 0.5)
		if v < 0 || v > 1 || math.Abs(v-last) > 0.01 {
			t.Fatalf("value %.3f after %.3f", v, last)
		}
		last = v
		if f := fbm(2, float64(i), 0.3*float64(i), 4); f < 0 || f > 1 {
			t.Fatalf("fbm %.3f", f)
		}
	}
	g := newGrain(1)
	if a, b := g.at(1.5, -2.5, 3), g.at(1.5+grainSize, -2.5-grainSize, 3); math.Abs(float64(a-b)) > 1e-3 {
		t.Errorf("the grain must repeat: %.3f and %.3f", a, b)
	}
	if a := g.at(-4, 7, 2); a != g[(-4&31)+7*grainSize+2*grainSize*grainSize] {
		t.Errorf("at a lattice point: %.3f", a)
	}
}

func TestBackdropPansWithoutSteps(t *testing.T) {
	flat := make([]rgb, 20)
	for i := range flat {
		flat[i] = rgb{30, 20, 10}
	}
	row := make([]byte, 60)
	for k := range subpixels {
		shiftRow(row, flat, float32(k)/subpixels)
		for i, v := range row {
			if v != []byte{10, 20, 30}[i%3] {
				t.Fatalf("a flat row moved by %d/4 is %v", k, row)
			}
		}
	}
	spike := make([]rgb, 20)
	spike[10] = rgb{200, 200, 200}
	for k := range subpixels {
		shiftRow(row, spike, float32(k)/subpixels)
		sum, moment := 0.0, 0.0
		for x := range 20 {
			sum += float64(row[3*x])
			moment += float64(row[3*x]) * float64(x)
		}
		near(t, "the spike's place", moment/sum, 10-float64(k)/subpixels, 0.02)
	}
}

func TestMotions(t *testing.T) {
	near(t, "sway at 0", sway(0, 0.5, 0.3, 8, 0.4, true), 0.4, 1e-9)
	if sway(0.1, 0.5, 0.3, 8, 0.4, true) <= 0.4 || sway(0.1, 0.5, 0.3, 8, 0.4, false) >= 0.4 {
		t.Error("sway sets out the wrong way")
	}
	near(t, "bounce at its top", bounce(0.5, 0.3, 1, 0), 0.3, 1e-9)
	near(t, "bounce on the ground", bounce(3, 0.3, 1, 0), 0, 1e-9)
	near(t, "settled", settle(5, 0.8), 0.8, 1e-9)
	near(t, "not settled", settle(0, 0.8), 0.5, 1e-9)
	for _, c := range []struct {
		t, x float64
		back bool
	}{{0, 0.2, false}, {8, 1, false}, {10, 0.8, true}, {18, 0, true}, {20, 0.2, false}} {
		x, back := shuttle(c.t, 0.1, 0.2, 0, 1)
		near(t, "shuttle", x, c.x, 1e-9)
		if back != c.back && c.x > 0 && c.x < 1 {
			t.Errorf("shuttle at %gs: back %v", c.t, back)
		}
	}
	near(t, "a wheel's turn", roll(2*math.Pi*0.1/aspect, 0.1), 2*math.Pi, 1e-9)
}
