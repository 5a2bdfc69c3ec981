package overlay

import (
	"image/color"
	"math"

	"github.com/segedge/segedge/seg"
)

// goldenAngle spreads hues so that any run of ids is far apart on the wheel (phyllotaxis; 360°·(2−φ)).
const goldenAngle = 137.50776405003785

// Color is the colour of an object: the same for an id always and everywhere, far from those of its neighbours in the
// list, bright enough for a dark background and saturated enough for a light one. Hues step by the golden angle in
// OKLCH (Ottosson 2020), where equal steps look equal; lightness alternates so that hues that come close again differ.
func Color(id seg.ID) color.RGBA {
	hue := math.Mod(float64(id)*goldenAngle+40, 360) * math.Pi / 180
	light := [...]float64{0.64, 0.82}[id%2]
	for chroma := 0.21; ; chroma -= 0.01 { // the most saturated colour that a screen can show
		if r, g, b, ok := oklch(light, chroma, hue); ok || chroma < 0.02 {
			return color.RGBA{channel(r), channel(g), channel(b), 255}
		}
	}
}

// oklch converts to linear sRGB; ok is false where the colour lies outside what sRGB can show.
func oklch(l, c, h float64) (r, g, b float64, ok bool) {
	a, bb := c*math.Cos(h), c*math.Sin(h)
	lc := cube(l + 0.3963377774*a + 0.2158037573*bb)
	mc := cube(l - 0.1055613458*a - 0.0638541728*bb)
	sc := cube(l - 0.0894841775*a - 1.2914855480*bb)
	r = 4.0767416621*lc - 3.3077115913*mc + 0.2309699292*sc
	g = -1.2684380046*lc + 2.6097574011*mc - 0.3413193965*sc
	b = -0.0041960863*lc - 0.7034186147*mc + 1.7076147010*sc
	in := func(v float64) bool { return v >= -0.002 && v <= 1.002 }
	return r, g, b, in(r) && in(g) && in(b)
}

func cube(v float64) float64 { return v * v * v }

// channel is the sRGB byte of a linear value.
func channel(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(v*255 + 0.5)
}
