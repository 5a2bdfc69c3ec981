package look

import "slices"

// Likeness is what an object looks like to one model at one scale, and what is around it: the mean features of both, of the first mask and
// of the newer ones, and the direction that tells them apart.
type Likeness struct {
	Usual float64 // mean likeness of the masks that were believed, about 1; 0 before the first. The owner keeps it

	first, late [2][]float64 // [outside, inside]
	frames      int
	weights     []float64
	bias, gain  float64
}

// Known says that something was learnt.
func (l *Likeness) Known() bool { return l.frames > 0 }

func (l *Likeness) clone() Likeness {
	c := *l
	for k := range 2 {
		c.first[k], c.late[k] = slices.Clone(l.first[k]), slices.Clone(l.late[k])
	}
	c.weights = slices.Clone(l.weights)
	return c
}

// mean is the mean of channel i outside (side 0) or inside (1), of which the first mask has the share anchor.
func (l *Likeness) mean(side, i int, anchor float64) float64 {
	return anchor*l.first[side][i] + (1-anchor)*l.late[side][i]
}

// calibrate turns scores into a scale where the mean of the outside is −1 and that of the inside 1.
func (l *Likeness) calibrate(anchor float64) {
	var mean [2]float64
	for k := range mean {
		for i, w := range l.weights {
			mean[k] += w * l.mean(k, i, anchor)
		}
	}
	l.bias, l.gain = (mean[0]+mean[1])/2, 0
	if d := mean[1] - mean[0]; d > 1e-9 {
		l.gain = 2 / d
	}
}
