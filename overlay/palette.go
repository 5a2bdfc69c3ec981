package overlay

import (
	"image/color"
	"math"

	"github.com/segedge/segedge/seg"
)

// paletteColors are the colours to choose from: those of the first ids.
const paletteColors = 24

// From these distances on (see apart) more makes no difference: to the object's own colour, and to those of its neighbours.
const (
	enoughFromOwn  = 0.24
	enoughFromNext = 0.14
)

// Palette chooses the colour of a new object: the one that Color gives its number, if it stands out from the object's own mean colour and
// from the colours of its neighbours, else the one of the palette that does so best.
func Palette(id seg.ID, own color.RGBA, near []color.RGBA) color.RGBA {
	best, most := Color(id), -1.0
	for i := range seg.ID(paletteColors) {
		c := Color(id)
		if i > 0 {
			c = Color((id+i)%paletteColors + 1)
		}
		score := min(apart(c, own)/enoughFromOwn, 1)
		for _, n := range near {
			score = min(score, apart(c, n)/enoughFromNext)
		}
		if score > most {
			best, most = c, score
		}
	}
	return best
}

// ColorOf is what an object is painted in, everywhere.
func ColorOf(o *seg.Object) color.RGBA {
	if o.Color.A > 0 {
		return o.Color
	}
	return Color(o.ID)
}

// apart is how far two colours are from each other in OKLab, where lightness counts half: light changes over an object, and its hue does
// not.
func apart(a, b color.RGBA) float64 {
	l0, a0, b0 := oklab(a)
	l1, a1, b1 := oklab(b)
	return math.Sqrt((l1-l0)*(l1-l0)/4 + (a1-a0)*(a1-a0) + (b1-b0)*(b1-b0))
}

// oklab is the inverse of oklch, in rectangular coordinates.
func oklab(c color.RGBA) (l, a, b float64) {
	r, g, bl := linear(c.R), linear(c.G), linear(c.B)
	x := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*bl)
	y := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*bl)
	z := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*bl)
	l = 0.2104542553*x + 0.7936177850*y - 0.0040720468*z
	a = 1.9779984951*x - 2.4285922050*y + 0.4505937099*z
	return l, a, 0.0259040371*x + 0.7827717662*y - 0.8086757660*z
}

// linear is the inverse of channel.
func linear(c uint8) float64 {
	v := float64(c) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}
