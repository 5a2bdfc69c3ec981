package known

import (
	"cmp"
	"image"
	"math"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/seg"
)

// A shape says for the place (x, y) of a picture, in pixels, how far inside of it that is, in pixels; negative outside.
type shape func(x, y float64) float64

// ellipse is one of the given centre and radii; a disc where they are equal.
func ellipse(cx, cy, rx, ry float64) shape {
	return func(x, y float64) float64 { return (1 - math.Hypot((x-cx)/rx, (y-cy)/ry)) * min(rx, ry) }
}

// block is a rectangle that is narrower by slope at its top, as a shirt is.
func block(x0, y0, x1, y1, slope float64) shape {
	return func(x, y float64) float64 {
		in := slope * (y1 - y) / (y1 - y0)
		return min(x-x0-in, x1-in-x, y-y0, y1-y)
	}
}

// layer is a thing of one colour, red, green and blue.
type layer struct {
	in     shape
	colour [3]float64
}

// scene is a picture as code: things on a ground, each before those that come first.
type scene struct {
	w, h   int
	ground [3]float64
	things []layer
	// grain is the span of the noise of each channel, in levels; 0 is 8.
	grain float64
}

// paint draws the scene: edges are a pixel soft, light falls from the top left, and everything has a little grain, as cameras have it.
func (s *scene) paint() *frame.Frame {
	f := frame.New(s.w, s.h)
	noise, span := uint32(1), cmp.Or(s.grain, 8)
	for y := range s.h {
		for x := range s.w {
			px, py := float64(x)+0.5, float64(y)+0.5
			c := s.ground
			for _, l := range s.things {
				cover := min(max(l.in(px, py)+0.5, 0), 1)
				for k := range c {
					c[k] += (l.colour[k] - c[k]) * cover
				}
			}
			light := 1.06 - 0.12*(px/float64(s.w)+py/float64(s.h))/2
			out := f.Pix[y*f.Stride()+3*x:][:3]
			for k := range c {
				noise = noise*1664525 + 1013904223 // the linear congruential generator of Numerical Recipes
				out[2-k] = byte(min(max(c[k]*light+float64(noise>>24)/256*span-span/2, 0), 255))
			}
		}
	}
	return f
}

// mask is what belongs to a thing and is not hidden behind a later one.
func (s *scene) mask(thing int) *seg.Mask {
	m := seg.NewMask(s.w, s.h, image.Rect(0, 0, s.w, s.h))
	for y := range s.h {
		row := m.Row(y)
		for x := range row {
			for i, l := range s.things {
				if l.in(float64(x)+0.5, float64(y)+0.5) > 0 {
					row[x] = 0
					if i == thing {
						row[x] = 1
					}
				}
			}
		}
	}
	return m.Trim()
}

// The colours of the scenes. What is asked for is red on a ground that is not.
var (
	red    = [3]float64{196, 44, 38}
	slate  = [3]float64{70, 92, 118}
	meadow = [3]float64{84, 116, 70}
	wall   = [3]float64{96, 128, 124}
	skin   = [3]float64{74, 176, 150}
	indigo = [3]float64{30, 40, 88}
	olive  = [3]float64{60, 150, 60}
)

func discs() *scene {
	return &scene{w: 460, h: 460, ground: slate, things: []layer{
		{ellipse(130, 120, 20, 20), red},
		{ellipse(330, 300, 84, 84), red},
		{ellipse(380, 90, 40, 40), olive},
		{ellipse(110, 340, 46, 30), indigo},
		{ellipse(236, 60, 11, 11), red},
	}}
}

func lookAlikes() *scene {
	return &scene{w: 460, h: 460, ground: meadow, things: []layer{{ellipse(120, 230, 20, 20), red}, {ellipse(340, 210, 20, 20), red}}}
}

func shirt() *scene {
	return &scene{w: 460, h: 460, ground: wall, things: []layer{
		{block(222, 250, 258, 330, 2), indigo}, {ellipse(240, 182, 16, 20), skin}, {block(220, 202, 260, 238, 5), red},
	}}
}

func wide() *scene {
	return &scene{w: 1500, h: 220, ground: slate, things: []layer{{ellipse(1290, 80, 120, 52), red}, {ellipse(300, 150, 60, 40), olive}}}
}

func tall() *scene {
	return &scene{w: 220, h: 1500, ground: meadow, things: []layer{{ellipse(80, 1290, 52, 120), red}, {ellipse(150, 300, 40, 60), indigo}}}
}

// faint are discs that differ from their ground by 8 levels of red, in a grain that spans 40.
func faint() (out []*scene) {
	for _, g := range [][3]float64{{110, 110, 110}, {60, 60, 60}, {150, 150, 140}} {
		reddish := [3]float64{g[0] + 8, g[1], g[2]}
		out = append(out, &scene{w: 460, h: 460, ground: g, grain: 40, things: []layer{
			{ellipse(130, 120, 28, 28), reddish}, {ellipse(320, 300, 56, 42), reddish},
		}})
	}
	return out
}
