package inference

import "github.com/segedge/segedge/seg"

// outsideBox is the highest logit that a place outside of a prompt's box keeps.
const outsideBox = -4

// keepInBox takes from an answer to a box what lies beyond it and its margin: a mask that spills onto the ground is not what the box is
// around. Positive clicks outside widen the box. A prompt that carries a mask is about an object that has moved since, and is left alone.
func keepInBox(l *seg.Logits, p *seg.Prompt) {
	if p.Box == nil || p.Mask != nil {
		return
	}
	b := *p.Box
	for _, c := range p.Clicks {
		if c.Label == seg.Positive {
			b = seg.Box{X0: min(b.X0, c.X), Y0: min(b.Y0, c.Y), X1: max(b.X1, c.X), Y1: max(b.Y1, c.Y)}
		}
	}
	dx, dy := boxMargin*(b.X1-b.X0), boxMargin*(b.Y1-b.Y0)
	for y := range l.H {
		cy := l.Origin.Y + (float64(y)+0.5)/float64(l.H)*l.Extent.Y
		row := l.Data[y*l.W:][:l.W]
		out := cy < b.Y0-dy || cy > b.Y1+dy
		for x, v := range row {
			cx := l.Origin.X + (float64(x)+0.5)/float64(l.W)*l.Extent.X
			if v > outsideBox && (out || cx < b.X0-dx || cx > b.X1+dx) {
				row[x] = outsideBox
			}
		}
	}
}
