package tracker

import (
	"github.com/segedge/segedge/tracker/motion"
	"image"
	"math"
	"slices"
)

// palette is what colours an object and its surroundings have: two histograms over 16 steps of each channel, and the log odds that they
// give to each colour.
type palette struct {
	first [2][]float32 // outside, inside; of the first mask, never forgotten
	bins  [2][]float32 // of the newer ones
	odds  []int8       // in 1/paletteScale
	ready bool
}

const (
	paletteSide  = 16
	paletteBins  = paletteSide * paletteSide * paletteSide
	paletteScale = 16.0
	paletteKeep  = 0.9 // of the old counts at each keyframe
	paletteFirst = 4.0 // what the first mask weighs, and keeps
	paletteSure  = 4   // steps of a patch from 0 within which a pixel is left out
	paletteMin   = 2.0 // pseudo count: how many pixels it takes to believe in a colour
)

// clone is an independent copy.
func (c *palette) clone() palette {
	if !c.ready {
		return palette{}
	}
	d := *c
	for k := range d.bins {
		d.first[k], d.bins[k] = slices.Clone(c.first[k]), slices.Clone(c.bins[k])
	}
	d.odds = slices.Clone(c.odds)
	return d
}

func bin(p []byte) int { return int(p[0]>>4)<<8 | int(p[1]>>4)<<4 | int(p[2]>>4) }

// learn counts the colours of a picture inside and outside a patch, within rect, by how sure the patch is.
func (c *palette) learn(bgr []byte, w int, p *patch, rect image.Rectangle) {
	if c.bins[0] == nil {
		c.odds = make([]int8, paletteBins)
		for k := range c.bins {
			c.first[k], c.bins[k] = make([]float32, paletteBins), make([]float32, paletteBins)
		}
	}
	if !c.ready {
		clear(c.bins[0])
		clear(c.bins[1])
	} else {
		for k := range c.bins {
			for i := range c.bins[k] {
				c.bins[k][i] *= paletteKeep
			}
		}
	}
	for y := rect.Min.Y; y < rect.Max.Y; y++ {
		for x := rect.Min.X; x < rect.Max.X; x++ {
			v := p.cell(x, y)
			k := 0
			if v > 0 {
				k = 1
			}
			if v > -paletteSure && v < paletteSure {
				continue
			}
			c.bins[k][bin(bgr[3*(y*w+x):])]++
		}
	}
	if !c.ready {
		for k := range c.bins {
			for i, v := range c.bins[k] {
				c.first[k][i] = v * paletteFirst
			}
		}
	}
	c.weigh()
	c.ready = true
}

// weigh turns counts into log odds. Each bin takes a share of its six neighbours, since a colour wavers with light and noise.
func (c *palette) weigh() {
	var sum [2]float64
	for k := range c.bins {
		for i, v := range c.bins[k] {
			sum[k] += float64(v + c.first[k][i])
		}
	}
	if sum[0] == 0 || sum[1] == 0 {
		return
	}
	for i := range c.odds {
		in, out := c.around(1, i)/sum[1], c.around(0, i)/sum[0]
		prior := paletteMin / min(sum[0], sum[1])
		l := math.Log((in + prior) / (out + prior))
		c.odds[i] = int8(math.Round(min(max(l*paletteScale, -127), 127)))
	}
}

func (c *palette) around(k, i int) float64 {
	a, b := c.first[k], c.bins[k]
	s := (a[i] + b[i]) * 2
	for _, d := range [3]int{1, 16, 256} {
		at := i / d & 15
		if at > 0 {
			s += a[i-d] + b[i-d]
		}
		if at < 15 {
			s += a[i+d] + b[i+d]
		}
	}
	return float64(s) / 8
}

// near is the mean log odds of the colours of the nine pixels about a place of e, each held to ±nearClip.
func (c *palette) near(e *motion.Entry, x, y float64) float64 {
	sum := float32(0)
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			u, v := min(max(int(x+0.5)+dx, 0), e.Gray.W-1), min(max(int(y+0.5)+dy, 0), e.Gray.H-1)
			sum += min(max(c.logit(e.BGR[3*(v*e.Gray.W+u):]), -nearClip), nearClip)
		}
	}
	return float64(sum) / 9
}

const nearClip = 3

// logit is the log odds of a pixel's colour.
func (c *palette) logit(p []byte) float32 { return float32(c.odds[bin(p)]) * (1 / paletteScale) }
