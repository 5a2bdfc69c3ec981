package overlay

import (
	"image/color"

	"github.com/segedge/segedge/seg"
)

// style is how a mask looks. Opacities are 0..1, widths are in pixels of a picture 720 high.
type style struct {
	fill  float64
	line  float64
	halo  float64 // of the dark seam outside the line, which keeps it visible on a background of its own colour
	grey  float64 // how much the colour fades
	width float64
	dash  bool
}

var (
	candidateStyle = style{fill: 0.10, line: 0.9, halo: 0.35, width: 1.2, dash: true}
	solidStyle     = style{fill: 0.40, line: 1, halo: 0.45, width: 2.2}
	unsureStyle    = style{fill: 0.22, line: 0.95, halo: 0.4, width: 2, dash: true}
	fadedStyle     = style{fill: 0.10, line: 0.75, halo: 0.3, grey: 0.5, width: 1.6, dash: true}
)

func styleOf(s seg.State) style {
	switch s {
	case seg.Tracking:
		return solidStyle
	case seg.Tentative, seg.Uncertain:
		return unsureStyle
	default:
		return fadedStyle
	}
}

// blend says what becomes of a pixel: v·mul/256 + add/256, a channel each.
type blend struct{ mul, b, g, r uint32 }

// table is the blend for each coverage.
type table [256]blend

// build computes the blend for each coverage, where coverage changes by slope a pixel at the edge. Without line it
// is the gap of a dash.
func (t *table) build(s style, c color.RGBA, slope, thick float64, line bool) {
	c = fade(c, s.grey)
	width := min(max(1, s.width*thick), 0.5/slope) // coverage says nothing of what lies deeper
	for i := range t {
		d := (float64(i)/255 - 0.5) / slope // distance inside the edge, pixels
		fill := s.fill * clamp01(d+0.5)
		edge, halo := 0.0, 0.0
		if line {
			edge = s.line * clamp01(d+1) * clamp01(width-d)
			halo = s.halo * clamp01(d+2.2) * clamp01(-d)
		}
		if i == 0 {
			fill, edge, halo = 0, 0, 0
		}
		keep := (1 - fill) * (1 - halo) * (1 - edge)
		paint := fill*(1-halo)*(1-edge) + edge
		t[i] = blend{
			mul: uint32(keep*256 + 0.5),
			b:   uint32(paint * float64(c.B) * 256), g: uint32(paint * float64(c.G) * 256), r: uint32(paint * float64(c.R) * 256),
		}
	}
}

// fade mixes a colour with grey.
func fade(c color.RGBA, by float64) color.RGBA {
	mix := func(v uint8) uint8 { return uint8(float64(v)*(1-by) + 190*by) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 255}
}

func clamp01(v float64) float64 { return min(max(v, 0), 1) }
