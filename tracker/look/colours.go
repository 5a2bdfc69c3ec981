package look

import (
	"image"
	"math"
	"slices"

	"github.com/segedge/segedge/tracker/motion"
	"github.com/segedge/segedge/tracker/shape"
)

// Colours is what colours an object and its surroundings have: two histograms over 16 steps of each channel, and the log-odds that they
// give to each colour (as GrabCut's first step and Bibby and Reid, ECCV 2008, do).
type Colours struct {
	first [2][]float32 // outside, inside; of the first mask, never forgotten
	bins  [2][]float32 // of the newer ones
	odds  []int8       // in 1/colourScale
	usual []int8       // the logarithm of how usual each is inside, in the same steps
	ready bool
}

// What a histogram is made of; arithmetic depends on it, and so it is not for tuning.
const (
	colourSide  = 16
	colourBins  = colourSide * colourSide * colourSide
	colourScale = 16.0
	leastUsual  = 1e-3 // share of the object that no colour is taken to be below
)

func bin(p []byte) int { return int(p[0]>>4)<<8 | int(p[1]>>4)<<4 | int(p[2]>>4) }

// Ready says that something was learnt.
func (c *Colours) Ready() bool { return c.ready }

func (c *Colours) clone() Colours {
	if !c.ready {
		return Colours{}
	}
	d := *c
	for k := range d.bins {
		d.first[k], d.bins[k] = slices.Clone(c.first[k]), slices.Clone(c.bins[k])
	}
	d.odds, d.usual = slices.Clone(c.odds), slices.Clone(c.usual)
	return d
}

// Learn counts the colours of a frame inside and outside a patch, within rect.
func (c *Colours) Learn(k *Tuning, e *motion.Entry, p *shape.Patch, rect image.Rectangle) {
	if c.bins[0] == nil {
		c.odds, c.usual = make([]int8, colourBins), make([]int8, colourBins)
		for side := range c.bins {
			c.first[side], c.bins[side] = make([]float32, colourBins), make([]float32, colourBins)
		}
	}
	c.fade(float32(k.Keep))
	c.count(e, p, rect)
	if !c.ready {
		for side := range c.bins {
			for i, v := range c.bins[side] {
				c.first[side][i] = v * float32(k.ColourFirst)
			}
		}
	}
	c.weigh(k)
	c.ready = true
}

// fade forgets a part of the newer counts, before the first mask all of them.
func (c *Colours) fade(keep float32) {
	for side := range c.bins {
		if !c.ready {
			clear(c.bins[side])
			continue
		}
		for i := range c.bins[side] {
			c.bins[side][i] *= keep
		}
	}
}

func (c *Colours) count(e *motion.Entry, p *shape.Patch, rect image.Rectangle) {
	for y := rect.Min.Y; y < rect.Max.Y; y++ {
		for x := rect.Min.X; x < rect.Max.X; x++ {
			v, side := p.Cell(x, y), 0
			if v > 0 {
				side = 1
			}
			c.bins[side][bin(e.BGR[3*(y*p.W+x):])]++
		}
	}
}

// weigh turns counts into log-odds, and into how usual each colour is. Each bin takes a share of its six neighbours, since a colour wavers
// with light and noise; some pixels more are taken for seen on both sides, so that one of them makes nobody believe in a colour. What is
// usual is mostly the first mask's, whatever was counted since: a mask that went on with another thing teaches that thing's colours.
func (c *Colours) weigh(k *Tuning) {
	first, newer := [2]float64{total(c.first[0]), total(c.first[1])}, [2]float64{total(c.bins[0]), total(c.bins[1])}
	sum := [2]float64{first[0] + newer[0], first[1] + newer[1]}
	prior := k.ColourPseudo / max(min(sum[0], sum[1]), 1)
	for i := range c.odds {
		then, now := around(c.first[1], i), around(c.bins[1], i)
		often := k.ColourUsual*then/max(first[1], 1) + (1-k.ColourUsual)*now/max(newer[1], 1)
		c.usual[i] = int8(math.Round(math.Log(min(often, 1)+leastUsual) * colourScale))
		if sum[0] > 0 && sum[1] > 0 { // else one side tells nothing of the other
			in, out := (then+now)/sum[1], (around(c.first[0], i)+around(c.bins[0], i))/sum[0]
			c.odds[i] = int8(math.Round(min(max(math.Log((in+prior)/(out+prior))*colourScale, -127), 127)))
		}
	}
}

func total(counts []float32) (sum float64) {
	for _, v := range counts {
		sum += float64(v)
	}
	return sum
}

// around is the count of a bin and its neighbours: two parts its own, one part each of theirs.
func around(counts []float32, i int) float64 {
	s := counts[i] * 2
	for _, d := range [3]int{1, colourSide, colourSide * colourSide} {
		at := i / d % colourSide
		if at > 0 {
			s += counts[i-d]
		}
		if at < colourSide-1 {
			s += counts[i+d]
		}
	}
	return float64(s) / 8
}

// Logit is the log-odds of a pixel's colour, BGR.
func (c *Colours) Logit(p []byte) float32 { return float32(c.odds[bin(p)]) * (1 / colourScale) }

// AddTo adds weight times the log-odds of each pixel's colour, clipped to ±clip, to a sum over the frame's grid.
func (c *Colours) AddTo(s *shape.Sum, e *motion.Entry, weight, clip float32) {
	r := s.Rect()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := s.Row(y)
		pix := e.BGR[3*(y*e.Gray.W+r.Min.X):][:3*len(row)]
		for i := range row {
			row[i] += weight * min(max(c.Logit(pix[3*i:]), -clip), clip)
		}
	}
}

// Near is the mean log-odds of the colours of the nine pixels about a place, each held to ±clip.
func (c *Colours) Near(e *motion.Entry, x, y float64, clip float32) float64 {
	sum := float32(0)
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			u, v := min(max(int(x+0.5)+dx, 0), e.Gray.W-1), min(max(int(y+0.5)+dy, 0), e.Gray.H-1)
			sum += min(max(c.Logit(e.BGR[3*(v*e.Gray.W+u):]), -clip), clip)
		}
	}
	return float64(sum) / 9
}

// Share is the share of a track's cells in the picture whose colour is the object's rather than its surroundings', from some hundred
// samples; 1 while the colours are unknown.
func (c *Colours) Share(k *Tuning, t *shape.Track, e *motion.Entry) float64 {
	if !c.ready {
		return 1
	}
	in, n := 0, 0
	t.Each(func(x, y int) {
		n++
		if c.Logit(e.BGR[3*(y*e.Gray.W+x):]) > 0 {
			in++
		}
	})
	if n == 0 {
		return 1
	}
	return float64(in) / float64(n)
}

// Sample appends the colours of some hundred cells of a patch in an entry, those left out that skip says.
func Sample(dst []uint16, e *motion.Entry, p *shape.Patch, skip func(x, y int) bool) []uint16 {
	const most = 256
	step := max(1, int(math.Sqrt(float64(p.Rect.Dx()*p.Rect.Dy())/most)))
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y += step {
		for x := p.Rect.Min.X; x < p.Rect.Max.X; x += step {
			if p.Cell(x, y) > 0 && !skip(x, y) {
				dst = append(dst, uint16(bin(e.BGR[3*(y*p.W+x):])))
			}
		}
	}
	return dst
}

// Rather is how much likelier a sample of colours is one of the other object than of this: the mean logarithm of how much more usual each
// is there, each held to ±clip; 0 where one of them is not known.
func (c *Colours) Rather(other *Colours, sample []uint16, clip float64) float64 {
	if !c.ready || !other.ready || len(sample) == 0 {
		return 0
	}
	sum, most := 0, int(clip*colourScale)
	for _, i := range sample {
		sum += min(max(int(other.usual[i])-int(c.usual[i]), -most), most)
	}
	return float64(sum) / colourScale / float64(len(sample))
}

// AddToMap adds what the colours say to a map of likeness, from nine pixels about the middle of a cell.
func (c *Colours) AddToMap(k *Tuning, m *Map, e *motion.Entry) {
	if !c.ready {
		return
	}
	clip, weight := float32(k.ColourClip), float32(k.MapColour)
	for i := range m.Data {
		x, y := m.Middle(i)
		px, py := int(x*float64(e.Gray.W)), int(y*float64(e.Gray.H))
		if px >= e.Gray.W || py >= e.Gray.H {
			m.Data[i] = -1
			continue
		}
		sum, n := float32(0), float32(0)
		for dy := -2; dy <= 2; dy += 2 {
			for dx := -2; dx <= 2; dx += 2 {
				if u, w := px+dx, py+dy; u >= 0 && w >= 0 && u < e.Gray.W && w < e.Gray.H {
					sum += min(max(c.Logit(e.BGR[3*(w*e.Gray.W+u):]), -clip), clip)
					n++
				}
			}
		}
		m.Data[i] += weight * sum / max(n, 1)
	}
}
