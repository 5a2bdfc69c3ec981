package grounding

import (
	"math"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// The eleven basic colour terms of English (Berlin and Kay 1969).
const (
	black = iota
	white
	grey
	red
	orange
	yellow
	green
	blue
	purple
	pink
	brown
	terms
)

var termNames = [terms]string{"black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"}

// otherNames are what else the terms are called, and names of finer colours.
var otherNames = map[string]string{
	"gray":      "grey",
	"silver":    "grey",
	"violet":    "purple",
	"lilac":     "purple",
	"lavender":  "purple",
	"magenta":   "pink",
	"navy":      "blue",
	"azure":     "blue",
	"cyan":      "blue",
	"turquoise": "green",
	"teal":      "green",
	"lime":      "green",
	"olive":     "green",
	"khaki":     "green",
	"maroon":    "red",
	"crimson":   "red",
	"scarlet":   "red",
	"gold":      "yellow",
	"golden":    "yellow",
	"blond":     "yellow",
	"blonde":    "yellow",
	"beige":     "brown",
	"tan":       "brown",
	"cream":     "white",
	"ivory":     "white",
	"rose":      "pink",
	"salmon":    "pink",
}

// colourOf is the basic term that a word names.
func colourOf(word string) (string, bool) {
	if c, ok := otherNames[word]; ok {
		return c, true
	}
	for _, n := range termNames {
		if n == word {
			return n, true
		}
	}
	return "", false
}

// named are colours of the table of CSS (W3C, CSS Color Module Level 4, section 6.1) with the basic term that each is a kind of. A pixel
// has the term of the nearest of them in CIELAB.
var named = []struct {
	rgb  uint32
	term int
}{
	{0x000000, black},
	{0x2f4f4f, black},
	{0x696969, grey},
	{0x808080, grey},
	{0xa9a9a9, grey},
	{0xc0c0c0, grey},
	{0x708090, grey},
	{0x778899, grey},
	{0xffffff, white},
	{0xf5f5f5, white},
	{0xfffafa, white},
	{0xf8f8ff, white},
	{0xf0f8ff, white},
	{0xfaf0e6, white},
	{0xdcdcdc, white},
	{0xfffff0, white},
	{0xfdf5e6, white},
	{0xff0000, red},
	{0xdc143c, red},
	{0xb22222, red},
	{0x8b0000, red},
	{0x800000, red},
	{0xcd5c5c, red},
	{0xffa500, orange},
	{0xff8c00, orange},
	{0xff7f50, orange},
	{0xff6347, orange},
	{0xff4500, orange},
	{0xffff00, yellow},
	{0xffd700, yellow},
	{0xf0e68c, yellow},
	{0xdaa520, yellow},
	{0xeee8aa, yellow},
	{0xffffe0, yellow},
	{0xfffacd, yellow},
	{0x008000, green},
	{0x00ff00, green},
	{0x228b22, green},
	{0x006400, green},
	{0x2e8b57, green},
	{0x6b8e23, green},
	{0x556b2f, green},
	{0x808000, green},
	{0x9acd32, green},
	{0x98fb98, green},
	{0x3cb371, green},
	{0x8fbc8f, green},
	{0x20b2aa, green},
	{0x008080, green},
	{0x0000ff, blue},
	{0x000080, blue},
	{0x4169e1, blue},
	{0x1e90ff, blue},
	{0x00bfff, blue},
	{0x87ceeb, blue},
	{0x4682b4, blue},
	{0x6495ed, blue},
	{0xadd8e6, blue},
	{0x191970, blue},
	{0x00008b, blue},
	{0xb0c4de, blue},
	{0x5f9ea0, blue},
	{0x00ffff, blue},
	{0x800080, purple},
	{0x8a2be2, purple},
	{0x4b0082, purple},
	{0x9370db, purple},
	{0x9932cc, purple},
	{0xba55d3, purple},
	{0x483d8b, purple},
	{0xdda0dd, purple},
	{0xffc0cb, pink},
	{0xff69b4, pink},
	{0xff1493, pink},
	{0xffb6c1, pink},
	{0xdb7093, pink},
	{0xff00ff, pink},
	{0xa52a2a, brown},
	{0x8b4513, brown},
	{0xa0522d, brown},
	{0xd2691e, brown},
	{0xcd853f, brown},
	{0xbc8f8f, brown},
	{0xd2b48c, brown},
	{0xdeb887, brown},
	{0xf4a460, brown},
	{0xf5deb3, brown},
}

// lab is a colour in CIELAB.
type lab struct{ l, a, b float64 }

// labOf converts linear light of sRGB's primaries, 0..1 (IEC 61966-2-1; CIE 15, D65).
func labOf(r, g, b float64) lab {
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*r + 0.3575761*g + 0.1804375*b) / 0.95047)
	y := f(0.2126729*r + 0.7151522*g + 0.0721750*b)
	z := f((0.0193339*r + 0.1191920*g + 0.9503041*b) / 1.08883)
	return lab{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// linear is sRGB's transfer function, by byte.
var linear = func() (t [256]float64) {
	for i := range t {
		if v := float64(i) / 255; v <= 0.04045 {
			t[i] = v / 12.92
		} else {
			t[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return t
}()

// table is named in CIELAB.
var table = func() []lab {
	out := make([]lab, len(named))
	for i, n := range named {
		out[i] = labOf(linear[n.rgb>>16], linear[n.rgb>>8&255], linear[n.rgb&255])
	}
	return out
}()

// Chroma below which nobody names a hue: the sky shows in everything that is grey, and more in what is dark.
const (
	faint     = 7
	faintDark = 16
	dark      = 40 // lightness
)

// termOf is the basic term of a colour: of the table's nearest by CIE94, which asks less of chroma and hue the more colourful the table's
// is, as people do who call a washed-out brown brown (CIE 116-1995, graphic arts).
func termOf(c lab) int {
	chroma := math.Hypot(c.a, c.b)
	colourless := chroma < faint || c.l < dark && chroma < faintDark
	best, term := math.Inf(1), 0
	for i, t := range table {
		if colourless && named[i].term > grey {
			continue
		}
		dl, tc := c.l-t.l, math.Hypot(t.a, t.b)
		dc := chroma - tc
		dh := (c.a-t.a)*(c.a-t.a) + (c.b-t.b)*(c.b-t.b) - dc*dc
		sc, sh := 1+0.045*tc, 1+0.015*tc
		if d := dl*dl + dc*dc/(sc*sc) + dh/(sh*sh); d < best {
			best, term = d, named[i].term
		}
	}
	return term
}

// light is what the scene's light makes of white: the gains that take it back, of red, green and blue.
type light [3]float64

// Bounds of the light's correction: a scene of orange things is not a white one in orange light.
const (
	minkowski = 6    // the norm of Finlayson and Trezzi's shades of grey (2004)
	maxTint   = 1.25 // between channels
	maxGain   = 2.5  // of all
	bright    = 0.75 // linear light that the norm's brightest is taken to
)

// lightOf estimates the scene's light by shades of grey, on every fourth pixel each way.
func lightOf(f *frame.Frame) light {
	var sum [3]float64
	n, histogram := 0.0, [256]int{}
	for y := 0; y < f.Height; y += 4 {
		for x := 0; x < f.Width; x += 4 {
			p := f.Pix[y*f.Stride()+3*x:][:3]
			for c := range 3 {
				sum[c] += math.Pow(linear[p[2-c]], minkowski)
			}
			histogram[max(p[0], p[1], p[2])]++
			n++
		}
	}
	top, seen := 255, 0.0
	for ; top > 0 && seen < 0.02*n; top-- {
		seen += float64(histogram[top])
	}
	gain := min(max(bright/max(linear[top], 1e-3), 1), maxGain)
	var g light
	mean := 0.0
	for c := range g {
		g[c] = math.Pow(sum[c]/max(n, 1), 1.0/minkowski)
		mean += g[c] / 3
	}
	for c := range g {
		g[c] = gain * min(max(mean/max(g[c], 1e-6), 1/maxTint), maxTint)
	}
	return g
}

// colours are the shares of the basic terms among the pixels of a mask, and their mean lightness, in the scene's light.
type colours struct {
	share [terms]float64
	l     float64
}

func coloursOf(f *frame.Frame, m *seg.Mask, g light) colours {
	var out colours
	n := 0.0
	step := max(1, int(math.Sqrt(float64(m.Count())/4000)))
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y += step {
		row := m.Row(y)
		for i := 0; i < len(row); i += step {
			if row[i] == 0 {
				continue
			}
			p := f.Pix[y*f.Stride()+3*(m.Rect.Min.X+i):][:3]
			c := labOf(min(linear[p[2]]*g[0], 1), min(linear[p[1]]*g[1], 1), min(linear[p[0]]*g[2], 1))
			out.share[termOf(c)]++
			out.l += c.l
			n++
		}
	}
	for i := range out.share {
		out.share[i] /= max(n, 1)
	}
	out.l /= max(n, 1)
	return out
}
