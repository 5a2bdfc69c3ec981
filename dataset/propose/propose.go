// Package propose finds what is worth a person's judgement: pictures that are unlike those that are known and of which the model is unsure,
// and masks that may be right without anybody having pointed at them, sifted by predicted IoU, stability and by whether following them
// there and back leads home. It keeps nothing; package collect does.
package propose

import (
	"context"
	"errors"
	"math"

	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/seg"
)

// Look describes a picture, for telling it from others: the means of what the encoder saw, of length 1. Empty where a model shows nothing.
type Look []float32

// LookAt describes a picture by the coarsest map of an embedding, in which the most is said of what is in it.
func LookAt(e inference.Embedding) Look {
	shown, ok := e.(inference.Featured)
	if !ok {
		return nil
	}
	maps := shown.Features()
	if len(maps) == 0 {
		return nil
	}
	m := maps[len(maps)-1]
	w, h := visible(m.W, m.Origin.X, m.Extent.X), visible(m.H, m.Origin.Y, m.Extent.Y)
	out, norm := make(Look, m.C), 0.0
	for c := range out {
		sum := 0.0
		for y := range h {
			for _, v := range m.Data[c*m.W*m.H+y*m.W:][:w] {
				sum += float64(v)
			}
		}
		mean := sum / float64(w*h)
		out[c], norm = float32(mean), norm+mean*mean
	}
	if norm = math.Sqrt(norm); norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil
	}
	for c := range out {
		out[c] /= float32(norm)
	}
	return out
}

// visible is how many cells of n lie in the picture, and not in a model's padding.
func visible(n int, origin, extent float64) int {
	return max(1, min(n, int(math.Ceil((1-origin)/extent*float64(n)-1e-9))))
}

// Embed describes a picture with a model.
func Embed(ctx context.Context, m inference.Segmenter, f *frame.Frame) (l Look, err error) {
	e, err := m.Embed(ctx, f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return LookAt(e), nil
}

// Distance is how unlike two pictures look: 0 for the same, 1 for nothing in common, 2 for the opposite. Looks that cannot be compared
// are 1.
func (l Look) Distance(o Look) float64 {
	if len(l) == 0 || len(l) != len(o) {
		return 1
	}
	dot := 0.0
	for i, v := range l {
		dot += float64(v) * float64(o[i])
	}
	return min(2, max(0, 1-dot))
}

// Memory are the looks of the pictures that were taken last.
type Memory struct {
	Limit int // 256 where it is 0
	looks []Look
}

// Novelty is the distance to the nearest picture that is remembered; 1 where there is none.
func (m *Memory) Novelty(l Look) float64 {
	least := math.Inf(1)
	for _, k := range m.looks {
		least = min(least, l.Distance(k))
	}
	if math.IsInf(least, 1) {
		return 1
	}
	return least
}

// Add remembers a picture, and forgets the oldest of too many.
func (m *Memory) Add(l Look) {
	limit := m.Limit
	if limit == 0 {
		limit = 256
	}
	m.looks = append(m.looks, l)
	m.looks = m.looks[max(0, len(m.looks)-limit):]
}

// Uncertainty is how unsure the model is of its masks, 0..1: of the least sure one. Of none it is not unsure.
func Uncertainty(scores []Score) float64 {
	out := 0.0
	for _, s := range scores {
		out = max(out, 1-min(1, max(0, s.PredictedIoU))*min(1, max(0, s.Stability)))
	}
	return out
}

// Score is what a model says of a mask.
type Score struct{ PredictedIoU, Stability float64 }

// Candidate is a picture that may be taken.
type Candidate struct {
	Look        Look
	Uncertainty float64
}

// Choose picks at most so many candidates, by index and in the order of choice: each time the one that is farthest from what is known and
// chosen, times how unsure the model is of it. One that is nearer than least to something chosen or known is never taken.
func Choose(all []Candidate, known *Memory, most int, least float64) []int {
	far := make([]float64, len(all))
	for i := range all {
		far[i] = known.Novelty(all[i].Look)
	}
	var out []int
	for len(out) < most {
		best, worth := -1, 0.0
		for i := range all {
			if w := far[i] * (unsure + all[i].Uncertainty); far[i] >= least && w > worth {
				best, worth = i, w
			}
		}
		if best < 0 {
			break
		}
		out = append(out, best)
		for i := range all {
			far[i] = min(far[i], all[i].Look.Distance(all[best].Look))
		}
		far[best] = -1 // taken
	}
	return out
}

// unsure is what a picture is worth of which the model is sure, beside what doubt adds.
const unsure = 0.5

// LogitsOf is a mask as a mask prompt.
func LogitsOf(m *seg.Mask) *seg.Logits {
	return seg.LogitsOf(m, min(m.W, 256), min(m.H, 256), seg.Point{X: 1, Y: 1}, 8)
}
