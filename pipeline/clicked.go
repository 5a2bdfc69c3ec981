package pipeline

import (
	"math"

	"github.com/segedge/segedge/seg"
)

// clicked leaves of an answer to clicks alone the pieces that a positive click lies on. A model that has seen two cups
// apart as one answer has still been asked for one: what hangs together under the finger is what a person means, and
// what can be followed. An answer with no piece under a click stays as it is.
func clicked(p *seg.Prompt, a seg.Prediction) seg.Prediction {
	if p.Box != nil || p.Mask != nil || len(p.Clicks) == 0 {
		return a
	}
	out := a
	out.Candidates = make([]seg.Candidate, len(a.Candidates))
	for i, c := range a.Candidates {
		c.Logits = pieces(c.Logits, p.Clicks)
		out.Candidates[i] = c
	}
	return out
}

// pieces are the logits with every connected positive piece that no positive click lies on turned negative; the logits
// themselves where there is nothing to turn.
func pieces(l *seg.Logits, clicks []seg.Click) *seg.Logits {
	keep := make([]bool, len(l.Data))
	take := func(cell int) bool {
		taken := !keep[cell] && l.Data[cell] > seg.Threshold
		keep[cell] = keep[cell] || taken
		return taken
	}
	found := false
	for _, c := range clicks {
		if c.Label == seg.Positive {
			if at, ok := nearestPositive(l, c.Point); ok {
				found = true
				seg.Flood(l.W, l.H, at, true, take)
			}
		}
	}
	if !found {
		return l
	}
	out := &seg.Logits{W: l.W, H: l.H, Origin: l.Origin, Extent: l.Extent, Data: make([]float32, len(l.Data))}
	for i, v := range l.Data {
		if v > seg.Threshold && !keep[i] {
			v = -v
		}
		out.Data[i] = v
	}
	return out
}

// nearestPositive is the positive cell under a point, or the nearest one within two cells.
func nearestPositive(l *seg.Logits, p seg.Point) (int, bool) {
	cx := int(math.Floor((p.X - l.Origin.X) / l.Extent.X * float64(l.W)))
	cy := int(math.Floor((p.Y - l.Origin.Y) / l.Extent.Y * float64(l.H)))
	best, least := 0, 9
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			x, y := cx+dx, cy+dy
			if x < 0 || y < 0 || x >= l.W || y >= l.H || l.Data[y*l.W+x] <= seg.Threshold {
				continue
			}
			if d := dx*dx + dy*dy; d < least {
				best, least = y*l.W+x, d
			}
		}
	}
	return best, least < 9
}
